"""The TCP server, with asyncio's streams, for one client."""

import asyncio


async def main():
    served = asyncio.Event()

    async def greet(reader, writer):
        print("Received:", (await reader.read(1024)).decode(), flush=True)
        writer.write(b"Hello, client!")
        await writer.drain()
        writer.close()
        served.set()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await served.wait()
    server.close()


asyncio.run(asyncio.wait_for(main(), 60))
