import type { ClientFrame, ServerFrame } from "./wire.ts";

/** What the live connection needs from the rest of the app. */
export interface SocketOptions {
  /** An access token; rejects when there is none to be had. */
  readonly token: () => Promise<string>;
  /** The cursor to resume from, if any. */
  readonly since: () => string | undefined;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onStatus: (status: "connecting" | "down") => void;
  /** The session is over: no reconnecting. */
  readonly onEnded: () => void;
  /** Asks whether the session still stands; rejects when it does not or the server is away. */
  readonly check: () => Promise<void>;
  readonly connect?: (url: string, protocols: string[]) => WebSocket;
  readonly random?: () => number;
}

const closeEnded = 4001;
const closeResume = 4008;
const closeRestart = 1012;

const firstWait = 500;
const longestWait = 30_000;
/** Milliseconds a connection may take to open, or a ping to be answered. */
const patience = 10_000;

/**
 * How long to wait before the next attempt, in milliseconds: nothing when the server asks to
 * resume, what it says when it restarts, else longer each time, half of it by chance.
 */
export function pause(attempt: number, code: number, reason: string, random: () => number): number {
  if (code === closeResume) return 0;
  const told = Number(reason);
  if (code === closeRestart && reason !== "" && told >= 0) return Math.min(told, longestWait);
  const wait = Math.min(longestWait, firstWait * 2 ** attempt);
  return wait / 2 + (random() * wait) / 2;
}

/** One socket for all of the reader's rooms, opened again whenever it breaks until close is called. */
export class LiveSocket {
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #attempt = 0;
  #heard = 0;
  #closed = false;

  constructor(readonly options: SocketOptions) {}

  open(): void {
    this.#closed = false;
    globalThis.addEventListener?.("online", this.#now);
    globalThis.addEventListener?.("offline", this.#doubt);
    void this.#connect();
  }

  close(): void {
    this.#closed = true;
    globalThis.removeEventListener?.("online", this.#now);
    globalThis.removeEventListener?.("offline", this.#doubt);
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** Sends frame if there is an open connection, and says whether there was. */
  send(frame: ClientFrame): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tries at once instead of waiting: the network is back, or the reader is. */
  readonly #now = (): void => {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#timer);
    void this.#connect();
  };

  /** The browser says it is offline. On a LAN it may be wrong, so the socket is asked rather than dropped. */
  readonly #doubt = (): void => {
    const asked = Date.now();
    if (!this.send({ type: "ping" })) return;
    setTimeout(() => this.#heard < asked && this.#lost(this.#socket, 0, ""), patience / 4);
  };

  async #connect(): Promise<void> {
    this.options.onStatus("connecting");
    let token: string;
    try {
      token = await this.options.token();
    } catch {
      return this.#retry(0, "");
    }
    if (this.#closed || this.#socket) return;
    const since = this.options.since();
    const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/chat/ws`;
    const url = since ? `${base}?since=${encodeURIComponent(since)}` : base;
    const socket = this.options.connect?.(url, ["bearer", token]) ?? new WebSocket(url, ["bearer", token]);
    this.#socket = socket;
    const slow = setTimeout(() => this.#lost(socket, 0, ""), patience);
    socket.onmessage = (e: MessageEvent<string>) => {
      clearTimeout(slow);
      this.#hear(JSON.parse(e.data) as ServerFrame);
    };
    socket.onclose = (e) => {
      clearTimeout(slow);
      this.#lost(socket, e.code, e.reason);
    };
  }

  #hear(frame: ServerFrame): void {
    this.#heard = Date.now();
    if (frame.type === "hello") {
      this.#attempt = 0;
      clearInterval(this.#pulse);
      this.#pulse = setInterval(() => this.#beat(frame.heartbeat * 1000), frame.heartbeat * 1000);
    }
    this.options.onFrame(frame);
  }

  #beat(every: number): void {
    if (Date.now() - this.#heard > every + patience) this.#lost(this.#socket, 0, "");
    else this.send({ type: "ping" });
  }

  #lost(socket: WebSocket | undefined, code: number, reason: string): void {
    if (!socket || socket !== this.#socket) return;
    this.#drop();
    if (this.#closed) return;
    if (code === closeEnded) return this.options.onEnded();
    // A refused upgrade says nothing, so ask whether it is the session that is refused.
    if (this.#attempt === 2) void this.options.check().catch(() => undefined);
    this.#retry(code, reason);
  }

  #retry(code: number, reason: string): void {
    if (this.#closed) return;
    this.options.onStatus("down");
    const wait = pause(this.#attempt, code, reason, this.options.random ?? Math.random);
    if (code !== closeResume && code !== closeRestart) this.#attempt++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }

  #drop(): void {
    clearInterval(this.#pulse);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
