import unittest

from handler import WitWorld


class Respond(unittest.TestCase):
    def test_any_bytes_come_back_unchanged(self):
        for message in [b"", b"hello\r\n", b"\x00\xff\x80"]:
            self.assertEqual(WitWorld().respond(message), message)
