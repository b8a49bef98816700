// The settings of a unit test: `values.set("greeting", "hello")`.

export const values = new Map();

export function get(name) {
  return values.get(name);
}
