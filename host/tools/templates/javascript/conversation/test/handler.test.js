import assert from "node:assert/strict";
import { test } from "node:test";
import { conversation } from "../src/handler.js";
import { Connection } from "../src/kit/testing/connection.js";

const { Session } = conversation;

test("lines are counted", () => {
  const connection = new Connection();
  const session = Session.open(connection, undefined);
  session.onMessage(Buffer.from("one"));
  session.onMessage(Buffer.from("two"));
  session.onMessage(Buffer.from("quit"));
  assert.equal(connection.received(), "hello\n1 one\n2 two\ngoodbye after 2 lines\n");
  assert.ok(connection.closed);
});

test("a line that is not text ends the session", () => {
  const session = Session.open(new Connection(), undefined);
  assert.throws(() => session.onMessage(Uint8Array.of(0xff)), { kind: "protocol" });
});

test("the next version goes on counting", () => {
  const session = Session.open(new Connection(), undefined);
  session.onMessage(Buffer.from("one"));
  const connection = new Connection();
  const next = Session.open(connection, session.save());
  next.onMessage(Buffer.from("two"));
  next.onShutdown();
  assert.equal(connection.received(), "2 two\ngoodbye after 2 lines\n");
  assert.throws(() => Session.open(connection, Buffer.from("another's")));
});
