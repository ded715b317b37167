import type { MessageId, Reactions, RoomId, ServerFrame, UserId, WireMessage, WireRoom, WireUser, WorkspaceInfo } from "../api/wire.ts";
import { unreadIn } from "./select.ts";
import { change, cut, merge, type Timeline } from "./timeline.ts";
import type { Link, Pending, RoomState, View, Workspace } from "./workspace.ts";

type Frame<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

/** Everything that can happen: frames of the socket, answers of the server, and deeds of the reader. */
export type WorkspaceEvent =
  | Frame<"message" | "message_updated" | "message_deleted" | "ack">
  | Frame<"reaction_added" | "reaction_removed" | "read_receipt" | "presence_change">
  | Frame<"user_joined" | "user_left" | "user_updated" | "room_created" | "room_updated" | "room_deleted">
  /** at: when it came. */
  | (Frame<"typing_update"> & { at: number })
  /** seq: the room's head when it came, so that applying it again later counts nothing twice. */
  | (Omit<Frame<"unread_update">, "last_read_id" | "first_unread_id"> & { seq: number })
  | { type: "link"; status: Link["status"]; now: number }
  | { type: "info"; info: WorkspaceInfo }
  | { type: "self"; me: WireUser }
  | { type: "rooms"; rooms: readonly WireRoom[] }
  | { type: "room"; room: WireRoom }
  | { type: "room_gone" | "left"; room_id: RoomId }
  | { type: "reacted"; room_id: RoomId; message_id: MessageId; reactions: Reactions }
  | { type: "heads"; rooms: { [id: RoomId]: { head_seq: number; unread: number; mentions: number } } }
  | { type: "users"; users: readonly WireUser[] }
  | { type: "peers"; room_id: RoomId; users: readonly UserId[] }
  | { type: "quoted"; id: MessageId; message: WireMessage | null }
  /** Consecutive messages from the history. */
  | { type: "page"; room_id: RoomId; messages: readonly WireMessage[] }
  /** What is loaded may be out of date: only the page that comes with it stays. */
  | { type: "afresh"; room_id?: RoomId; messages?: readonly WireMessage[] }
  | { type: "view"; room_id: RoomId; view: Partial<View> }
  | { type: "leave_view"; room_id: RoomId }
  | { type: "trim"; room_id: RoomId; from: number; to: number }
  | { type: "read"; room_id: RoomId; seq: number }
  | { type: "queue"; pending: Pending }
  | { type: "pending"; client_id: string; state: Pending["state"]; reason?: string }
  | { type: "discard"; client_id: string };

/** How many of the newest messages stay in memory for a room that is not open. */
const keptWhenClosed = 200;

/** Applies one event. Events repeat after a reconnect, so twice must equal once. */
export function reduce(w: Workspace, e: WorkspaceEvent): Workspace {
  switch (e.type) {
    case "message":
      return arrived(withMessages(w, e.message.room_id, [e.message]), e.message);
    case "message_updated":
    case "message_deleted":
      return withMessages(w, e.message.room_id, [e.message]);
    case "ack":
      return pendingState(w, e.client_id ?? "", "stored");
    case "reaction_added":
    case "reaction_removed":
    case "reacted":
      return inTimeline(w, e.room_id, (t) => change(t, e.message_id, (m) => ({ ...m, reactions: e.reactions })));
    case "read_receipt":
      return e.user_id === w.me.user_id ? readTo(w, e.room_id, e.seq) : w;
    case "read":
      return readTo(w, e.room_id, e.seq);
    case "unread_update":
      return inRoom(w, e.room_id, (r) => ({ ...r, base: { seq: e.seq, unread: e.unread, mentions: e.mentions }, readTo: 0 }));
    case "presence_change":
      return { ...withName(w, e.user_id, e.username), presence: { ...w.presence, [e.user_id]: e.status } };
    case "typing_update":
      return { ...w, typing: { ...w.typing, [e.room_id]: { users: e.typing_users, at: e.at } } };
    case "user_joined":
      return e.user_id === w.me.user_id ? inRoom(w, e.room_id, (r) => ({ ...r, joined: true })) : withName(w, e.user_id, e.username);
    case "user_left":
      return e.user_id === w.me.user_id ? left(w, e.room_id) : w;
    case "left":
      return left(w, e.room_id);
    case "user_updated":
      return withUsers(w, [e.user]);
    case "room_created":
    case "room_updated":
    case "room":
      return withRoom(w, e.room);
    case "room_deleted":
    case "room_gone":
      return withoutRoom(w, e.room_id);
    case "link":
      return { ...w, link: { status: e.status, since: w.link.status === "live" || e.status === "live" ? e.now : w.link.since } };
    case "info":
      return { ...w, info: e.info };
    case "self":
      return withUsers({ ...w, me: e.me }, [e.me]);
    case "rooms":
      return withRooms(w, e.rooms);
    case "heads":
      return Object.entries(e.rooms).reduce((all, [id, h]) => inRoom(all, id, (r) => headed(r, h)), w);
    case "users":
      return withUsers(w, e.users);
    case "peers":
      return { ...w, peers: { ...w.peers, [e.room_id]: e.users } };
    case "quoted":
      return { ...w, quoted: { ...w.quoted, [e.id]: e.message } };
    case "page":
      return withMessages(w, e.room_id, e.messages);
    case "afresh":
      return afresh(w, e.room_id, e.messages ?? []);
    case "view":
      return { ...w, views: { ...w.views, [e.room_id]: { ...w.views[e.room_id], ...e.view } } };
    case "leave_view":
      return leaveView(w, e.room_id);
    case "trim":
      return trim(w, e.room_id, e.from, e.to);
    case "queue":
      return w.outbox.some((p) => p.client_id === e.pending.client_id) ? w : { ...w, outbox: [...w.outbox, e.pending] };
    case "pending":
      return pendingState(w, e.client_id, e.state, e.reason);
    case "discard":
      return { ...w, outbox: w.outbox.filter((p) => p.client_id !== e.client_id) };
  }
}

function inRoom(w: Workspace, id: RoomId, edit: (r: RoomState) => RoomState): Workspace {
  const room = w.rooms[id];
  return room ? { ...w, rooms: { ...w.rooms, [id]: edit(room) } } : w;
}

function inTimeline(w: Workspace, id: RoomId, edit: (t: Timeline) => Timeline): Workspace {
  const before = w.timelines[id] ?? [];
  const after = edit(before);
  return after === before ? w : { ...w, timelines: { ...w.timelines, [id]: after } };
}

/** Adds messages to a room's timeline and takes them out of the outbox. */
function withMessages(w: Workspace, id: RoomId, messages: readonly WireMessage[]): Workspace {
  if (messages.length === 0) return w;
  const mine = new Set(messages.filter((m) => m.user_id === w.me.user_id).map((m) => m.client_id));
  const outbox = w.outbox.some((p) => mine.has(p.client_id)) ? w.outbox.filter((p) => !mine.has(p.client_id)) : w.outbox;
  const head = Math.max(...messages.map((m) => m.seq));
  const named = messages.reduce((all, m) => withName(all, m.user_id, m.username), w);
  return inRoom(
    inTimeline({ ...named, outbox }, id, (t) => merge(t, messages)),
    id,
    (r) => (head > r.head_seq ? { ...r, head_seq: head } : r),
  );
}

/** What else a new message says: when the room last spoke, and that its author has stopped typing. */
function arrived(w: Workspace, m: WireMessage): Workspace {
  const typing = w.typing[m.room_id];
  const next = inRoom(w, m.room_id, (r) =>
    (r.last_message_at ?? "") < m.created_at ? { ...r, last_message_at: m.created_at } : r,
  );
  if (!typing?.users.includes(m.user_id)) return next;
  const users = typing.users.filter((u) => u !== m.user_id);
  return { ...next, typing: { ...next.typing, [m.room_id]: { ...typing, users } } };
}

function readTo(w: Workspace, id: RoomId, seq: number): Workspace {
  return inRoom(w, id, (r) => (seq > r.readTo ? { ...r, readTo: seq } : r));
}

function headed(r: RoomState, h: { head_seq: number; unread: number; mentions: number }): RoomState {
  return {
    ...r,
    head_seq: Math.max(r.head_seq, h.head_seq),
    base: { seq: h.head_seq, unread: h.unread, mentions: h.mentions },
    // A read mark may have been lost with the connection; what the server counts is true.
    readTo: 0,
  };
}

/** Frames that a whole audience shares say nothing of one viewer: what is known of the viewer stays. */
function roomState(w: Workspace, room: WireRoom): RoomState {
  const known = w.rooms[room.id];
  const personal = room.is_private || room.kind === "dm" || room.creator_id === w.me.user_id;
  const told = room.unread_count !== undefined;
  return {
    ...room,
    name: room.kind === "dm" && known && !told ? known.name : room.name,
    joined: room.joined ?? known?.joined ?? personal,
    head_seq: Math.max(room.head_seq, known?.head_seq ?? 0),
    base: told
      ? { seq: room.head_seq, unread: room.unread_count ?? 0, mentions: room.mention_count ?? 0 }
      : (known?.base ?? { seq: room.head_seq, unread: 0, mentions: 0 }),
    readTo: known?.readTo ?? 0,
  };
}

function withRoom(w: Workspace, room: WireRoom): Workspace {
  const state = roomState(w, room);
  if (state.is_private && !state.joined) return withoutRoom(w, room.id);
  return { ...w, rooms: { ...w.rooms, [room.id]: state } };
}

function withRooms(w: Workspace, rooms: readonly WireRoom[]): Workspace {
  const listed = Object.fromEntries(rooms.map((r) => [r.id, roomState(w, r)]));
  const timelines = Object.fromEntries(Object.entries(w.timelines).filter(([id]) => listed[id]));
  return { ...w, loaded: true, rooms: listed, timelines };
}

function withoutRoom(w: Workspace, id: RoomId): Workspace {
  const { [id]: _room, ...rooms } = w.rooms;
  const { [id]: _timeline, ...timelines } = w.timelines;
  return { ...w, rooms, timelines, outbox: w.outbox.filter((p) => p.room_id !== id) };
}

/** A public room stays readable after leaving; a private or direct one is gone. */
function left(w: Workspace, id: RoomId): Workspace {
  const room = w.rooms[id];
  if (!room) return w;
  if (room.is_private || room.kind === "dm") return withoutRoom(w, id);
  return inRoom(w, id, (r) => ({ ...r, joined: false, base: { seq: r.head_seq, unread: 0, mentions: 0 } }));
}

function withUsers(w: Workspace, users: readonly WireUser[]): Workspace {
  if (users.length === 0) return w;
  const me = users.find((u) => u.user_id === w.me.user_id);
  return {
    ...w,
    me: me ? { ...w.me, ...me } : w.me,
    users: { ...w.users, ...Object.fromEntries(users.map((u) => [u.user_id, u])) },
    presence: { ...w.presence, ...Object.fromEntries(users.map((u) => [u.user_id, u.presence])) },
  };
}

function withName(w: Workspace, id: UserId, name: string): Workspace {
  return w.names[id] === name ? w : { ...w, names: { ...w.names, [id]: name } };
}

function afresh(w: Workspace, id: RoomId | undefined, messages: readonly WireMessage[]): Workspace {
  const fresh = { ...w, timelines: {}, quoted: {} };
  return id ? withMessages(fresh, id, messages) : fresh;
}

/** Forgets all but the newest messages of a room nobody looks at, and what the reader had in front of them. */
function leaveView(w: Workspace, id: RoomId): Workspace {
  const { [id]: _view, ...views } = w.views;
  const span = w.timelines[id]?.at(-1);
  if (!span) return { ...w, views };
  const end = span.from + span.messages.length - 1;
  return trim({ ...w, views }, id, Math.max(span.from, end - keptWhenClosed + 1), end);
}

/** Forgets messages outside from..to. Those that counted as unread go on counting. */
function trim(w: Workspace, id: RoomId, from: number, to: number): Workspace {
  const counted = unreadIn(w, id);
  return inRoom(
    inTimeline(w, id, (t) => cut(t, from, to)),
    id,
    (r) => ({ ...r, base: { seq: r.head_seq, ...counted }, readTo: counted.unread === 0 ? r.head_seq : 0 }),
  );
}

function pendingState(w: Workspace, clientId: string, state: Pending["state"], reason?: string): Workspace {
  if (!w.outbox.some((p) => p.client_id === clientId)) return w;
  return { ...w, outbox: w.outbox.map((p) => (p.client_id === clientId ? { ...p, state, reason } : p)) };
}
