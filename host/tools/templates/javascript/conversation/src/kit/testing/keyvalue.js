// The store of a unit test, in memory. It has the functions of the bindings of `wasi:keyvalue`.

// By bucket, then by key.
const buckets = new Map();
let broken;

/** Deletes all values, and lets operations succeed again. */
export function clear() {
  buckets.clear();
  broken = undefined;
}

/** Lets every operation fail, as if Redis did not respond. */
export function fail(reason) {
  broken = reason;
}

/** An error as the bindings throw it. */
function error(tag, val) {
  return Object.assign(new Error(tag), { payload: { tag, val } });
}

class Bucket {
  constructor(name) {
    this.name = name;
  }

  get values() {
    if (broken !== undefined) {
      throw error("other", broken);
    }
    return buckets.get(this.name) ?? buckets.set(this.name, new Map()).get(this.name);
  }

  get(key) {
    return this.values.get(key) ?? null;
  }

  set(key, value) {
    this.values.set(key, Uint8Array.from(value));
  }

  delete(key) {
    this.values.delete(key);
  }

  exists(key) {
    return this.values.has(key);
  }

  /** A page of one key, so that tests turn pages. */
  listKeys(cursor) {
    const keys = [...this.values.keys()];
    const at = Number(cursor ?? 0);
    return { keys: keys.slice(at, at + 1), cursor: at + 1 < keys.length ? `${at + 1}` : null };
  }
}

export function open(name) {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw error("no-such-store");
  }
  const bucket = new Bucket(name);
  bucket.values;
  return bucket;
}

export class Cas {
  constructor(bucket, key) {
    this.bucket = bucket;
    this.key = key;
    this.current();
  }

  static new(bucket, key) {
    return new Cas(bucket, key);
  }

  current() {
    this.value = this.bucket.get(this.key);
    return this.value;
  }
}

export function swap(cas, value) {
  if (cas.bucket.get(cas.key) !== cas.value) {
    throw error("cas-failed", new Cas(cas.bucket, cas.key));
  }
  cas.bucket.set(cas.key, value);
}

export function increment(bucket, key, delta) {
  const text = String.fromCharCode(...(bucket.get(key) ?? [0x30]));
  const sum = Number(text) + delta;
  if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(sum)) {
    throw error("other", "the value, or the result, is not a whole number");
  }
  bucket.set(key, Array.from(`${sum}`, (char) => char.charCodeAt(0)));
  return sum;
}
