import { describe, expect, test } from "vitest";
import type { WireMessage } from "../../api/wire.ts";
import { foldedSentence, rowsOf } from "./rows.ts";

function message(seq: number, change: Partial<WireMessage> = {}): WireMessage {
  return {
    id: `m${seq}`,
    seq,
    room_id: "r",
    user_id: 2,
    username: "bob",
    content: `message ${seq}`,
    message_type: "text",
    parent_id: null,
    root_id: null,
    created_at: `2026-11-23T12:${String(seq).padStart(2, "0")}:00.000Z`,
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

function rows(messages: WireMessage[], change: Partial<Parameters<typeof rowsOf>[0]> = {}) {
  const span = messages.length > 0 ? { from: messages[0]!.seq, messages } : undefined;
  return rowsOf({ span, line: undefined, pending: [], me: 1, unfolded: new Set(), ...change });
}

const joined = { message_type: "system", content: "joined the room" } as const;

describe("the rows of a timeline", () => {
  test("one author within five minutes shares a head; another author, a pause or an answer starts anew", () => {
    const made = rows([message(10), message(11), message(12, { user_id: 3 }), message(20, { user_id: 3, seq: 13 }), message(14, { user_id: 3, created_at: "2026-11-23T12:21:00.000Z", parent_id: "m10" })]);
    expect(made.map((r) => r.kind === "message" && r.head)).toEqual([true, false, true, true, true]);
  });

  test("the first row of a day has its date; the first of a room says so", () => {
    const made = rows([message(1), message(2, { created_at: "2026-11-25T12:00:00.000Z" })]);
    expect(made.map((r) => [r.kind, r.day])).toEqual([
      ["start", undefined],
      ["message", "2026-11-23"],
      ["message", "2026-11-25"],
    ]);
  });

  test("three system lines fold into one row, two do not, and an opened fold stays open", () => {
    const three = [message(5, joined), message(6, joined), message(7, joined)];
    expect(rows(three.slice(0, 2))).toHaveLength(2);
    const [fold] = rows(three);
    expect(fold).toMatchObject({ kind: "system", key: "s7" });
    expect(rows(three, { unfolded: new Set(["s7"]) })).toHaveLength(3);
  });

  test("keys stay when older messages come above, and when an own message is stored", () => {
    const tail = [message(5), message(6, joined), message(7, joined), message(8, joined), message(9, { user_id: 1, client_id: "k" })];
    const before = rows(tail).map((r) => r.key);
    const after = rows([message(3), message(4), ...tail]).map((r) => r.key);
    expect(after.slice(-before.length)).toEqual(before);
    const pending = rows([message(5)], { pending: [{ client_id: "k", room_id: "r", content: "", parent_id: null, created_at: "2026-11-23T12:09:00.000Z", state: "sending" }] });
    expect(pending.at(-1)!.key).toBe(before.at(-1));
  });

  test("the unread line stands above its message and starts a new head", () => {
    const line = { seq: 6, id: "m6", count: 2, since: "2026-11-23T12:06:00.000Z" };
    const made = rows([message(5), message(6), message(7)], { line });
    expect(made[1]).toMatchObject({ line, head: true });
    expect(made[2]).toMatchObject({ head: false });
  });

  test("a fold says who came and who left", () => {
    const come = ["L0sT", "vassie", "spiv", "a", "b"].map((name) => ({ name, content: "joined the room" }));
    expect(foldedSentence(come)).toBe("L0sT, vassie, spiv and 2 others joined");
    expect(foldedSentence([...come.slice(0, 1), { name: "c", content: "left the room" }, { name: "d", content: "renamed the room to x" }])).toBe("L0sT joined; c left; 1 change");
  });
});
