import unittest

import kit
from componentize_py_types import Err
from kit import config, outgoing, testing
from kit.keyvalue import Bucket
from wit_world.imports.types import Failure


class Lines(unittest.TestCase):
    def test_a_line_ends(self):
        connection = testing.Connection()
        kit.send_line(connection, "naïve €5")
        kit.send_line(connection, b"\xff")
        self.assertEqual(connection.sent, "naïve €5\n".encode() + b"\xff\n")

    def test_only_utf8_is_text(self):
        self.assertEqual(kit.text("naïve €5".encode()), "naïve €5")
        with self.assertRaises(Err) as raised:
            kit.text(b"caf\xe9")
        reason = "the message is not UTF-8, from byte 3 on"
        self.assertEqual(raised.exception.value, Failure("protocol", reason))


class Timers(unittest.TestCase):
    def test_the_number_of_a_name_is_the_same_in_all_languages(self):
        self.assertEqual(kit.timer("reminder"), 0xB994C98F)
        self.assertEqual(kit.timer(""), 0x811C9DC5)
        self.assertEqual(kit.timer("a"), 0xE40C292C)

    def test_a_timer_is_set_and_cancelled_by_name(self):
        connection = testing.Connection()
        kit.set_timer(connection, "reminder", 1.5)
        self.assertEqual(connection.timer("reminder"), 1.5)
        kit.set_timer(connection, "reminder", 10**9)
        self.assertEqual(connection.timers, {0xB994C98F: 2**32 - 1})
        kit.cancel_timer(connection, "reminder")
        self.assertIsNone(connection.timer("reminder"))


class Settings(unittest.TestCase):
    def test_settings_are_those_of_the_test(self):
        self.assertIsNone(config.get("greeting"))
        testing.config.values["greeting"] = "hello"
        self.addCleanup(testing.config.values.clear)
        self.assertEqual(config.get("greeting"), "hello")


class Values(unittest.TestCase):
    def setUp(self):
        testing.keyvalue.clear()
        self.values = Bucket("visits")

    def test_values_are_kept_by_bucket_and_key(self):
        self.values.set("b", "text")
        self.values.set("a", b"\xff")
        Bucket("other").set("c", "")
        self.assertEqual(self.values.get("a"), b"\xff")
        self.assertEqual(self.values.get_text("b"), "text")
        self.assertIsNone(self.values.get_text("c"))
        self.assertEqual(self.values.keys(), ["a", "b"])
        self.values.delete("b")
        self.assertFalse(self.values.exists("b"))
        with self.assertRaises(Err):
            self.values.get_text("a")

    def test_numbers_are_counted(self):
        self.assertEqual(self.values.increment("ada"), 1)
        self.assertEqual(self.values.increment("ada", -3), -2)
        self.values.set("ada", "many")
        with self.assertRaises(Err):
            self.values.increment("ada")

    def test_a_value_that_changes_meanwhile_is_asked_for_again(self):
        seen = []

        def change(value):
            if not seen:
                self.values.set("key", "theirs")
            seen.append(value)
            return (value or b"") + b" and ours"

        self.assertTrue(self.values.update("key", change))
        self.assertEqual(seen, [None, b"theirs"])
        self.assertEqual(self.values.get("key"), b"theirs and ours")
        self.assertFalse(self.values.update("key", lambda _: None))

    def test_a_store_that_fails_ends_the_session(self):
        with self.assertRaises(Err) as raised:
            Bucket("no such name")
        reason = "there is no such bucket, or no access to it"
        self.assertEqual(raised.exception.value, Failure("internal", reason))
        testing.keyvalue.fail("Redis does not respond")
        for operation in [self.values.keys, lambda: self.values.increment("ada")]:
            with self.assertRaises(Err) as raised:
                operation()
            self.assertEqual(raised.exception.value, Failure("internal", "Redis does not respond"))


class Servers(unittest.TestCase):
    def test_the_test_stands_in_for_a_server(self):
        testing.outgoing.servers["db:7000"] = bytes.upper
        self.addCleanup(testing.outgoing.servers.clear)
        with outgoing.connect("db:7000") as stream:
            stream.sendall(b"hello\n")
            self.assertEqual(stream.makefile().readline(), "HELLO\n")
        with self.assertRaises(ConnectionRefusedError):
            outgoing.connect("db:7001")
