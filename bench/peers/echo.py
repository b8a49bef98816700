"""An echo on asyncio, in its faster form, a protocol without streams; optionally on uvloop's event
loop. One process and one thread, as usual for asyncio."""

import asyncio
import socket
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=1024)
    server = await asyncio.get_running_loop().create_server(Echo, sock=listener)
    await server.serve_forever()


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
