// Greets, and numbers the lines it is sent, across versions of itself.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What the handler says about itself: its messages are lines. */
export const manifest = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    framing: { tag: "lines" },
    maxMessageBytes: 65536,
  }),
};

/** What one connection has come to. To fail, a callback throws one of the contract's failures. */
class Session {
  constructor(connection, lines) {
    this.connection = connection;
    this.lines = lines;
  }

  static open(connection, saved) {
    if (saved === undefined) {
      connection.send(encoder.encode("hello\n"));
      return new Session(connection, 0);
    }
    // Another version has served this connection: go on where it was.
    const lines = decoder.decode(saved);
    if (!/^[0-9]+$/.test(lines)) {
      throw { tag: "internal", val: "what was saved is no count" };
    }
    return new Session(connection, Number(lines));
  }

  onMessage(line) {
    if (decoder.decode(line) === "quit") {
      this.sayGoodbye();
      this.connection.close("graceful");
      return;
    }
    this.lines += 1;
    const number = encoder.encode(`${this.lines} `);
    this.connection.send(Uint8Array.from([...number, ...line, 10]));
  }

  onEof() {}

  onWritable() {}

  onTimer(_id) {}

  onShutdown() {
    this.sayGoodbye();
  }

  save() {
    return encoder.encode(`${this.lines}`);
  }

  sayGoodbye() {
    this.connection.send(encoder.encode(`goodbye after ${this.lines} lines\n`));
  }
}

export const conversation = { Session };
