// What most conversations need: lines, text, and timers with names.

/** Sends a line: the text and a line feed. */
export function sendLine(connection, line) {
  connection.send(bytes(`${line}\n`));
}

/** The bytes of a text in UTF-8. The engine has no TextEncoder. */
export function bytes(text) {
  const encoded = encodeURIComponent(text);
  const chars = encoded.replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Uint8Array.from(chars, (char) => char.charCodeAt(0));
}

/** The message as text. If it is not UTF-8, the client broke the protocol. */
export function text(message) {
  const text = decode(message);
  if (text === undefined) {
    throw { kind: "protocol", reason: "the message is not UTF-8" };
  }
  return text;
}

/** The text of bytes in UTF-8, or undefined. The engine has no TextDecoder. */
export function decode(bytes) {
  let encoded = "";
  for (const byte of bytes) {
    const isPlain = byte < 0x80 && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  }
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/**
 * The number of the timer with this name: the 32-bit FNV-1a hash of the name with the highest bit
 * set, in the kits of all languages. So the next version of a handler knows the timers of the
 * previous one.
 */
export function timer(name) {
  let number = 0x811c9dc5;
  for (const byte of bytes(name)) {
    number = Math.imul(number ^ byte, 0x01000193);
  }
  return (number | 0x80000000) >>> 0;
}

/** Whether the id that `onTimer` got is that of the timer with this name. */
export function isTimer(id, name) {
  // The engine takes the numbers of the contract for signed ones.
  return id >>> 0 === timer(name);
}

/**
 * Requests one `onTimer` for this name, also in the next version of the handler, after at most 24
 * days. Replaces the timer with this name if it has not fired.
 */
export function setTimer(connection, name, seconds) {
  connection.setTimer(timer(name) | 0, Math.min(Math.round(seconds * 1000), 0x7fffffff));
}

/** Cancels the timer with this name, if it is set. */
export function cancelTimer(connection, name) {
  connection.cancelTimer(timer(name) | 0);
}
