"""Stores values with redis-py, configured only with the server's address."""

import sys

import redis

for protocol in ({}, {"protocol": 2}, {"protocol": 3}, {"decode_responses": True}):
    with redis.Redis(host=sys.argv[1], port=int(sys.argv[2]), **protocol) as client:
        client.ping()
        client.flushdb()
        client.set("key", "a value", ex=100)
        value = client.get("key")
        assert value in (b"a value", "a value"), value
        assert 0 < client.ttl("key") <= 100 and 0 < client.pttl("key") <= 100_000
        assert client.get("nothing") is None
        assert client.set("key", "other", nx=True) is None
        assert client.incr("n") == 1 and client.incrby("n", 41) == 42 and client.decr("n") == 41
        assert client.mset({"a": 1, "b": 2}) and len(client.mget("a", "b", "c")) == 3
        assert sorted(map(str, client.scan_iter("[ab]"))) == sorted(map(str, client.keys("[ab]")))
        with client.pipeline(transaction=False) as pipeline:
            assert pipeline.set("p", 1).get("p").delete("p").execute()[2] == 1
        assert client.unlink("a", "b") == 2 and client.exists("key") == 1
        try:
            client.incr("key")
            raise AssertionError("it counts what is no number")
        except redis.ResponseError as error:
            assert "not an integer" in str(error), error
        client.client_setname("tests")
        assert client.client_getname() in (b"tests", "tests") and client.client_id() > 0
print("kept")
