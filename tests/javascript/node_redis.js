// Stores values with node-redis, configured only with the server's address.

const assert = require("node:assert");
const { createClient } = require("redis");

async function main([host, port]) {
  for (const options of [{}, { RESP: 2 }, { RESP: 3 }]) {
    const client = createClient({ url: `redis://${host}:${port}`, ...options });
    await client.connect();
    await client.flushDb();
    assert.equal(await client.ping(), "PONG");
    assert.equal(await client.set("key", "a value", { EX: 100 }), "OK");
    assert.equal(await client.get("key"), "a value");
    assert.equal(await client.get("nothing"), null);
    assert((await client.ttl("key")) <= 100);
    assert.equal(await client.incrBy("n", 42), 42);
    assert.equal(await client.mSet({ a: "1", b: "2" }), "OK");
    assert.deepEqual(await client.mGet(["a", "b", "c"]), ["1", "2", null]);
    const found = [];
    for await (const keys of client.scanIterator({ MATCH: "[ab]" })) found.push(...keys);
    assert.deepEqual(found.sort(), ["a", "b"]);
    assert.deepEqual(await Promise.all([client.get("a"), client.del("a"), client.get("a")]), ["1", 1, null]);
    await assert.rejects(client.incr("key"), /not an integer/);
    await client.close();
  }
  console.log("kept");
}

main(process.argv.slice(2));
