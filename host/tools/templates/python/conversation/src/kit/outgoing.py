"""TCP connections to other servers, as far as `--allow-connect` grants them: Python's own sockets.

The handler waits within its call, and so does everybody who shares its instance, at most as long as
`--call-timeout` allows. A unit test stands in for the server: see `kit.testing.outgoing`.
"""

# Names of hosts need it. A component has no files to import it from later.
import encodings.idna  # noqa: F401
import socket
import sys

# A unit test runs in another Python.
if sys.platform != "wasi":
    from kit.testing import outgoing as fake


def connect(server: str) -> socket.socket:
    """Connects to a server, named `HOST:PORT` or `[IPV6]:PORT`: to the first of its addresses that
    accepts. An OSError says why it cannot."""
    if sys.platform != "wasi":
        return fake.connect(server)
    host, _, port = server.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))
