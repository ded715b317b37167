import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Refused } from "../api/http.ts";
import { pause } from "../api/socket.ts";
import type { ClientFrame, Self, ServerFrame, WireMessage } from "../api/wire.ts";
import { Client } from "./client.ts";
import type { Shelf } from "./outbox.ts";

const me = { id: "0".repeat(24), user_id: 1, username: "ann", role: "member", presence: "online" } as Self;
const room = { id: "r", name: "ubuntu", kind: "room", joined: true, head_seq: 0, unread_count: 0, mention_count: 0, created_at: "" };

/** A socket whose other end is the test. */
class End {
  static all: End[] = [];
  readyState = 1;
  sent: ClientFrame[] = [];
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    End.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.readyState = 3;
  }

  says(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame as ServerFrame) });
  }

  breaks(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

class Memory implements Shelf {
  readonly map = new Map<string, string>();
  getItem = (key: string) => this.map.get(key) ?? null;
  setItem = (key: string, value: string) => void this.map.set(key, value);
  removeItem = (key: string) => void this.map.delete(key);
  key = (i: number) => [...this.map.keys()][i] ?? null;
  get length(): number {
    return this.map.size;
  }
}

function stored(seq: number, change: Partial<WireMessage>): Partial<WireMessage> {
  return { id: `m${seq}`, seq, room_id: "r", user_id: 1, username: "ann", content: "hi", message_type: "text", created_at: "", deleted: false, edited_at: null, mentions: [], client_id: null, ...change };
}

const calls: string[] = [];
let answer: (path: string) => unknown;
let ended = 0;

function start(shelf = new Memory()): { client: Client; shelf: Memory } {
  const session = {
    call: <T>(_method: string, path: string): Promise<T> => {
      calls.push(path);
      return Promise.resolve(answer(path) as T);
    },
    token: () => Promise.resolve("token"),
    check: () => Promise.resolve(),
    ended: () => void ended++,
  };
  const client = new Client(session, me, shelf, (url, protocols) => new End(url, protocols) as unknown as WebSocket);
  client.start();
  return { client, shelf };
}

async function last(count: number): Promise<End> {
  await vi.waitFor(() => expect(End.all).toHaveLength(count));
  return End.all[count - 1]!;
}

const hello = { type: "hello", cursor: "c0", user: me, heartbeat: 30, rooms: {} };

async function live(shelf?: Memory): Promise<{ client: Client; shelf: Memory; end: End }> {
  const started = start(shelf);
  const end = await last(1);
  end.says(hello);
  await vi.waitFor(() => expect(started.client.store.get().loaded).toBe(true));
  return { ...started, end };
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal("location", { protocol: "http:", host: "hearth.local:8000" });
  End.all = [];
  calls.length = 0;
  ended = 0;
  answer = (path) => (path.startsWith("/api/chat/rooms?") ? [room] : []);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("sending", () => {
  test("a message is shown at once, ticked by the ack and replaced by the room's own copy", async () => {
    const { client, end } = await live();
    client.send("r", "hi");
    const id = client.store.get().outbox[0]!.client_id;
    expect(client.store.get().outbox).toMatchObject([{ content: "hi", state: "sending" }]);
    expect(end.sent).toContainEqual({ type: "message", room_id: "r", content: "hi", client_id: id });
    end.says({ type: "ack", client_id: id, message: stored(1, { client_id: id }), cursor: "c1" });
    expect(client.store.get().outbox).toMatchObject([{ state: "stored" }]);
    end.says({ type: "message", message: stored(1, { client_id: id }), cursor: "c1" });
    expect(client.store.get().outbox).toEqual([]);
    expect(client.store.get().timelines.r![0]!.messages).toHaveLength(1);
  });

  test("what was not acknowledged is sent again after a break, under the same id and in order", async () => {
    const { client, end } = await live();
    client.send("r", "one");
    end.breaks();
    client.send("r", "two");
    expect(client.store.get().outbox.map((p) => p.state)).toEqual(["queued", "queued"]);
    const again = await last(2);
    expect(again.url).toBe("ws://hearth.local:8000/api/chat/ws?since=c0");
    again.says({ ...hello, cursor: "c9" });
    expect(again.sent).toEqual([]);
    again.says({ type: "live", cursor: "c9" });
    const ids = client.store.get().outbox.map((p) => p.client_id);
    expect(again.sent).toMatchObject([
      { content: "one", client_id: ids[0] },
      { content: "two", client_id: ids[1] },
    ]);
  });

  test("a room that the server does not name any more after a break is asked for, and goes when it is gone", async () => {
    const { client, end } = await live();
    end.breaks();
    const again = await last(2);
    answer = (path) => {
      if (path.startsWith("/api/chat/rooms/r")) throw new Refused(404, "room_not_found", "Room not found", "", undefined);
      return [];
    };
    again.says({ ...hello, cursor: "c9" });
    again.says({ type: "live", cursor: "c9" });
    await vi.waitFor(() => expect(client.store.get().rooms.r).toBeUndefined());
  });

  test("a silent server fails it after thirty seconds; trying again uses the same id", async () => {
    const { client, end } = await live();
    client.send("r", "hi");
    await vi.advanceTimersByTimeAsync(30_000);
    const [pending] = client.store.get().outbox;
    expect(pending).toMatchObject({ state: "failed", reason: "Not sent: the server did not answer for 30 s." });
    client.retry(pending!.client_id);
    expect(end.sent.filter((f) => f.type === "message" && f.client_id === pending!.client_id)).toHaveLength(2);
  });

  test("a refusal says why; a limit only waits", async () => {
    const { client, end } = await live();
    client.send("r", "hi");
    const id = client.store.get().outbox[0]!.client_id;
    const refusal = { type: "error", error: "Join the room first", details: "", code: "join_first", timestamp: "", client_id: id };
    end.says({ ...refusal, retry_after: 2 });
    expect(client.store.get().outbox).toMatchObject([{ state: "queued" }]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.store.get().outbox).toMatchObject([{ state: "sending" }]);
    end.says(refusal);
    expect(client.store.get().outbox).toMatchObject([{ state: "failed", reason: "Not sent: join the room first." }]);
  });

  test("messages that wait outlive a reload", async () => {
    const { client, shelf } = start();
    client.send("r", "later");
    client.stop();
    expect(start(shelf).client.store.get().outbox).toMatchObject([{ content: "later", state: "queued" }]);
  });
});

describe("the connection", () => {
  test("resumes from the last event it heard live, not from the middle of a replay", async () => {
    const { end } = await live();
    end.says({ type: "message", message: stored(1, { user_id: 2 }), cursor: "c1" });
    end.breaks(4008);
    const second = await last(2);
    expect(second.url).toContain("since=c1");
    second.says({ ...hello, cursor: "c5" });
    second.says({ type: "message", message: stored(2, { user_id: 2 }), cursor: "c2" });
    second.breaks(4008);
    const third = await last(3);
    expect(third.url).toContain("since=c1");
    third.says({ ...hello, cursor: "c6" });
    third.says({ type: "live", cursor: "c6" });
    third.breaks(4008);
    expect((await last(4)).url).toContain("since=c6");
  });

  test("too far behind, it loads the rooms anew and forgets what may be old", async () => {
    const { client, end } = await live();
    end.says({ type: "message", message: stored(1, { user_id: 2 }), cursor: "c1" });
    end.breaks(4008);
    const again = await last(2);
    again.says({ ...hello, cursor: "c900" });
    again.says({ type: "resync" });
    await vi.waitFor(() => expect(client.store.get().link.status).toBe("live"));
    expect(client.store.get().timelines).toEqual({});
    expect(calls.filter((path) => path.startsWith("/api/chat/rooms?"))).toHaveLength(2);
    again.breaks(4008);
    expect((await last(3)).url).toContain("since=c900");
  });

  test("an ended session is not reopened", async () => {
    const { end } = await live();
    end.breaks(4001);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(End.all).toHaveLength(1);
    expect(ended).toBe(1);
  });

  test("an event that comes while a page is on its way is applied after it", async () => {
    const { client, end } = await live();
    let arrive: (messages: unknown) => void = () => undefined;
    answer = () => new Promise((resolve) => (arrive = resolve));
    const loading = client.history.around("r", "m1");
    end.says({ type: "message", message: stored(1, { user_id: 2, reactions: {} }), cursor: "c1" });
    end.says({ type: "reaction_added", room_id: "r", message_id: "m1", reaction: "👍", user_id: 2, reactions: { "👍": [2] }, cursor: "c2" });
    arrive([stored(1, { user_id: 2, reactions: {} })]);
    await loading;
    expect(client.store.get().timelines.r![0]!.messages[0]!.reactions).toEqual({ "👍": [2] });
  });

  test.each([
    ["at once when the server asks to resume", 3, 4008, "", 0],
    ["as long as a restarting server says", 0, 1012, "750", 750],
    ["half a second at first, half of it by chance", 0, 1006, "", 375],
    ["longer each time", 3, 1006, "", 3_000],
    ["never more than half a minute", 20, 1006, "", 22_500],
  ])("waits %s", (_, attempt, code, reason, want) => {
    expect(pause(attempt, code, reason, () => 0.5)).toBe(want);
  });
});

describe("reading", () => {
  test("is told at most once a second, up to the newest message seen", async () => {
    const { client, end } = await live();
    client.open("r");
    await vi.waitFor(() => expect(client.store.get().views.r?.opened).toBe(true));
    for (const seq of [1, 2, 3]) {
      end.says({ type: "message", message: stored(seq, { user_id: 2 }), cursor: `c${seq}` });
      client.markRead("r", seq);
    }
    await vi.advanceTimersByTimeAsync(1);
    end.says({ type: "message", message: stored(4, { user_id: 2 }), cursor: "c4" });
    client.markRead("r", 4);
    const told = () => end.sent.filter((f) => f.type === "read").map((f) => f.message_id);
    expect(told()).toEqual(["m3"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toEqual(["m3", "m4"]);
  });
});
