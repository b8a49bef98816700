"""The TCP client, with asyncio's streams."""

import asyncio
import sys


async def main():
    reader, writer = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]))
    writer.write(b"Hello, server!")
    writer.write_eof()
    reply = await reader.read()
    print("Received:", reply.decode().strip())
    writer.close()
    await writer.wait_closed()


asyncio.run(asyncio.wait_for(main(), 60))
