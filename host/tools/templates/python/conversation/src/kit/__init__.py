"""What most conversations need: lines, text, and timers with names.

`kit.config` has the operator's settings and `kit.keyvalue` values that outlive an instance; both
need their imports in wit/handler.wit. `kit.outgoing` connects to other servers. `kit.testing`
stands in for the host in unit tests.
"""

from typing import Protocol

from componentize_py_types import Err
from wit_world.imports.types import Failure


class Connection(Protocol):
    """The part of the host's connection that the kit uses."""

    def send(self, bytes: bytes) -> None: ...

    def set_timer(self, id: int, delay_ms: int) -> None: ...

    def cancel_timer(self, id: int) -> None: ...


def send_line(connection: Connection, line: str | bytes) -> None:
    """Sends a line: the text and a line feed."""
    connection.send((line.encode() if isinstance(line, str) else line) + b"\n")


def text(message: bytes) -> str:
    """The message as text. If it is not UTF-8, the client broke the protocol."""
    try:
        return message.decode()
    except UnicodeDecodeError as error:
        reason = f"the message is not UTF-8, from byte {error.start} on"
        raise Err(Failure("protocol", reason)) from None


def timer(name: str) -> int:
    """The number of the timer with this name, to compare in `on_timer`.

    It is the 32-bit FNV-1a hash of the name with the highest bit set, in the kits of all languages:
    the next version of a handler knows the timers of the previous one.
    """
    number = 0x811C9DC5
    for byte in name.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number | 1 << 31


def set_timer(connection: Connection, name: str, seconds: float) -> None:
    """Requests one `on_timer` with `timer(name)`, also in the next version of the handler. Replaces
    the timer with this name if it has not fired."""
    connection.set_timer(timer(name), min(round(seconds * 1000), 0xFFFFFFFF))


def cancel_timer(connection: Connection, name: str) -> None:
    """Cancels the timer with this name, if it is set."""
    connection.cancel_timer(timer(name))
