"""A TCP server as in every introduction to sockets, for one client."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.settimeout(60)
    print("port", server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    with connection:
        connection.settimeout(60)
        print("Received:", connection.recv(1024).decode(), flush=True)
        connection.sendall(b"Hello, client!")
