// Values that outlive an instance (`wasi:keyvalue`), which wit/handler.wit must import.
//
// Other instances and versions of the handler find them, in the host's memory or in Redis.
// Operations take effect at once, also in a callback that fails afterwards. One that fails throws
// an `internal` failure, which ends the session unless it is caught. In a unit test the values are
// in memory: see testing/keyvalue.js.

import { bytes, decode } from "./connection.js";

// Unit tests run in Node.js, where the host's functions are missing.
const isTest = globalThis.process !== undefined;
const fake = isTest ? await import("./testing/keyvalue.js") : undefined;
const store = fake ?? (await import("wasi:keyvalue/store@0.2.0-draft2"));
const atomics = fake ?? (await import("wasi:keyvalue/atomics@0.2.0-draft2"));

/** Opens a bucket. The host has one for each name of up to 64 letters, digits, `-`, `_` and `.`. */
export function open(name) {
  return new Bucket(orFail(() => store.open(name)));
}

/** A set of keys with their values. */
class Bucket {
  #host;

  constructor(host) {
    this.#host = host;
  }

  /** The value of a key as bytes, or undefined. */
  get(key) {
    return orFail(() => this.#host.get(key)) ?? undefined;
  }

  /** The value of a key as text, or undefined. A value that is not UTF-8 is a failure. */
  getText(key) {
    const value = this.get(key);
    const text = value && decode(value);
    if (value && text === undefined) {
      throw failure(`the value of \`${key}\` is not UTF-8`);
    }
    return text;
  }

  /** Sets the value of a key, text or bytes. */
  set(key, value) {
    orFail(() => this.#host.set(key, asBytes(value)));
  }

  /** Deletes a key and its value. Does nothing if the key has none. */
  delete(key) {
    orFail(() => this.#host.delete(key));
  }

  /** Whether a key has a value. */
  exists(key) {
    return orFail(() => this.#host.exists(key));
  }

  /**
   * Adds to a value that is a decimal number, and returns the sum. A missing value counts as 0. No
   * other instance can interfere. Sums beyond 2⁵³ lose precision here.
   */
  increment(key, by = 1) {
    return orFail(() => atomics.increment(this.#host, key, by));
  }

  /**
   * Replaces a value by one that depends on it, and returns whether it did. `change` gets the bytes
   * or undefined, and returns text or bytes, or undefined to leave the value. If another instance
   * changes the value in between, `change` is called again.
   */
  update(key, change) {
    let cas = orFail(() => atomics.Cas.new(this.#host, key));
    for (;;) {
      const value = change(orFail(() => cas.current()) ?? undefined);
      if (value === undefined) {
        return false;
      }
      const again = orFail(() => swapped(cas, asBytes(value)));
      if (again === undefined) {
        return true;
      }
      cas = again;
    }
  }

  /** All keys, sorted. A key that is set or deleted meanwhile may be among them or not. */
  keys() {
    const keys = new Set();
    let cursor;
    do {
      const page = orFail(() => this.#host.listKeys(cursor));
      page.keys.forEach((key) => keys.add(key));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return [...keys].sort();
  }
}

/** Sets the value, or returns the state to try again with. */
function swapped(cas, value) {
  try {
    atomics.swap(cas, value);
  } catch (error) {
    if (error.payload?.tag !== "cas-failed") {
      throw error;
    }
    return error.payload.val;
  }
}

function asBytes(value) {
  return typeof value === "string" ? bytes(value) : value;
}

/** Turns errors of the store into failures of the session. */
function orFail(operation) {
  try {
    return operation();
  } catch (error) {
    throw failure(reason(error.payload ?? { val: `${error}` }));
  }
}

function failure(reason) {
  return { kind: "internal", reason };
}

function reason(error) {
  const inner = error.tag === "store-error" ? error.val : error;
  return inner.val ?? "there is no such bucket, or no access to it";
}
