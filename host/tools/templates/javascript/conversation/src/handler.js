// Greets, and numbers the lines it is sent, across versions of itself.

/** Bytes of ASCII text, and back. */
const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (bytes) => String.fromCharCode(...bytes);

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
    if (saved === undefined || saved === null) {
      connection.send(bytes("hello\n"));
      return new Session(connection, 0);
    }
    // Another version has served this connection: go on where it was.
    const lines = text(saved);
    if (!/^[0-9]+$/.test(lines)) {
      throw { tag: "internal", val: "what was saved is no count" };
    }
    return new Session(connection, Number(lines));
  }

  onMessage(line) {
    if (line.length === 4 && text(line) === "quit") {
      this.sayGoodbye();
      this.connection.close("graceful");
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
