"""Replies to each line with the line reversed."""

from wit_world.exports.manifest import About


class Manifest:
    def describe(self) -> About:
        """The manifest: messages are lines."""
        return About("{{name}}", "0.1.0", "lines", 65536)


class WitWorld:
    def respond(self, line: bytes) -> bytes:
        """Computes the reply to one line, without its ending."""
        text = line.decode(errors="replace")
        return f"{text[::-1]}\n".encode()
