"""Answers each line with the line reversed."""

from wit_world.exports.manifest import About
from wit_world.imports.types import Framing_Lines


class Manifest:
    def describe(self) -> About:
        """What the handler says about itself: its messages are lines."""
        return About("{{name}}", "0.1.0", Framing_Lines(), 65536)


class WitWorld:
    def respond(self, line: bytes) -> bytes:
        """Computes the reply to one line, which comes without its ending."""
        text = line.decode(errors="replace")
        return f"{text[::-1]}\n".encode()
