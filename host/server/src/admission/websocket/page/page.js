"use strict";

const MOST_ENTRIES = 1000;
const main = document.querySelector("main");
const tabs = document.querySelector(".tabs");
const template = document.getElementById("session");
const strict = new TextDecoder("utf-8", { fatal: true });
const lenient = new TextDecoder();
const encoder = new TextEncoder();
const sessions = [];
let count = 0;

const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const size = (bytes) =>
  bytes < 1024 ? `${bytes} B`
    : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB`
      : `${(bytes / 1048576).toFixed(1)} MiB`;
const clock = () => new Date().toLocaleTimeString([], { hour12: false });

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Offset, bytes and characters, 16 to a line. */
function dump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const shown = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${shown.join("")}`);
  }
  return lines.join("\n") || "(empty)";
}

function parseHex(text) {
  const digits = text.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) || [], (pair) => parseInt(pair, 16));
}

class Session {
  constructor() {
    count += 1;
    this.name = `Session ${count}`;
    this.panel = template.content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.panel.querySelector(selector);
    this.log = this.find(".log");
    this.line = this.find(".line");
    this.entries = [];
    this.history = [];
    this.recalled = 0;
    this.sent = [0, 0];
    this.received = [0, 0];
    this.label();
    this.listen();
    main.append(this.panel);
    sessions.push(this);
    this.select();
    this.connect();
  }

  label() {
    const id = `session-${count}`;
    this.panel.id = id;
    this.tab = element("button", this.name);
    Object.assign(this.tab, { type: "button", id: `${id}-tab` });
    this.tab.setAttribute("role", "tab");
    this.tab.setAttribute("aria-controls", id);
    this.panel.setAttribute("aria-labelledby", this.tab.id);
    const close = element("button", "\u00d7", "close");
    close.type = "button";
    close.setAttribute("aria-label", `Close ${this.name}`);
    close.addEventListener("click", () => this.remove());
    this.frame = element("div", "", "tab");
    this.frame.setAttribute("role", "presentation");
    this.frame.append(this.tab, close);
    tabs.append(this.frame);
    this.panel.querySelectorAll("input[type=radio]").forEach((it) => (it.name = `${id}-show`));
    const { protocol, host, pathname, search } = location;
    this.find(".address").value = `${protocol.replace("http", "ws")}//${host}${pathname}${search}`;
  }

  listen() {
    this.tab.addEventListener("click", () => this.select());
    this.tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const at = (sessions.indexOf(this) + step + sessions.length) % sessions.length;
      sessions[at].select();
      sessions[at].tab.focus();
    });
    this.find(".connect").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.socket) this.socket.close(1000);
      else this.connect();
    });
    this.find(".send").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.line.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step || !this.history.length) return;
      event.preventDefault();
      const last = this.history.length;
      this.recalled = Math.min(last, Math.max(0, this.recalled + step));
      this.line.value = this.history[this.recalled] || "";
    });
    this.find(".choices").addEventListener("change", () => this.entries.forEach((it) => it.show()));
    this.find(".clear").addEventListener("click", () => {
      this.entries = [];
      this.log.replaceChildren();
    });
  }

  select() {
    for (const other of sessions) {
      const isThis = other === this;
      other.panel.hidden = !isThis;
      other.tab.setAttribute("aria-selected", isThis);
      other.tab.tabIndex = isThis ? 0 : -1;
    }
    this.tab.classList.remove("unread");
    this.line.focus();
  }

  remove() {
    if (this.socket) this.socket.close(1000);
    sessions.splice(sessions.indexOf(this), 1);
    this.panel.remove();
    this.frame.remove();
    if (sessions.length) sessions[sessions.length - 1].select();
    else new Session();
  }

  connect() {
    const names = this.find(".protocols").value.split(/[\s,]+/).filter(Boolean);
    let socket;
    try {
      socket = new WebSocket(this.find(".address").value, names);
    } catch (error) {
      this.state("cannot connect", "is-bad");
      this.note(error.message);
      return;
    }
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    this.state("connecting\u2026");
    this.fact("code");
    socket.addEventListener("open", () => {
      this.state("open", "is-open");
      this.fact("agreed", socket.protocol || "none");
      this.fact("since", clock());
      this.note(`Connected to ${socket.url}`);
    });
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("close", ({ code, reason, wasClean }) => {
      const wasOpen = this.find(".since").textContent !== "\u2013";
      this.socket = null;
      this.state(wasOpen ? "closed" : "cannot connect", wasClean ? "" : "is-bad");
      this.fact("code", reason ? `${code}: ${reason}` : String(code));
      this.fact("since");
      this.note(wasOpen ? `Closed with code ${code}${reason ? `: ${reason}` : ""}`
        : "No connection: the server refused it, or is not there");
    });
  }

  state(text, className = "") {
    const state = this.find(".state");
    state.textContent = text;
    state.className = `state ${className}`;
    const isConnected = Boolean(this.socket);
    this.panel.classList.toggle("open", isConnected);
    this.find(".toggle").textContent = isConnected ? "Disconnect" : "Connect";
    this.find(".go").disabled = !isConnected;
  }

  fact(name, text = "\u2013") {
    this.find(`.${name}`).textContent = text;
  }

  send() {
    const { value } = this.line;
    const kind = this.find(".kind").value;
    const text = value + this.find(".ending").value;
    const data = kind === "hex" ? parseHex(value) : kind === "bytes" ? encoder.encode(text) : text;
    if (data === null) {
      this.note("Not sent: expected two hexadecimal digits for each byte");
      return;
    }
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) {
      this.note("Not sent: not connected");
      return;
    }
    this.socket.send(data);
    this.asked = performance.now();
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    this.counted("sent", this.sent, bytes);
    this.add(bytes, "ours");
    if (value && value !== this.history[this.history.length - 1]) this.history.push(value);
    this.recalled = this.history.length;
    this.line.value = "";
  }

  receive(data) {
    const bytes = typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
    if (this.asked) this.fact("delay", `${(performance.now() - this.asked).toFixed(1)} ms`);
    this.asked = 0;
    this.counted("received", this.received, bytes);
    this.add(bytes, "theirs");
    if (this.panel.hidden) this.tab.classList.add("unread");
  }

  counted(name, sum, bytes) {
    sum[0] += 1;
    sum[1] += bytes.length;
    this.fact(name, `${plural(sum[0], "message")}, ${size(sum[1])}`);
  }

  note(text) {
    this.entry("note", (pre) => (pre.textContent = text));
  }

  add(bytes, className) {
    this.entry(className, (pre) => {
      if (this.find(".choices input:checked").value === "hex") {
        pre.textContent = dump(bytes);
        return;
      }
      let text;
      try {
        text = strict.decode(bytes);
      } catch {
        text = lenient.decode(bytes);
      }
      const [, line, ending] = /^([^]*?)(\r?\n)?$/.exec(text);
      pre.textContent = line;
      const mark = ending ? (ending === "\n" ? "\u21b5" : "\\r\u21b5") : text ? "" : "(empty)";
      if (mark) pre.append(element("span", mark, "eol"));
    });
  }

  entry(className, render) {
    const row = element("div", "", `entry ${className}`);
    const pre = element("pre");
    row.append(element("time", clock()), pre);
    const show = () => render(pre);
    show();
    const isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.entries.push({ show });
    this.log.append(row);
    if (this.entries.length > MOST_ENTRIES) {
      this.entries.shift();
      this.log.firstElementChild.remove();
    }
    if (isAtEnd) this.log.scrollTop = this.log.scrollHeight;
  }
}

const theme = document.getElementById("theme");
theme.addEventListener("change", () => {
  document.documentElement.dataset.theme = theme.value;
});
document.getElementById("new").addEventListener("click", () => new Session());
document.title = `${location.host}${location.pathname} \u2013 echo-host`;
new Session();
