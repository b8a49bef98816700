"""Sends messages of Protocol Buffers in their delimited form to `reverse`.

Argument: the host's URI. Each reply, reversed, must be the message that was sent.
"""

import io
import socket
import sys

from google.protobuf.proto import serialize_length_prefixed
from google.protobuf.wrappers_pb2 import BytesValue

host, _, port = sys.argv[1].removeprefix("tcp://").rpartition(":")
# What is no UTF-8 is reversed by bytes. Messages of 127 and 128 bytes, and of 16383 and 16384 bytes,
# have lengths of different widths.
LENGTHS = (1, 125, 126, 300, 16380, 16381, 60000)
messages = [BytesValue(value=b"\xff" * length) for length in LENGTHS]
sent = io.BytesIO()
for message in messages:
    serialize_length_prefixed(message, sent)
with socket.create_connection((host, int(port))) as client:
    client.settimeout(60)
    client.sendall(sent.getvalue())
    client.shutdown(socket.SHUT_WR)
    replies = b"".join(iter(lambda: client.recv(65536), b""))
for message in messages:
    length = message.ByteSize()
    reply, replies = replies[:length], replies[length:]
    received = BytesValue.FromString(reply[::-1])
    assert received == message, (received, message)
    assert replies[:1] == b"\n", replies[:20]
    replies = replies[1:]
assert not replies, replies
print(len(messages), "messages")
