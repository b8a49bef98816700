"""An echo on asyncio, in its quicker form, a protocol without streams: with uvloop's event loop if that is
asked for. One process and one thread: so are asyncio's servers."""

import asyncio
import socket
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = await asyncio.get_running_loop().create_server(Echo, sock=listener)
    print("listening on tcp://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    await server.serve_forever()


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
