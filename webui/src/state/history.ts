import { inWords } from "../api/http.ts";
import { counts, keep, type MessageId, type RoomId, type Unread, type WireMessage } from "../api/wire.ts";
import type { WorkspaceEvent } from "./reduce.ts";
import { unreadIn, visibleSpan } from "./select.ts";
import type { Store } from "./store.ts";
import { eachAfter, endOf, find, lastSpan, spanAt } from "./timeline.ts";
import type { UnreadLine, Workspace } from "./workspace.ts";

/** What the history needs of the client: to ask, and to apply the answer in order with what the socket told meanwhile. */
export interface Loader {
  load<T>(path: string, toEvents: (answer: T) => readonly WorkspaceEvent[]): Promise<T>;
}

const firstPage = 60;
const nextPage = 100;
/** Messages of one room kept while reading through it; past this the far end is forgotten. */
const longest = 3_000;

/** Loads the pages of rooms: the newest, those before and after what is on screen, those around one message. */
export class History {
  readonly #loading = new Set<string>();

  constructor(
    readonly store: Store,
    readonly loader: Loader,
  ) {}

  /** Makes the newest page of a room present and settles where its unread line stands. */
  async open(room: RoomId): Promise<void> {
    await this.#once(`open ${room}`, room, async () => {
      if (!this.store.get().rooms[room]) return;
      await this.#settleLine(room);
      const state = this.store.get().rooms[room];
      const last = lastSpan(this.store.get().timelines[room] ?? []);
      const complete = state && last && endOf(last) >= state.head_seq;
      if (!state || state.head_seq === 0) return;
      if (!complete) await this.#page(room, `limit=${firstPage}`);
      else if (last.from > 1 && last.messages.length < firstPage) await this.#page(room, `limit=${firstPage}&before=${last.messages[0]!.id}`);
    });
  }

  /** Loads what was said before the messages on screen. at: the seq in front of the reader. */
  async older(room: RoomId, at: number): Promise<void> {
    const span = visibleSpan(this.store.get(), room);
    if (!span || span.from === 1) return;
    await this.#once(`older ${room}`, room, async () => {
      await this.#page(room, `limit=${nextPage}&before=${span.messages[0]!.id}`);
      this.#shorten(room, at);
    });
  }

  /** Loads what was said after the messages on screen, when they are not the newest. */
  async newer(room: RoomId, at: number): Promise<void> {
    const span = visibleSpan(this.store.get(), room);
    if (!span || endOf(span) >= (this.store.get().rooms[room]?.head_seq ?? 0)) return;
    await this.#once(`newer ${room}`, room, async () => {
      this.store.dispatch({ type: "view", room_id: room, view: { anchor: at } });
      await this.#page(room, `limit=${nextPage}&after=${span.messages[span.messages.length - 1]!.id}`);
      this.#shorten(room, at);
    });
  }

  /** Brings a message before the reader, with what was said around it. Undefined: it is not there. */
  async around(room: RoomId, id: MessageId): Promise<number | undefined> {
    if (!find(this.store.get().timelines[room] ?? [], id)) {
      await this.#once(`around ${id}`, room, () => this.#page(room, `limit=${firstPage}&around=${id}`));
    }
    const seq = find(this.store.get().timelines[room] ?? [], id)?.seq;
    if (seq !== undefined) this.store.dispatch({ type: "view", room_id: room, view: { anchor: seq } });
    return seq;
  }

  /** Goes back to the newest messages. */
  async latest(room: RoomId): Promise<void> {
    await this.open(room);
    this.store.dispatch({ type: "view", room_id: room, view: { anchor: undefined } });
  }

  /** Replaces everything loaded by one new page of the room in front of the reader. */
  async afresh(room: RoomId | undefined): Promise<void> {
    if (!room) return this.store.dispatch({ type: "afresh" });
    const anchor = this.store.get().views[room]?.anchor;
    const at = anchor === undefined ? undefined : spanAt(this.store.get().timelines[room] ?? [], anchor);
    const id = at?.messages[anchor! - at.from]?.id;
    await this.loader.load<WireMessage[]>(pagePath(room, `limit=${nextPage}${id ? `&around=${id}` : ""}`), (messages) => [
      { type: "afresh", room_id: room, messages: messages.map(keep) },
    ]);
  }

  /** Loads a message that an answer quotes. One that is gone is remembered as gone. */
  async quote(id: MessageId): Promise<void> {
    await this.loader.load<WireMessage>(`/api/messages/${id}`, (m) => [{ type: "quoted", id, message: keep(m) }]).catch((error: unknown) => {
      this.store.dispatch({ type: "quoted", id, message: null });
      throw error;
    });
  }

  /** Draws the unread line before what came while the reader looked elsewhere. */
  settleLocalLine(room: RoomId): void {
    const line = localLine(this.store.get(), room);
    if (line) this.store.dispatch({ type: "view", room_id: room, view: { line } });
  }

  async #settleLine(room: RoomId): Promise<void> {
    const w = this.store.get();
    if (w.views[room]?.opened) return;
    const count = unreadIn(w, room).unread;
    const line = count === 0 ? undefined : (localLine(w, room) ?? (await this.#askLine(room)));
    this.store.dispatch({ type: "view", room_id: room, view: { line, opened: true } });
  }

  async #askLine(room: RoomId): Promise<UnreadLine | undefined> {
    const answer = await this.loader.load<Unread>("/api/messages/unread/me", () => []);
    const here = answer.rooms[room];
    if (!here?.first_unread_id) return undefined;
    const id = here.first_unread_id;
    const first =
      find(this.store.get().timelines[room] ?? [], id) ?? (await this.loader.load<WireMessage>(`/api/messages/${id}`, () => []));
    return { seq: first.seq, id, count: here.unread, since: first.created_at };
  }

  async #page(room: RoomId, query: string): Promise<void> {
    await this.loader.load<WireMessage[]>(pagePath(room, query), (messages) => [
      { type: "page", room_id: room, messages: messages.map(keep) },
    ]);
  }

  /** Forgets the end of a long span that is farther from the reader. */
  #shorten(room: RoomId, at: number): void {
    const span = spanAt(this.store.get().timelines[room] ?? [], at);
    if (!span || span.messages.length <= longest) return;
    const from = Math.max(span.from, at - longest / 2);
    this.store.dispatch({ type: "view", room_id: room, view: { anchor: at } });
    this.store.dispatch({ type: "trim", room_id: room, from, to: from + longest });
  }

  /** Does one kind of loading at a time; a failure stands in the view, in words. */
  async #once(key: string, room: RoomId, load: () => Promise<void>): Promise<void> {
    if (this.#loading.has(key)) return;
    this.#loading.add(key);
    try {
      await load();
      if (this.store.get().views[room]?.problem) this.store.dispatch({ type: "view", room_id: room, view: { problem: undefined } });
    } catch (error) {
      this.store.dispatch({ type: "view", room_id: room, view: { problem: inWords(error) } });
    } finally {
      this.#loading.delete(key);
    }
  }
}

function pagePath(room: RoomId, query: string): string {
  return `/api/messages/room/${encodeURIComponent(room)}?${query}`;
}

/** The unread line where everything unread is loaded. */
function localLine(w: Workspace, room: RoomId): UnreadLine | undefined {
  const state = w.rooms[room];
  if (!state || (state.base.unread > 0 && state.readTo < state.base.seq)) return undefined;
  let first: WireMessage | undefined;
  eachAfter(w.timelines[room] ?? [], Math.max(state.base.seq, state.readTo), (m) => {
    if (counts(m, w.me.user_id)) first ??= m;
  });
  return first && { seq: first.seq, id: first.id, count: unreadIn(w, room).unread, since: first.created_at };
}
