import unittest

import handler
from componentize_py_types import Err
from conversation import Session
from wit_world.imports.connections import Connection


class Recording(Connection):
    """Replaces the host's connection."""

    def __init__(self):
        self.sent = b""
        self.closed = False

    def send(self, bytes):
        self.sent += bytes

    def close(self):
        self.closed = True


class Counting(unittest.TestCase):
    def test_lines_are_counted(self):
        connection = Recording()
        session = Session.open(connection, None)
        for line in [b"one", b"two", b"quit"]:
            session.on_message(line)
        self.assertEqual(connection.sent, b"hello\n1 one\n2 two\ngoodbye after 2 lines\n")
        self.assertTrue(connection.closed)

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
        self.assertEqual(handler.Manifest().describe().framing, "lines")
