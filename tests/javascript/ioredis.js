// Stores values with ioredis, configured only with the server's address.

const assert = require("node:assert");
const { Redis } = require("ioredis");

async function main([host, port]) {
  const client = new Redis(Number(port), host);
  await client.flushdb();
  assert.equal(await client.ping(), "PONG");
  assert.equal(await client.set("key", "a value", "EX", 100), "OK");
  assert.equal(await client.get("key"), "a value");
  assert.equal(await client.get("nothing"), null);
  assert((await client.pttl("key")) <= 100000);
  assert.equal(await client.incrby("n", 42), 42);
  assert.equal(await client.mset("a", 1, "b", 2), "OK");
  assert.deepEqual(await client.mget("a", "b", "c"), ["1", "2", null]);
  assert.deepEqual((await client.keys("[ab]")).sort(), ["a", "b"]);
  const results = await client.pipeline().get("a").del("a").get("a").exec();
  assert.deepEqual(results.map(([, value]) => value), ["1", 1, null]);
  await assert.rejects(client.incr("key"), /not an integer/);
  await client.quit();
  console.log("kept");
}

main(process.argv.slice(2));
