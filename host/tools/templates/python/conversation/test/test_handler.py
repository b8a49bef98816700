import unittest

import handler
from componentize_py_types import Err
from conversation import Session
from kit import testing


class Counting(unittest.TestCase):
    def test_lines_are_counted(self):
        connection = testing.Connection()
        session = Session.open(connection, None)
        for line in [b"one", b"two", b"quit"]:
            session.on_message(line)
        self.assertEqual(connection.received(), "hello\n1 one\n2 two\ngoodbye after 2 lines\n")
        self.assertTrue(connection.closed)

    def test_a_line_that_is_not_text_ends_the_session(self):
        session = Session.open(testing.Connection(), None)
        with self.assertRaises(Err) as raised:
            session.on_message(b"\xff")
        self.assertEqual(raised.exception.value.kind, "protocol")

    def test_the_next_version_goes_on_counting(self):
        session = Session.open(testing.Connection(), None)
        session.on_message(b"one")
        connection = testing.Connection()
        following = Session.open(connection, session.save())
        following.on_message(b"two")
        following.on_shutdown()
        self.assertEqual(connection.received(), "2 two\ngoodbye after 2 lines\n")
        with self.assertRaises(Err):
            Session.open(connection, b"another's")

    def test_it_asks_for_lines(self):
        self.assertEqual(handler.Manifest().describe().framing, "lines")
