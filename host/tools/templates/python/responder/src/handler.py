"""Answers each message with the message itself."""


class WitWorld:
    def respond(self, message: bytes) -> bytes:
        """Computes the reply to one message, which is whatever one read returned."""
        return message
