// A plain program that numbers the lines of its input: its input and output are the connection.

import stdin from "wasi:cli/stdin@0.2.0";
import stdout from "wasi:cli/stdout@0.2.0";
import { number } from "./lines.js";

/** What comes, until the client has finished sending. */
function* chunks(input) {
  for (;;) {
    let chunk;
    try {
      chunk = input.blockingRead(65536);
    } catch (end) {
      if (end.payload?.tag === "closed") {
        return;
      }
      throw end;
    }
    yield chunk;
  }
}

export const run = {
  /** Is called once for each connection. */
  run() {
    const output = stdout.getStdout();
    for (const line of number(chunks(stdin.getStdin()))) {
      // Whoever sent the line waits for this. At most 4096 bytes may be written at once.
      for (let start = 0; start < line.length; start += 4096) {
        output.blockingWriteAndFlush(line.subarray(start, start + 4096));
      }
    }
  },
};
