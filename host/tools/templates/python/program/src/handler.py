"""Numbers the lines of its input: a plain program, with the connection as input and output."""

import sys
from typing import BinaryIO


class Run:
    def run(self) -> None:
        """Called once for each connection."""
        number(sys.stdin.buffer, sys.stdout.buffer)


def number(source: BinaryIO, target: BinaryIO) -> None:
    for count, line in enumerate(source, 1):
        target.write(b"%d %s\n" % (count, line.rstrip(b"\n")))
        # The client waits for this.
        target.flush()
