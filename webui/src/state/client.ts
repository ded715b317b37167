import { Refused } from "../api/http.ts";
import type { Session } from "../api/session.ts";
import { LiveSocket, type SocketOptions } from "../api/socket.ts";
import { keep, roomPath, type Room, type RoomId, type ServerFrame, type Self, type User, type UserId } from "../api/wire.ts";
import { History } from "./history.ts";
import { Keeper, newClientId, refusalInWords, type Shelf } from "./outbox.ts";
import type { WorkspaceEvent } from "./reduce.ts";
import { nameOf, unreadIn } from "./select.ts";
import { Store } from "./store.ts";
import { find } from "./timeline.ts";
import { emptyWorkspace, type Pending } from "./workspace.ts";

/** What the client asks of the session. */
export type Caller = Pick<Session, "call" | "token" | "check" | "ended">;

/** Milliseconds the server may take to store a message before it counts as not sent. */
const sendPatience = 30_000;
/** At most one read mark in this time, in milliseconds. */
const readEvery = 1_000;
const typingEvery = 3_000;
/** Events kept to be applied again after a page that was asked for before they came. */
const journalLength = 2_000;

/** What the signed-in reader does, and what the server tells them: the only part that changes the workspace. */
export class Client {
  readonly store: Store;
  readonly history: History;
  readonly keeper: Keeper;
  readonly #socket: LiveSocket;
  #cursor: string | undefined;
  #helloCursor: string | undefined;
  #journal: WorkspaceEvent[] = [];
  /** How many events ever went through the journal. */
  #told = 0;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #readWanted = new Map<RoomId, string>();
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #typing = { room: "", at: 0 };
  #open: RoomId | undefined;
  readonly #asked = new Set<string>();

  constructor(
    readonly session: Caller,
    me: Self,
    shelf: Shelf,
    connect?: SocketOptions["connect"],
  ) {
    this.store = new Store(emptyWorkspace(me, Date.now()));
    this.keeper = new Keeper(shelf, me.user_id);
    this.history = new History(this.store, this);
    for (const pending of this.keeper.outbox()) this.store.dispatch({ type: "queue", pending });
    let before = this.store.get().outbox;
    this.store.subscribe(() => {
      const after = this.store.get().outbox;
      this.keeper.keepOutbox(before, after);
      before = after;
    });
    this.#socket = new LiveSocket({
      token: () => session.token(),
      since: () => this.#cursor,
      onFrame: (frame) => this.#hear(frame),
      onStatus: (status) => this.#standing(status),
      onEnded: () => session.ended(),
      check: () => session.check(),
      connect,
    });
  }

  start(): void {
    this.#socket.open();
  }

  stop(): void {
    this.#socket.close();
    clearTimeout(this.#readTimer);
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /**
   * Asks the server and applies the answer; then everything that came over the socket while
   * the question was on its way, because the answer may be older. Events may repeat.
   */
  async load<T>(path: string, toEvents: (answer: T) => readonly WorkspaceEvent[]): Promise<T> {
    const asked = this.#told;
    const answer = await this.session.call<T>("GET", path);
    for (const event of toEvents(answer)) this.store.dispatch(event);
    this.#again(asked);
    return answer;
  }

  /** Applies everything again that came after the first told events. */
  #again(told: number): void {
    const from = Math.max(0, this.#journal.length - (this.#told - told));
    for (const event of this.#journal.slice(from)) this.store.dispatch(event);
  }

  /** Loads something at most once while the page is open; a failure may be tried again. */
  once(key: string, load: () => Promise<unknown>): void {
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    load().catch(() => this.#asked.delete(key));
  }

  async loadRooms(): Promise<void> {
    const rooms: Room[] = [];
    const asked = this.#told;
    for (let page: Room[], after = ""; ; after = page[page.length - 1]!.id) {
      page = await this.session.call<Room[]>("GET", `/api/chat/rooms?limit=1000${after && `&after=${encodeURIComponent(after)}`}`);
      rooms.push(...page);
      if (page.length < 1000) break;
    }
    this.store.dispatch({ type: "rooms", rooms });
    this.#again(asked);
  }

  /** Loads one room anew: its counts and whether the reader is in it. A room that is gone disappears. */
  async loadRoom(id: RoomId): Promise<void> {
    try {
      await this.load<Room>(roomPath(id), (room) => [{ type: "room", room }]);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) this.store.dispatch({ type: "room_gone", room_id: id });
      else throw error;
    }
  }

  /** Makes a room the one in front of the reader. */
  open(id: RoomId): void {
    this.#open = id;
    void this.history.open(id);
  }

  leaveView(id: RoomId): void {
    if (this.#open === id) this.#open = undefined;
    this.store.dispatch({ type: "leave_view", room_id: id });
  }

  /** Shows a message at once and sends it as soon as there is a connection. */
  send(room: RoomId, content: string, parent: string | null = null): void {
    const pending: Pending = {
      client_id: newClientId(),
      room_id: room,
      content: content.trim(),
      parent_id: parent,
      created_at: new Date().toISOString(),
      state: "queued",
    };
    this.store.dispatch({ type: "queue", pending });
    this.typing(room, false);
    this.#send(pending);
  }

  /** Sends a failed message again, under its old id: if it was stored after all, nothing doubles. */
  retry(clientId: string): void {
    const pending = this.store.get().outbox.find((p) => p.client_id === clientId);
    if (pending) this.#send(pending);
  }

  discard(clientId: string): void {
    this.#forget(clientId);
    this.store.dispatch({ type: "discard", client_id: clientId });
  }

  /** Tells the room that the reader is writing, or has stopped. */
  typing(room: RoomId, isTyping: boolean): void {
    const now = Date.now();
    const toldHere = this.#typing.room === room;
    if (isTyping ? toldHere && now - this.#typing.at < typingEvery : !toldHere) return;
    this.#typing = isTyping ? { room, at: now } : { room: "", at: 0 };
    this.#socket.send({ type: "typing", room_id: room, is_typing: isTyping });
  }

  /** The reader is at this device. Who asked not to be disturbed stays undisturbed. */
  present(): void {
    const { me, presence } = this.store.get();
    if (presence[me.user_id] !== "dnd") this.#socket.send({ type: "presence", status: "online" });
  }

  /** The reader has seen everything up to seq. Told to the server at most once a second. */
  markRead(room: RoomId, seq: number): void {
    const w = this.store.get();
    const state = w.rooms[room];
    if (!state?.joined || !w.views[room]?.opened || w.link.status !== "live" || seq <= state.readTo || unreadIn(w, room).unread === 0) return;
    const span = w.timelines[room]?.find((s) => s.from <= seq && seq < s.from + s.messages.length);
    if (!span) return;
    this.#readWanted.set(room, span.messages[seq - span.from]!.id);
    this.store.dispatch({ type: "read", room_id: room, seq });
    this.#readTimer ??= setTimeout(() => this.#tellRead(), 0);
  }

  #tellRead(): void {
    if (this.#readWanted.size === 0) return void (this.#readTimer = undefined);
    for (const [room_id, message_id] of this.#readWanted) this.#socket.send({ type: "read", room_id, message_id });
    this.#readWanted.clear();
    this.#readTimer = setTimeout(() => this.#tellRead(), readEvery);
  }

  #standing(status: "connecting" | "down"): void {
    this.store.dispatch({ type: "link", status, now: Date.now() });
    if (status !== "down") return;
    for (const p of this.store.get().outbox) if (p.state === "sending") this.#queue(p.client_id);
  }

  #queue(clientId: string): void {
    this.#forget(clientId);
    this.store.dispatch({ type: "pending", client_id: clientId, state: "queued" });
  }

  #forget(clientId: string): void {
    clearTimeout(this.#timers.get(clientId));
    this.#timers.delete(clientId);
  }

  #send({ client_id, room_id, content, parent_id }: Pending): void {
    const frame = { type: "message" as const, room_id, content, client_id, ...(parent_id && { parent_id }) };
    const live = this.store.get().link.status === "live";
    if (!live || !this.#socket.send(frame)) return this.#queue(client_id);
    this.store.dispatch({ type: "pending", client_id, state: "sending" });
    this.#forget(client_id);
    this.#timers.set(client_id, setTimeout(() => {
      const reason = `Not sent: the server did not answer for ${sendPatience / 1000} s.`;
      this.store.dispatch({ type: "pending", client_id, state: "failed", reason });
    }, sendPatience));
  }

  #sendQueued(): void {
    for (const p of this.store.get().outbox) if (p.state === "queued") this.#send(p);
  }

  /** Applies an event of the socket and remembers it for answers that are still on their way. */
  #tell(event: WorkspaceEvent): void {
    this.#journal.push(event);
    this.#told++;
    if (this.#journal.length > 2 * journalLength) this.#journal = this.#journal.slice(-journalLength);
    this.store.dispatch(event);
  }

  #hear(frame: ServerFrame): void {
    switch (frame.type) {
      case "hello":
        return this.#hello(frame);
      case "live":
        this.#cursor = frame.cursor;
        return this.#live();
      case "resync":
        this.#cursor = this.#helloCursor;
        return void this.#resync();
      case "error":
        return this.#refused(frame);
      case "pong":
        return;
      case "ack":
        // The message itself comes in its place among the others; the tick need not wait for it.
        this.#forget(frame.client_id ?? "");
        return this.#tell(frame);
      case "typing_update":
        for (const user of frame.typing_users) this.meet(user);
        return this.#tell({ ...frame, at: Date.now() });
      case "unread_update": {
        const { type, room_id, unread, mentions } = frame;
        return this.#tell({ type, room_id, unread, mentions, seq: this.store.get().rooms[room_id]?.head_seq ?? 0 });
      }
      case "message":
      case "message_updated":
      case "message_deleted":
        this.#forget(frame.message.client_id ?? "");
        this.#tell({ ...frame, message: keep(frame.message) });
        break;
      default:
        this.#tell(frame);
    }
    // During a replay the place to resume from is still the old one.
    if ("cursor" in frame && this.store.get().link.status === "live") this.#cursor = frame.cursor;
    this.#lookInto(frame);
  }

  /** What a frame does not say and the reader needs: the room as this person sees it. */
  #lookInto(frame: ServerFrame): void {
    const me = this.store.get().me.user_id;
    const known = (room: RoomId) => this.store.get().rooms[room] !== undefined;
    switch (frame.type) {
      case "message":
        if (!known(frame.message.room_id)) void this.loadRoom(frame.message.room_id).catch(() => undefined);
        return;
      case "room_created":
        return void this.loadRoom(frame.room_id).catch(() => undefined);
      case "user_joined":
      case "user_left":
        if (frame.user_id === me || frame.room_id === this.#open) this.#refreshRoom(frame.room_id);
    }
  }

  /** Learns the name of somebody who has not been seen before. */
  meet(user: UserId): void {
    if (nameOf(this.store.get(), user) !== undefined) return;
    this.once(`user ${user}`, () => this.load<{ user: User }>(`/api/users/${user}`, (answer) => [{ type: "users", users: [answer.user] }]));
  }

  /** Loads a room anew soon; many comings and goings are one question. */
  #refreshRoom(id: RoomId): void {
    const key = `room ${id}`;
    if (this.#timers.has(key)) return;
    this.#timers.set(key, setTimeout(() => {
      this.#timers.delete(key);
      void this.loadRoom(id).catch(() => undefined);
    }, 300));
  }

  #hello(frame: Extract<ServerFrame, { type: "hello" }>): void {
    this.#helloCursor = frame.cursor;
    if (this.#cursor !== undefined) {
      // A replay follows, and then live. It may be silent of rooms that were deleted meanwhile.
      for (const room of Object.values(this.store.get().rooms)) {
        if (room.joined && !(room.id in frame.rooms)) this.#refreshRoom(room.id);
      }
      return this.store.dispatch({ type: "heads", rooms: frame.rooms });
    }
    this.#cursor = frame.cursor;
    this.#live();
    void this.#loadAll();
  }

  #live(): void {
    if (this.store.get().link.status === "live") return;
    this.store.dispatch({ type: "link", status: "live", now: Date.now() });
    this.#sendQueued();
    if (this.#open) void this.history.open(this.#open);
  }

  async #loadAll(): Promise<void> {
    try {
      await this.loadRooms();
      if (this.#open) await this.history.open(this.#open);
    } catch {
      // The socket notices a lost server by itself; without the rooms it must begin anew.
      if (!this.store.get().loaded) this.#timers.set("rooms", setTimeout(() => void this.#loadAll(), 2_000));
    }
  }

  /** Too much was missed to tell it one by one. */
  async #resync(): Promise<void> {
    try {
      await this.loadRooms();
      await this.history.afresh(this.#open);
    } catch {
      this.store.dispatch({ type: "afresh" });
    }
    this.#live();
  }

  #refused(frame: Extract<ServerFrame, { type: "error" }>): void {
    const id = frame.client_id;
    if (!id) return;
    this.#forget(id);
    if (frame.retry_after === undefined) {
      this.store.dispatch({ type: "pending", client_id: id, state: "failed", reason: refusalInWords(frame) });
      return;
    }
    // Over a limit: it waits its turn.
    this.store.dispatch({ type: "pending", client_id: id, state: "queued" });
    this.#timers.set(id, setTimeout(() => this.retry(id), frame.retry_after * 1000));
  }

  /** The loaded message with this id, or what is known of it otherwise; asks for it once when unknown. */
  quote(room: RoomId, id: string): void {
    if (find(this.store.get().timelines[room] ?? [], id)) return;
    this.once(`message ${id}`, () => this.history.quote(id));
  }
}
