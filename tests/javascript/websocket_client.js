// Sends messages through each address, with Node's own WebSocket, if it has one, and with ws.

const assert = require("node:assert");
const { WebSocket: Library } = require("ws");

async function talk(Client, uri) {
  const socket = new Client(uri, ["other", "echo"]);
  socket.binaryType = "arraybuffer";
  const next = (event) =>
    new Promise((resolve, reject) => {
      socket.addEventListener(event, resolve, { once: true });
      socket.addEventListener("error", (error) => reject(error), { once: true });
    });
  await next("open");
  assert.equal(socket.protocol, "echo");
  for (const text of ["hello", "", "€".repeat(1000)]) {
    socket.send(text);
    assert.equal((await next("message")).data, text);
  }
  socket.send(new Uint8Array([255, 0]));
  assert.deepEqual([...new Uint8Array((await next("message")).data)], [255, 0]);
  socket.close(3001, "bye");
  const { code, wasClean } = await next("close");
  assert.deepEqual([code, wasClean], [3001, true]);
}

async function main() {
  const uris = process.argv.slice(2);
  for (const uri of uris) {
    for (const Client of [Library, globalThis.WebSocket].filter(Boolean)) {
      await talk(Client, uri);
    }
  }
  console.log(`${uris.length} doors`);
}

main();
