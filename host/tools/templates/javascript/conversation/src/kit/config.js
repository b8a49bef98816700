// The operator's settings for the handler (`wasi:config`), which wit/handler.wit must import.

// Unit tests run in Node.js, where the host's functions are missing.
const isTest = globalThis.process !== undefined;
const host = await (isTest ? import("./testing/config.js") : import("wasi:config/store@0.2.0-rc.1"));

/**
 * The value that the operator gave with `--config-value NAME=VALUE`, or undefined. A unit test sets
 * it in `values` of testing/config.js.
 */
export function get(name) {
  return host.get(name) ?? undefined;
}
