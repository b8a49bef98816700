"""Numbers the lines of its input: a plain program, whose input and output are the connection."""

import sys
from typing import BinaryIO


class Run:
    def run(self) -> None:
        """Is called once for each connection."""
        number(sys.stdin.buffer, sys.stdout.buffer)


def number(source: BinaryIO, target: BinaryIO) -> None:
    for count, line in enumerate(source, 1):
        target.write(b"%d %s\n" % (count, line.rstrip(b"\n")))
        # Whoever sent the line waits for this.
        target.flush()
