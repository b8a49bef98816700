"""Connects to one handler through every listener of a host, with one framing and Python's sockets.

Arguments: the handler's kind (echo, upper or chat), the framing, an authority's certificate, and the URIs.
What comes back must be exactly what the handler answers; anything else is an AssertionError.
"""

import asyncio
import re
import socket
import ssl
import sys

from websockets.asyncio.client import connect

kind, framing, authority, *uris = sys.argv[1:]
TIMEOUT = 60


def framed(message):
    name, _, parameter = framing.partition(":")
    match name:
        case "chunks":
            return message
        case "lines":
            return message + b"\r\n"
        case "length-prefixed":
            return len(message).to_bytes(int(parameter), "big") + message
        case "length-field":
            # The length counts its header, too.
            assert parameter == "2,4,le,adjust=-6", parameter
            return b"hh" + (6 + len(message)).to_bytes(4, "little") + message
        case "varint":
            assert len(message) < 128, message
            return bytes([len(message)]) + message
        case "netstring":
            return b"%d:%b," % (len(message), message)
        case "cobs":
            assert 0 not in message and len(message) < 254, message
            return bytes([len(message) + 1]) + message + b"\0"
        case "slip":
            assert message.isascii(), message
            return b"\xc0" + message + b"\xc0"
        case "delimited":
            return message + bytes.fromhex(parameter)
        case "fixed":
            assert len(message) == int(parameter), message
            return message
    raise ValueError(framing)


def trusting():
    return ssl.create_default_context(cafile=authority)


class WebSocket:
    """A WebSocket with the methods of a socket. Each write is a message.

    The library's synchronous client is not used: it reads and writes one TLS connection in two
    threads, which the ssl module of Python 3.11 does not allow.
    """

    loop = asyncio.new_event_loop()

    def __init__(self, uri):
        # The certificate is for that name.
        tls = {"ssl": trusting(), "server_hostname": "localhost"} if uri.startswith("wss") else {}
        self.connection = self.do(connect(uri, **tls))

    def do(self, step):
        async def timed():
            return await asyncio.wait_for(step, TIMEOUT)

        return self.loop.run_until_complete(timed())

    def settimeout(self, seconds):
        assert seconds == TIMEOUT

    def sendall(self, message):
        self.do(self.connection.send(message))

    def recv(self, _):
        return self.do(self.connection.recv())

    def close(self):
        self.do(self.connection.close())


class Telnet:
    """A socket of a telnet client that answers no option."""

    def __init__(self, inner):
        self.inner = inner
        self.close, self.settimeout, self.sendall = inner.close, inner.settimeout, inner.sendall

    def recv(self, most):
        text = b""
        while not text:
            received = self.inner.recv(most)
            if not received:
                return b""
            while received.endswith((b"\xff", b"\xff\xfd", b"\r")):
                received += self.inner.recv(1)
            text = re.sub(rb"\xff\xfd.", b"", received, flags=re.DOTALL).replace(b"\r\n", b"\n")
        return text


class Door:
    """A connected socket, or a datagram socket that treats each datagram as a part of a stream."""

    def __init__(self, uri):
        scheme, _, rest = uri.partition(":")
        if scheme == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(rest)
        else:
            host, _, port = rest.removeprefix("//").rpartition(":")
            address = (host.strip("[]"), int(port))
            if scheme == "udp":
                family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
                self.socket = socket.socket(family, socket.SOCK_DGRAM)
                self.socket.connect(address)
            elif scheme in ("ws", "wss"):
                self.socket = WebSocket(uri)
            else:
                self.socket = socket.create_connection(address)
            if scheme == "tls":
                self.socket = trusting().wrap_socket(self.socket, server_hostname="localhost")
            if scheme == "telnet":
                self.socket = Telnet(self.socket)
        self.socket.settimeout(TIMEOUT)
        self.uri = uri
        self.received = b""

    def say(self, message):
        self.socket.sendall(framed(message))

    def hear(self, length):
        while len(self.received) < length:
            self.more()
        heard, self.received = self.received[:length], self.received[length:]
        return heard

    def hear_line(self):
        while b"\n" not in self.received:
            self.more()
        line, _, self.received = self.received.partition(b"\n")
        return line

    def wait_for(self, end):
        while not (line := self.hear_line()).endswith(end):
            pass
        return line

    def more(self):
        more = self.socket.recv(65536)
        assert more, f"{self.uri} has ended"
        self.received += more


def answer(kind, message):
    return message.upper() if kind == "upper" else message


def ask_responder(uri):
    door = Door(uri)
    for message in (b"hello", b"WORLD", bytes(range(0x61, 0x66))):
        door.say(message)
        heard = door.hear(len(message))
        assert heard == answer(kind, message), (uri, heard)
    door.socket.close()


def chat_through(uri, hall):
    """A message through this listener reaches the others, and the reverse."""
    door = Door(uri)
    # A silent client does not exist yet for a listener without connections.
    door.say(b"early")
    hall.wait_for(b": early")
    door.say(b"hello")
    hall.wait_for(b": hello")
    hall.say(b"salve")
    door.wait_for(b": salve")
    door.say(b"/quit")
    door.wait_for(b"Goodbye.")
    door.socket.close()


if kind == "chat":
    hall = Door(uris[0])
    hall.say(b"/help")
    hall.hear_line()
    for uri in uris:
        chat_through(uri, hall)
else:
    for uri in uris:
        ask_responder(uri)
print(len(uris), "doors")
