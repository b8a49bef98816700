// Answers each line with the line reversed.

/** What the handler says about itself: its messages are lines. */
export const manifest = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    framing: { tag: "lines" },
    maxMessageBytes: 65536,
  }),
};

/** Computes the reply to one line, which comes without its ending. Both are a Uint8Array. */
export function respond(line) {
  const text = new TextDecoder().decode(line);
  return new TextEncoder().encode([...text].reverse().join("") + "\n");
}
