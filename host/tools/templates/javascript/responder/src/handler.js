// Answers each message with the message itself.

/** Computes the reply to one message, which is whatever one read returned. Both are a Uint8Array. */
export function respond(message) {
  return message;
}
