import { describe, expect, test } from "vitest";
import type { WireMessage, WireRoom, WireUser } from "../api/wire.ts";
import { reduce, type WorkspaceEvent } from "./reduce.ts";
import { needsAnywhere, unreadIn, visibleSpan } from "./select.ts";
import { emptyWorkspace, type Workspace } from "./workspace.ts";

const me: WireUser = person(1, "ann");
const room = "r1";

function person(id: number, username: string): WireUser {
  return {
    id: String(id).padStart(24, "0"),
    user_id: id,
    username,
    firstName: "",
    lastName: "",
    avatar: "",
    emailVerified: true,
    isActive: true,
    role: "member",
    presence: "online",
    profile: { display_name: "", avatar_url: "", bio: "" },
    created_at: "2026-11-23T08:00:00.000Z",
    updated_at: "2026-11-23T08:00:00.000Z",
    lastLogin: null,
  };
}

function message(seq: number, change: Partial<WireMessage> = {}): WireMessage {
  return {
    id: `m${seq}`,
    seq,
    room_id: room,
    user_id: 2,
    username: "bob",
    content: `message ${seq}`,
    message_type: "text",
    parent_id: null,
    root_id: null,
    created_at: `2026-11-23T08:00:00.${String(seq).padStart(3, "0")}Z`,
    edited_at: null,
    deleted: false,
    reactions: {},
    reply_count: 0,
    attachments: [],
    mentions: [],
    mention_room: false,
    client_id: null,
    ...change,
  };
}

function wireRoom(change: Partial<WireRoom> = {}): WireRoom {
  return {
    id: room,
    name: "ubuntu",
    description: "",
    creator_id: 2,
    is_private: false,
    created_at: "2026-11-23T08:00:00.000Z",
    member_count: 2,
    online_members: 1,
    kind: "room",
    last_message_at: null,
    head_seq: 0,
    unread_count: 0,
    mention_count: 0,
    joined: true,
    ...change,
  };
}

function said(seq: number, change: Partial<WireMessage> = {}): WorkspaceEvent {
  return { type: "message", message: message(seq, change), cursor: `c${seq}` };
}

function after(...events: WorkspaceEvent[]): Workspace {
  const start = reduce(emptyWorkspace(me, 0), { type: "rooms", rooms: [wireRoom()] });
  return events.reduce(reduce, start);
}

/** A small seeded generator, so that a failure can be repeated. */
function chance(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** A history of messages with their later states, as every event and every page that can tell of it. */
function eventsOf(random: () => number, length: number): WorkspaceEvent[] {
  const last: WireMessage[] = [];
  const events: WorkspaceEvent[] = [];
  for (let seq = 1; seq <= length; seq++) {
    const own = random() < 0.2;
    const first = message(seq, { user_id: own ? 1 : 2 + Math.floor(random() * 3), client_id: own ? `k${seq}` : null, mentions: random() < 0.2 ? [1] : [] });
    last[seq] = first;
    events.push({ type: "message", message: first, cursor: "" });
    if (random() < 0.3) {
      last[seq] = { ...first, content: "changed", edited_at: `2026-11-23T09:00:00.${String(seq).padStart(3, "0")}Z` };
      events.push({ type: "message_updated", message: last[seq]!, cursor: "" });
    }
    if (random() < 0.15) {
      last[seq] = { ...last[seq]!, content: "", deleted: true, mentions: [] };
      events.push({ type: "message_deleted", message: last[seq]!, cursor: "" });
    }
  }
  for (let i = 0; i < length / 5; i++) {
    const from = 1 + Math.floor(random() * length);
    events.push({ type: "page", room_id: room, messages: last.slice(from, from + 20) });
  }
  events.push({ type: "read", room_id: room, seq: Math.floor(random() * length) });
  events.push({ type: "user_updated", user: person(2, "robert"), user_id: 2, cursor: "" });
  events.push({ type: "queue", pending: { client_id: "never-sent", room_id: room, content: "waits", parent_id: null, created_at: "", state: "queued" } });
  return events;
}

describe("reduce", () => {
  test.each(Array.from({ length: 60 }, (_, i) => i + 1))("any order and repetition of events and pages gives the same state (seed %i)", (seed) => {
    const random = chance(seed);
    const events = eventsOf(random, 40);
    const once = after(...events);
    const repeated = shuffled([...events, ...events.filter(() => random() < 0.5), ...events.filter(() => random() < 0.3)], random);
    const { timelines, rooms, users, outbox } = after(...repeated);
    expect({ timelines, rooms, users, outbox }).toEqual({ timelines: once.timelines, rooms: once.rooms, users: once.users, outbox: once.outbox });
    expect(unreadIn(after(...repeated), room)).toEqual(unreadIn(once, room));
    expect(timelines[room]).toHaveLength(1);
  });

  test("twice equals once, for every kind of event", () => {
    const events: WorkspaceEvent[] = [
      said(1),
      { type: "reaction_added", room_id: room, message_id: "m1", reaction: "👍", user_id: 2, reactions: { "👍": [2] }, cursor: "" },
      { type: "unread_update", room_id: room, unread: 3, mentions: 1, seq: 1 },
      said(2, { mentions: [1] }),
      { type: "typing_update", room_id: room, typing_users: [2], timestamp: "", at: 5 },
      { type: "presence_change", user_id: 2, username: "bob", status: "away", timestamp: "" },
      { type: "room_updated", room: wireRoom({ name: "kubuntu", unread_count: undefined, mention_count: undefined, joined: undefined }), room_id: room, cursor: "" },
      { type: "user_joined", room_id: room, user_id: 1, username: "ann", timestamp: "", cursor: "" },
      { type: "heads", rooms: { [room]: { head_seq: 2, unread: 2, mentions: 1 } } },
      { type: "view", room_id: room, view: { anchor: 1 } },
    ];
    const twice = events.flatMap((e) => [e, e]);
    expect(after(...twice)).toEqual(after(...events));
    for (const e of events) {
      const before = after(...events);
      const again = reduce(before, e);
      expect(reduce(again, e)).toEqual(again);
    }
  });

  test("a missing seq is a gap until its page comes", () => {
    const gap = after(said(1), said(2), said(5));
    expect(gap.timelines[room]!.map((s) => [s.from, s.messages.length])).toEqual([
      [1, 2],
      [5, 1],
    ]);
    const filled = reduce(gap, { type: "page", room_id: room, messages: [message(3), message(4)] });
    expect(filled.timelines[room]!.map((s) => [s.from, s.messages.length])).toEqual([[1, 5]]);
  });

  test("a page older than what the socket told does not undo an edit or a deletion", () => {
    const edited = message(1, { content: "better", edited_at: "2026-11-23T09:00:00.000Z" });
    const w = after({ type: "message_updated", message: edited, cursor: "" }, { type: "page", room_id: room, messages: [message(1)] });
    expect(w.timelines[room]![0]!.messages[0]!.content).toBe("better");
    const gone = after({ type: "message_deleted", message: message(1, { deleted: true, content: "" }), cursor: "" }, said(1));
    expect(gone.timelines[room]![0]!.messages[0]!.deleted).toBe(true);
  });

  test("an own message leaves the outbox when the room has it, whichever word comes first", () => {
    const queue: WorkspaceEvent = {
      type: "queue",
      pending: { client_id: "k", room_id: room, content: "hi", parent_id: null, created_at: "", state: "sending" },
    };
    const stored = message(1, { user_id: 1, client_id: "k" });
    const ack: WorkspaceEvent = { type: "ack", client_id: "k", message: stored, cursor: "" };
    const told: WorkspaceEvent = { type: "message", message: stored, cursor: "" };
    expect(after(queue, ack).outbox).toMatchObject([{ state: "stored" }]);
    expect(after(queue, ack, told).outbox).toEqual([]);
    expect(after(queue, told, ack).outbox).toEqual([]);
    expect(after(queue, { type: "page", room_id: room, messages: [stored] }).outbox).toEqual([]);
    const foreign = message(1, { user_id: 2, client_id: "k" });
    expect(after(queue, { type: "message", message: foreign, cursor: "" }).outbox).toHaveLength(1);
  });
});

describe("unread", () => {
  test("counts what others said since, not own words, system lines or deleted ones", () => {
    const w = after(said(1), said(2, { user_id: 1 }), said(3, { message_type: "system" }), said(4, { deleted: true }), said(5, { mentions: [1] }));
    expect(unreadIn(w, room)).toEqual({ unread: 2, mentions: 1 });
    expect(needsAnywhere(w)).toBe(1);
  });

  test("goes on from what the server said at a place of the room", () => {
    const start = after({ type: "room", room: wireRoom({ head_seq: 10, unread_count: 7, mention_count: 2 }) });
    expect(unreadIn(start, room)).toEqual({ unread: 7, mentions: 2 });
    expect(unreadIn([said(11), said(11), said(12)].reduce(reduce, start), room)).toEqual({ unread: 9, mentions: 2 });
    const read = reduce([said(11), said(12)].reduce(reduce, start), { type: "read", room_id: room, seq: 11 });
    expect(unreadIn(read, room)).toEqual({ unread: 1, mentions: 0 });
  });

  test("a message of a direct room needs the reader", () => {
    const w = reduce(after({ type: "room", room: wireRoom({ kind: "dm" }) }), said(1));
    expect(needsAnywhere(w)).toBe(1);
  });

  test("forgetting old messages of a room keeps its counts", () => {
    const many = Array.from({ length: 500 }, (_, i) => said(i + 1));
    const w = after(...many);
    const trimmed = reduce(w, { type: "leave_view", room_id: room });
    expect(unreadIn(trimmed, room)).toEqual(unreadIn(w, room));
    expect(trimmed.timelines[room]![0]!.messages).toHaveLength(200);
    expect(unreadIn(reduce(trimmed, said(501)), room).unread).toBe(501);
  });
});

describe("rooms", () => {
  test("a shared frame changes nothing that is the viewer's own", () => {
    const start = after({ type: "room", room: wireRoom({ head_seq: 4, unread_count: 2 }) });
    const shared = wireRoom({ name: "kubuntu", head_seq: 4 });
    delete shared.unread_count;
    delete shared.mention_count;
    delete shared.joined;
    const w = reduce(start, { type: "room_updated", room: shared, room_id: room, cursor: "" });
    expect(w.rooms[room]).toMatchObject({ name: "kubuntu", joined: true });
    expect(unreadIn(w, room).unread).toBe(2);
  });

  test("leaving a public room keeps it readable, leaving a private one takes it away", () => {
    expect(after(said(1), { type: "left", room_id: room }).rooms[room]).toMatchObject({ joined: false });
    const gone = after({ type: "room", room: wireRoom({ is_private: true }) }, said(1), { type: "left", room_id: room });
    expect(gone.rooms[room]).toBeUndefined();
    expect(gone.timelines[room]).toBeUndefined();
  });

  test("starting afresh keeps only the page that comes with it", () => {
    const w = after(said(1), said(2), { type: "afresh", room_id: room, messages: [message(90), message(91)] });
    expect(visibleSpan(w, room)).toMatchObject({ from: 90 });
    expect(w.timelines[room]).toHaveLength(1);
  });
});
