// Replies to each line with the line reversed.

/** The manifest: messages are lines. */
export const manifest = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    framing: "lines",
    maxMessageBytes: 65536,
  }),
};

/** The number of UTF-8 bytes after the first byte of a character. */
const continues = (byte) => (byte & 0xc0) === 0x80;

/** Computes the reply to one line, without its ending. Both are a Uint8Array. */
export function respond(line) {
  const reply = new Uint8Array(line.length + 1);
  let length = 0;
  for (let end = line.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && continues(line[start])) {
      start -= 1;
    }
    reply.set(line.subarray(start, end), length);
    length += end - start;
    end = start;
  }
  reply[length] = 10;
  return reply;
}
