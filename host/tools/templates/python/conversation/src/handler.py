"""Greets, and numbers the lines it is sent, across versions of itself."""

import conversation  # where the sessions are
from wit_world.exports.manifest import About
from wit_world.imports.types import Framing_Lines


class Manifest:
    def describe(self) -> About:
        """What the handler says about itself: its messages are lines."""
        return About("{{name}}", "0.1.0", Framing_Lines(), 65536)
