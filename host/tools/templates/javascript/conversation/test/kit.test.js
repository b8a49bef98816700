import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { get } from "../src/kit/config.js";
import { bytes, cancelTimer, isTimer, sendLine, setTimer, text, timer } from "../src/kit/connection.js";
import { open } from "../src/kit/keyvalue.js";
import { connect } from "../src/kit/outgoing.js";
import { values } from "../src/kit/testing/config.js";
import { Connection } from "../src/kit/testing/connection.js";
import * as fake from "../src/kit/testing/keyvalue.js";
import { servers } from "../src/kit/testing/outgoing.js";

beforeEach(() => {
  fake.clear();
  values.clear();
  servers.clear();
});

test("a line ends", () => {
  const connection = new Connection();
  sendLine(connection, "100% naïve €5 😀");
  assert.equal(connection.received(), "100% naïve €5 😀\n");
});

test("only UTF-8 is text", () => {
  assert.deepEqual(bytes("ï%"), Uint8Array.of(0xc3, 0xaf, 0x25));
  assert.equal(text(bytes("100% naïve\t€5 😀")), "100% naïve\t€5 😀");
  for (const bad of ["caf\xe9", "\xc0\xaf", "\xed\xa0\x80"]) {
    const failure = { kind: "protocol", reason: "the message is not UTF-8" };
    assert.throws(() => text(Buffer.from(bad, "latin1")), failure);
  }
});

test("the number of a timer's name is the same in all languages", () => {
  assert.equal(timer("reminder"), 0xb994c98f);
  assert.equal(timer(""), 0x811c9dc5);
  assert.equal(timer("a"), 0xe40c292c);
  assert.ok(isTimer(0xb994c98f, "reminder") && isTimer(0xb994c98f | 0, "reminder"));
  assert.ok(!isTimer(7, "reminder"));
});

test("a timer is set and cancelled by name", () => {
  const connection = new Connection();
  setTimer(connection, "reminder", 1.5);
  assert.equal(connection.timer("reminder"), 1.5);
  setTimer(connection, "reminder", 1e9);
  assert.deepEqual([...connection.timers], [[0xb994c98f, 2 ** 31 - 1]]);
  cancelTimer(connection, "reminder");
  assert.equal(connection.timer("reminder"), undefined);
});

test("settings are those of the test", () => {
  assert.equal(get("greeting"), undefined);
  values.set("greeting", "hello");
  assert.equal(get("greeting"), "hello");
});

test("values are kept by bucket and key", () => {
  const bucket = open("visits");
  bucket.set("b", "text");
  bucket.set("a", Uint8Array.of(0xff));
  open("other").set("c", "");
  assert.deepEqual(bucket.get("a"), Uint8Array.of(0xff));
  assert.equal(bucket.getText("b"), "text");
  assert.equal(bucket.getText("c"), undefined);
  assert.equal(open("other").getText("c"), "");
  assert.deepEqual(bucket.keys(), ["a", "b"]);
  bucket.delete("b");
  assert.equal(bucket.exists("b"), false);
  assert.throws(() => bucket.getText("a"), { kind: "internal" });
});

test("numbers are counted", () => {
  const bucket = open("visits");
  assert.equal(bucket.increment("ada"), 1);
  assert.equal(bucket.increment("ada", -3), -2);
  bucket.set("ada", "many");
  assert.throws(() => bucket.increment("ada"), { kind: "internal" });
});

test("a value that changes meanwhile is asked for again", () => {
  const bucket = open("visits");
  const seen = [];
  const change = (value) => {
    if (seen.length === 0) {
      bucket.set("key", "theirs");
    }
    seen.push(value && text(value));
    return `${seen.at(-1)} and ours`;
  };
  assert.ok(bucket.update("key", change));
  assert.deepEqual(seen, [undefined, "theirs"]);
  assert.equal(bucket.getText("key"), "theirs and ours");
  assert.equal(bucket.update("key", () => undefined), false);
});

test("a store that fails ends the session", () => {
  const reason = "there is no such bucket, or no access to it";
  assert.throws(() => open("no such name"), { kind: "internal", reason });
  const bucket = open("visits");
  fake.fail("Redis does not respond");
  const failure = { kind: "internal", reason: "Redis does not respond" };
  assert.throws(() => bucket.keys(), failure);
  assert.throws(() => bucket.increment("ada"), failure);
  assert.throws(() => bucket.update("ada", () => "x"), failure);
});

test("the test stands in for a server", () => {
  servers.set("db:7000", (request) => bytes(text(request).toUpperCase()));
  const stream = connect("db:7000");
  stream.write("hel");
  stream.write(bytes("lo\n"));
  assert.equal(text(stream.read()), "HELLO\n");
  assert.equal(stream.read(), undefined);
  assert.throws(() => connect("db:7001"), { message: "cannot connect to db:7001: connection-refused" });
  for (const bad of ["", "db", "db:", ":80", "[]:80", "db:x", "db:65536", "::1:80", "[::1:80"]) {
    assert.throws(() => connect(bad), { message: `expected HOST:PORT, not \`${bad}\`` });
  }
});
