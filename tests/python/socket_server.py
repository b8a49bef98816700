"""A TCP server as every introduction to sockets has it, for one client."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.settimeout(60)
    print("port", server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    with connection:
        connection.settimeout(60)
        print("Received:", connection.recv(1024).decode(), flush=True)
        connection.sendall(b"Hello, client!")
