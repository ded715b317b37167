import { counts, names, type RoomId, type UserId, type WireMessage } from "../api/wire.ts";
import { eachAfter, lastSpan, spanAt, type Span } from "./timeline.ts";
import type { RoomState, Workspace } from "./workspace.ts";

/** How much waits in a room, and how much of it names the reader. */
export interface UnreadCount {
  readonly unread: number;
  readonly mentions: number;
}

/**
 * Unread is derived, never counted up: what the server said at a known place of the room,
 * plus the messages loaded after it. So no repetition of an event can count twice.
 */
export function unreadIn(w: Workspace, id: RoomId): UnreadCount {
  const room = w.rooms[id];
  if (!room) return { unread: 0, mentions: 0 };
  const { base, readTo } = room;
  let { unread, mentions } = readTo >= base.seq ? { unread: 0, mentions: 0 } : base;
  eachAfter(w.timelines[id] ?? [], Math.max(base.seq, readTo), (m) => {
    if (counts(m, w.me.user_id)) unread++;
    if (names(m, w.me.user_id)) mentions++;
  });
  return { unread, mentions };
}

/** What needs the reader in a room: mentions, and every message of a direct room. */
export function needsIn(w: Workspace, room: RoomState): number {
  const { unread, mentions } = unreadIn(w, room.id);
  return room.kind === "dm" ? unread : mentions;
}

/** What needs the reader anywhere: the number in the title. */
export function needsAnywhere(w: Workspace): number {
  return Object.values(w.rooms).reduce((sum, r) => (r.joined ? sum + needsIn(w, r) : sum), 0);
}

/** Rooms, by name; direct ones with the latest word first. */
export function roomLists(w: Workspace): { rooms: RoomState[]; direct: RoomState[]; open: RoomState[] } {
  const all = Object.values(w.rooms);
  const byName = (a: RoomState, b: RoomState) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
  const byTime = (a: RoomState, b: RoomState) => (b.last_message_at ?? b.created_at).localeCompare(a.last_message_at ?? a.created_at);
  return {
    rooms: all.filter((r) => r.joined && r.kind === "room").sort(byName),
    direct: all.filter((r) => r.joined && r.kind === "dm").sort(byTime),
    open: all.filter((r) => !r.joined && r.kind === "room").sort(byName),
  };
}

/** The messages in front of the reader: those around the anchor, or the newest. */
export function visibleSpan(w: Workspace, id: RoomId): Span | undefined {
  const timeline = w.timelines[id] ?? [];
  const anchor = w.views[id]?.anchor;
  return (anchor === undefined ? undefined : spanAt(timeline, anchor)) ?? lastSpan(timeline);
}

/** A person's present name, where it is known. */
export function nameOf(w: Workspace, id: UserId): string | undefined {
  return w.users[id]?.username ?? w.names[id];
}

/** How a room is called in a sentence: #name, or the names of the people in a direct one. */
export function titleOf(room: { kind: string; name: string }): string {
  return room.kind === "dm" ? room.name : `#${room.name}`;
}

/** The reader's newest message in a room that can still be changed. */
export function lastOwn(w: Workspace, id: RoomId): WireMessage | undefined {
  return lastSpan(w.timelines[id] ?? [])?.messages.findLast((m) => m.user_id === w.me.user_id && m.message_type !== "system" && !m.deleted);
}

/** Who spoke last in a span, latest first, at most n people. */
export function lastSpeakers(span: Span | undefined, n: number): { id: UserId; name: string }[] {
  const people = new Map<UserId, string>();
  const messages = span?.messages ?? [];
  for (let i = messages.length - 1; i >= 0 && people.size < n && i >= messages.length - 200; i--) {
    const m = messages[i]!;
    if (m.message_type !== "system" && !people.has(m.user_id)) people.set(m.user_id, m.username);
  }
  return [...people].map(([person, name]) => ({ id: person, name }));
}
