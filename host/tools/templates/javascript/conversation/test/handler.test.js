import assert from "node:assert/strict";
import { test } from "node:test";
import { conversation } from "../src/handler.js";

/** Replaces the host's connection. */
class Connection {
  sent = "";
  closed = false;

  send(bytes) {
    this.sent += Buffer.from(bytes).toString();
  }

  close() {
    this.closed = true;
  }
}

test("lines are counted", () => {
  const connection = new Connection();
  const session = conversation.Session.open(connection, undefined);
  session.onMessage(Buffer.from("one"));
  session.onMessage(Buffer.from("two"));
  session.onMessage(Buffer.from("quit"));
  assert.equal(connection.sent, "hello\n1 one\n2 two\ngoodbye after 2 lines\n");
  assert.ok(connection.closed);
});

test("the next version goes on counting", () => {
  const session = conversation.Session.open(new Connection(), undefined);
  session.onMessage(Buffer.from("one"));
  const connection = new Connection();
  const next = conversation.Session.open(connection, session.save());
  next.onMessage(Buffer.from("two"));
  next.onShutdown();
  assert.equal(connection.sent, "2 two\ngoodbye after 2 lines\n");
  assert.throws(() => conversation.Session.open(connection, Buffer.from("another's")));
});
