"""A TCP client as in every introduction to sockets."""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60) as client:
    client.sendall(b"Hello, server!")
    reply = client.recv(1024)
    print("Received:", reply.decode().strip())
