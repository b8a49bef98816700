// TCP connections to other servers, as far as `--allow-connect` grants them (`wasi:sockets`, which
// wit/handler.wit must include).
//
// The handler waits within its call, and so does everybody who shares its instance, at most as long
// as `--call-timeout` allows. In a unit test, testing/outgoing.js stands in for servers.

import { bytes } from "./connection.js";

// Unit tests run in Node.js, where the host's functions are missing.
const isTest = globalThis.process !== undefined;
const fake = isTest ? await import("./testing/outgoing.js") : undefined;
const names = isTest ? fake : await import("wasi:sockets/ip-name-lookup@0.2.0");
const networks = isTest ? fake : await import("wasi:sockets/instance-network@0.2.0");
const sockets = isTest ? fake : await import("wasi:sockets/tcp-create-socket@0.2.0");

/** What `wasi:io` accepts in one write. */
const MAX_WRITE_BYTES = 4096;

/**
 * Connects to a server, named `HOST:PORT` or `[IPV6]:PORT`: to the first of its addresses that
 * accepts. Throws an Error with the reason, such as `access-denied`.
 */
export function connect(server) {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):([0-9]+)$/.exec(server) ?? [];
  if (port === undefined || Number(port) > 65535) {
    throw new Error(`expected HOST:PORT, not \`${server}\``);
  }
  const network = networks.instanceNetwork();
  let last = "name-unresolvable";
  try {
    const addresses = names.resolveAddresses(network, bracketed ?? plain);
    for (let address; (address = settle(addresses, () => addresses.resolveNextAddress())); ) {
      try {
        return connectTo(network, address, Number(port));
      } catch (error) {
        last = error.payload ?? error;
      }
    }
  } catch (error) {
    last = error.payload ?? error;
  }
  throw new Error(`cannot connect to ${server}: ${last}`);
}

function connectTo(network, { tag, val: address }, port) {
  const isV4 = tag === "ipv4";
  const v6 = { port, flowInfo: 0, address, scopeId: 0 };
  const socket = sockets.createTcpSocket(tag);
  socket.startConnect(network, { tag, val: isV4 ? { port, address } : v6 });
  const [input, output] = settle(socket, () => socket.finishConnect());
  return new Stream(input, output, socket);
}

/** Waits until the operation does not fail with `would-block`. */
function settle(source, operation) {
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if (error.payload !== "would-block") {
        throw error;
      }
    }
    const pollable = source.subscribe();
    pollable.block();
    pollable[Symbol.dispose]();
  }
}

/** A connection to a server. */
class Stream {
  #input;
  #output;
  #socket;

  constructor(input, output, socket) {
    this.#input = input;
    this.#output = output;
    this.#socket = socket;
  }

  /** Waits for bytes. Returns undefined when the server has finished sending. */
  read() {
    try {
      return this.#input.blockingRead(65536);
    } catch (error) {
      if (error.payload?.tag === "closed") {
        return undefined;
      }
      throw new Error("the connection to the server failed");
    }
  }

  /** Writes text or bytes. */
  write(data) {
    const all = typeof data === "string" ? bytes(data) : data;
    for (let start = 0; start < all.length; start += MAX_WRITE_BYTES) {
      try {
        this.#output.blockingWriteAndFlush(all.subarray(start, start + MAX_WRITE_BYTES));
      } catch {
        throw new Error("the server has closed the connection");
      }
    }
  }

  /** Closes the connection. */
  close() {
    // The streams of a socket go before it.
    for (const resource of [this.#input, this.#output, this.#socket]) {
      resource[Symbol.dispose]();
    }
  }
}
