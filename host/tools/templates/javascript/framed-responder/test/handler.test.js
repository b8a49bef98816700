import assert from "node:assert/strict";
import { test } from "node:test";
import { manifest, respond } from "../src/handler.js";

const reply = (line) => Buffer.from(respond(Buffer.from(line))).toString();

test("a reply is the line reversed and ended", () => {
  assert.equal(reply("hello"), "olleh\n");
  assert.equal(reply(""), "\n");
});

test("characters stay whole", () => {
  assert.equal(reply("naïve €5"), "5€ evïan\n");
});

test("it asks for lines", () => {
  assert.equal(manifest.describe().framing, "lines");
});
