"""The sessions of connections. The module is named after the interface in the contract."""

from typing import Optional, Self

import kit
from componentize_py_types import Err
from wit_world.exports import conversation
from wit_world.imports.connections import Connection
from wit_world.imports.types import Failure


class Session(conversation.Session):
    """The state of one connection. To fail, a callback raises a failure of the contract in an Err."""

    def __init__(self, connection: Connection, lines: int):
        self.connection = connection
        self.lines = lines

    @classmethod
    def open(cls, connection: Connection, saved: Optional[bytes]) -> Self:
        if saved is None:
            kit.send_line(connection, "hello")
            return cls(connection, 0)
        # Another version has served this connection: continue its count.
        if not saved.isdigit():
            raise Err(Failure("internal", "the saved state is not a count"))
        return cls(connection, int(saved))

    def on_message(self, line: bytes) -> None:
        if line == b"quit":
            self.say_goodbye()
            self.connection.close()
            return
        self.lines += 1
        kit.send_line(self.connection, f"{self.lines} {kit.text(line)}")

    def on_eof(self) -> None:
        pass

    def on_writable(self) -> None:
        pass

    def on_timer(self, id: int) -> None:
        pass

    def on_shutdown(self) -> None:
        self.say_goodbye()

    def save(self) -> Optional[bytes]:
        return b"%d" % self.lines

    def say_goodbye(self) -> None:
        kit.send_line(self.connection, f"goodbye after {self.lines} lines")
