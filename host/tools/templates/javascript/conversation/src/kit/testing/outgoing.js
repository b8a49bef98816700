// Servers of a unit test: `servers.set("db:7000", (request) => reply)`. The function gets what the
// handler has written since its last read, as bytes, and returns bytes; other servers refuse
// connections. This has the functions of the bindings of `wasi:sockets`.

export const servers = new Map();

const dispose = { [Symbol.dispose ?? "dispose"]() {} };

export const instanceNetwork = () => ({});

/** The name is the address. */
export function resolveAddresses(_network, name) {
  const addresses = [{ tag: "ipv4", val: name }];
  return { resolveNextAddress: () => addresses.pop() };
}

export function createTcpSocket() {
  let answer;
  return {
    ...dispose,
    startConnect(_network, { val: { address, port } }) {
      answer = servers.get(`${address}:${port}`);
    },
    finishConnect() {
      if (answer === undefined) {
        throw Object.assign(new Error(), { payload: "connection-refused" });
      }
      return streams(answer);
    },
  };
}

function streams(answer) {
  let written = [];
  const input = {
    ...dispose,
    blockingRead() {
      const reply = answer(Uint8Array.from(written.splice(0)));
      if (reply.length === 0) {
        throw Object.assign(new Error(), { payload: { tag: "closed" } });
      }
      return reply;
    },
  };
  const output = { ...dispose, blockingWriteAndFlush: (bytes) => void written.push(...bytes) };
  return [input, output];
}
