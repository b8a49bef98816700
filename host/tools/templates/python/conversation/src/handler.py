"""Greets clients and numbers their lines, also across versions of the handler."""

import conversation  # where the sessions are
from wit_world.exports.manifest import About


class Manifest:
    def describe(self) -> About:
        """The manifest: messages are lines."""
        return About("{{name}}", "0.1.0", "lines", 65536)
