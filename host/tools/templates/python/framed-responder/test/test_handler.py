import unittest

from handler import Manifest, WitWorld


class Respond(unittest.TestCase):
    def test_a_reply_is_the_line_reversed_and_ended(self):
        self.assertEqual(WitWorld().respond(b"hello"), b"olleh\n")
        self.assertEqual(WitWorld().respond(b""), b"\n")

    def test_characters_stay_whole(self):
        self.assertEqual(WitWorld().respond("naïve €5".encode()), "5€ evïan\n".encode())

    def test_it_asks_for_lines(self):
        self.assertEqual(Manifest().describe().framing, "lines")
