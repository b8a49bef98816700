"""Talks to a puppet in clear, then under TLS: start_tls.py HOST-OR-PATH PORT CA [LINES]."""

import socket
import ssl
import sys

place, port, authority = sys.argv[1:4]
if port == "0":
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(place)
else:
    plain = socket.create_connection((place, int(port)))
plain.settimeout(60)


def lines(stream, count):
    """Reads some lines, and not a byte more."""
    text = b""
    while text.count(b"\n") < count:
        text += stream.recv(1)
    return text.decode()


print(lines(plain, 1), end="")
# What is sent behind the call goes out encrypted.
plain.sendall(b"info start-tls\nsay clear; tls; say behind\n")
print(lines(plain, 2), end="")
context = ssl.create_default_context(cafile=authority)
secured = context.wrap_socket(plain, server_hostname="localhost")
print(secured.version())
print(lines(secured, 2), end="")
secured.sendall(b"info start-tls\ninfo tls.server-name\npeer\n")
print(lines(secured, 3), end="")
secured.sendall(b"close\n")
print(secured.recv(10))
