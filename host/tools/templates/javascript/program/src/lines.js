// The lines of an input, numbered.

const LF = 10;

/** Bytes of ASCII text. */
const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Takes chunks of bytes, and gives a Uint8Array for each line in them, whose last one may have no ending. */
export function* number(chunks) {
  let count = 0;
  let line = [];
  const numbered = () => {
    count += 1;
    const reply = Uint8Array.from([...bytes(`${count} `), ...line, LF]);
    line = [];
    return reply;
  };
  for (const chunk of chunks) {
    for (const byte of chunk) {
      if (byte === LF) {
        yield numbered();
      } else {
        line.push(byte);
      }
    }
  }
  if (line.length > 0) {
    yield numbered();
  }
}
