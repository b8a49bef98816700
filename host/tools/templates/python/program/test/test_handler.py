import io
import unittest

from handler import number


class Number(unittest.TestCase):
    def test_lines_are_numbered(self):
        target = io.BytesIO()
        number(io.BytesIO(b"one\ntwo"), target)
        self.assertEqual(target.getvalue(), b"1 one\n2 two\n")
