"""Talks TLS to a host twice, the second time with a resumed session, and prints the parameters."""

import socket
import ssl
import sys

address, port, authority, name = sys.argv[1:5]
context = ssl.create_default_context(cafile=authority)
context.set_alpn_protocols(["chat", "echo"])
# Python resumes sessions of TLS 1.3 only after reading the ticket, which comes with the first
# reply.
session = None
for _ in range(2):
    with socket.create_connection((address, int(port))) as plain:
        with context.wrap_socket(plain, server_hostname=name, session=session) as client:
            client.sendall(b"Hello, server!")
            print(client.recv(1024).decode(), client.selected_alpn_protocol(), client.session_reused)
            session = client.session
