import unittest

import handler
from componentize_py_types import Err
from conversation import Session
from wit_world.imports.connections import CloseMode, Connection
from wit_world.imports.types import Framing_Lines


class Recording(Connection):
    """What the host has in its place."""

    def __init__(self):
        self.sent = b""
        self.closed = None

    def send(self, bytes):
        self.sent += bytes

    def close(self, mode):
        self.closed = mode


class Counting(unittest.TestCase):
    def test_lines_are_counted(self):
        connection = Recording()
        session = Session.open(connection, None)
        for line in [b"one", b"two", b"quit"]:
            session.on_message(line)
        self.assertEqual(connection.sent, b"hello\n1 one\n2 two\ngoodbye after 2 lines\n")
        self.assertEqual(connection.closed, CloseMode.GRACEFUL)

    def test_the_next_version_goes_on_counting(self):
        session = Session.open(Recording(), None)
        session.on_message(b"one")
        connection = Recording()
        following = Session.open(connection, session.save())
        following.on_message(b"two")
        following.on_shutdown()
        self.assertEqual(connection.sent, b"2 two\ngoodbye after 2 lines\n")
        with self.assertRaises(Err):
            Session.open(connection, b"another's")

    def test_it_asks_for_lines(self):
        self.assertEqual(handler.Manifest().describe().framing, Framing_Lines())
