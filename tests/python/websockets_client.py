"""Sends all kinds of messages through each address, with the library websockets."""

import asyncio
import ssl
import sys

import websockets


async def talk(uri, context):
    async with websockets.connect(
        uri, ssl=context, subprotocols=["other", "echo"], max_size=None
    ) as socket:
        assert socket.subprotocol == "echo"
        for message in ["hello", "", "€" * 1000, b"", b"\xff", bytes(1 << 20)]:
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["a", "b", "c"])
        assert await socket.recv() == "abc"
        await (await socket.ping())
        await socket.close(3001, "bye")
        assert socket.close_code == 3001
    async with websockets.connect(uri, ssl=context, max_size=None) as socket:
        await socket.send(bytes((1 << 20) + 1))
        try:
            await socket.recv()
        except websockets.ConnectionClosedError as error:
            assert error.rcvd.code == 1009, error
    try:
        await websockets.connect(uri + "/other", ssl=context)
    except websockets.InvalidStatus as error:
        assert error.response.status_code == 404


async def main():
    authority, *uris = sys.argv[1:]
    for uri in uris:
        context = ssl.create_default_context(cafile=authority)
        await talk(uri, context if uri.startswith("wss:") else None)
    print(len(uris), "doors")


asyncio.run(asyncio.wait_for(main(), 60))
