"""A hundred clients at once, each of which checks that it gets its own bytes back."""

import asyncio
import sys

CLIENTS, ROUNDS = 100, 20


async def client(number):
    reader, writer = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]))
    for round in range(ROUNDS):
        message = f"client {number}, round {round}\n".encode() * (number + 1)
        writer.write(message)
        assert await reader.readexactly(len(message)) == message
    writer.close()
    await writer.wait_closed()
    return ROUNDS


async def main():
    echoes = await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    print(f"{CLIENTS} clients, {sum(echoes)} echoes")


asyncio.run(asyncio.wait_for(main(), 60))
