// Greets clients and numbers their lines, also across versions of the handler.

import { bytes, decode, sendLine, text } from "./kit/connection.js";

/** The manifest: messages are lines. */
export const manifest = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    framing: "lines",
    maxMessageBytes: 65536,
  }),
};

/** The state of one connection. To fail, a callback throws a failure of the contract. */
class Session {
  constructor(connection, lines) {
    this.connection = connection;
    this.lines = lines;
  }

  static open(connection, saved) {
    if (saved === undefined || saved === null) {
      sendLine(connection, "hello");
      return new Session(connection, 0);
    }
    // Another version has served this connection: continue its count.
    const lines = decode(saved);
    if (!/^[0-9]+$/.test(lines)) {
      throw { kind: "internal", reason: "the saved state is not a count" };
    }
    return new Session(connection, Number(lines));
  }

  onMessage(message) {
    const line = text(message);
    if (line === "quit") {
      this.sayGoodbye();
      this.connection.close();
      return;
    }
    this.lines += 1;
    sendLine(this.connection, `${this.lines} ${line}`);
  }

  onEof() {}

  onWritable() {}

  onTimer(_id) {}

  onShutdown() {
    this.sayGoodbye();
  }

  save() {
    return bytes(`${this.lines}`);
  }

  sayGoodbye() {
    sendLine(this.connection, `goodbye after ${this.lines} lines`);
  }
}

export const conversation = { Session };
