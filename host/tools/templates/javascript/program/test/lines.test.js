import assert from "node:assert/strict";
import { test } from "node:test";
import { number } from "../src/lines.js";

const numbered = (...chunks) =>
  Buffer.concat([...number(chunks.map((chunk) => Buffer.from(chunk)))]).toString();

test("lines are numbered", () => {
  assert.equal(numbered("one\ntwo"), "1 one\n2 two\n");
  assert.equal(numbered(), "");
});

test("a line may come in pieces", () => {
  assert.equal(numbered("on", "e", "\n", "two\n"), "1 one\n2 two\n");
});
