// Greets clients and numbers their lines, also across versions of the handler.

/** Bytes of ASCII text, and back. */
const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (bytes) => String.fromCharCode(...bytes);

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
      connection.send(bytes("hello\n"));
      return new Session(connection, 0);
    }
    // Another version has served this connection: continue its count.
    const lines = text(saved);
    if (!/^[0-9]+$/.test(lines)) {
      throw { kind: "internal", reason: "the saved state is not a count" };
    }
    return new Session(connection, Number(lines));
  }

  onMessage(line) {
    if (line.length === 4 && text(line) === "quit") {
      this.sayGoodbye();
      this.connection.close();
      return;
    }
    this.lines += 1;
    const number = bytes(`${this.lines} `);
    const reply = new Uint8Array(number.length + line.length + 1);
    reply.set(number);
    reply.set(line, number.length);
    reply[reply.length - 1] = 10;
    this.connection.send(reply);
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
    this.connection.send(bytes(`goodbye after ${this.lines} lines\n`));
  }
}

export const conversation = { Session };
