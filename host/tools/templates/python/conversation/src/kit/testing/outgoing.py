"""Servers of a unit test: `kit.testing.outgoing.servers["db:7000"] = lambda request: b"42\\n"`."""

import socket
from collections.abc import Callable
from threading import Thread

# What each server answers to what arrives, by its `HOST:PORT`. Others refuse connections.
servers: dict[str, Callable[[bytes], bytes]] = {}


def connect(server: str) -> socket.socket:
    if server not in servers:
        raise ConnectionRefusedError(server)
    ours, theirs = socket.socketpair()
    Thread(target=_serve, args=(theirs, servers[server]), daemon=True).start()
    return ours


def _serve(client: socket.socket, answer: Callable[[bytes], bytes]) -> None:
    with client:
        while request := client.recv(65536):
            client.sendall(answer(request))
