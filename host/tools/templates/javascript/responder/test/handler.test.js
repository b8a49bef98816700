import assert from "node:assert/strict";
import { test } from "node:test";
import { respond } from "../src/handler.js";

test("any bytes come back unchanged", () => {
  for (const message of [[], [0, 255, 128], [...Buffer.from("hello\r\n")]]) {
    assert.deepEqual([...respond(Uint8Array.from(message))], message);
  }
});
