// Stands in for the host in unit tests; the files beside it have what else the host offers.

import { decode, timer } from "../connection.js";

/** Records what a session does with its connection. */
export class Connection {
  closed = false;
  /** The milliseconds after which timers fire, by number. */
  timers = new Map();
  #sent = [];

  send(bytes) {
    this.#sent.push(...bytes);
  }

  close() {
    this.closed = true;
  }

  setTimer(id, delayMs) {
    this.timers.set(id >>> 0, delayMs);
  }

  cancelTimer(id) {
    this.timers.delete(id >>> 0);
  }

  /** What was sent since the last call, as text. */
  received() {
    return decode(this.#sent.splice(0));
  }

  /** The seconds after which the timer with this name fires, or undefined. */
  timer(name) {
    const delay = this.timers.get(timer(name));
    return delay === undefined ? undefined : delay / 1000;
  }

  /** Lets the timer with this name fire, which must be set. */
  fire(session, name) {
    if (!this.timers.delete(timer(name))) {
      throw new Error(`the session has set no timer "${name}"`);
    }
    session.onTimer(timer(name));
  }
}
