"""Stands in for the host in unit tests: a connection, and in the other modules what it offers."""

import kit


class Connection:
    """Records what a session does with its connection."""

    def __init__(self):
        self.sent = b""
        self.closed = False
        self.timers: dict[int, int] = {}

    def send(self, bytes: bytes) -> None:
        self.sent += bytes

    def close(self) -> None:
        self.closed = True

    def set_timer(self, id: int, delay_ms: int) -> None:
        self.timers[id] = delay_ms

    def cancel_timer(self, id: int) -> None:
        self.timers.pop(id, None)

    def received(self) -> str:
        """What was sent since the last call, as text."""
        sent, self.sent = self.sent, b""
        return sent.decode(errors="replace")

    def timer(self, name: str) -> float | None:
        """The seconds after which the timer with this name fires, if it is set."""
        delay = self.timers.get(kit.timer(name))
        return None if delay is None else delay / 1000

    def fire(self, session, name: str) -> None:
        """Lets the timer with this name fire, which must be set."""
        del self.timers[kit.timer(name)]
        session.on_timer(kit.timer(name))
