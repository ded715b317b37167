import type { WireMessage } from "../../api/wire.ts";
import type { Span } from "../../state/timeline.ts";
import type { Pending, UnreadLine } from "../../state/workspace.ts";

/** What stands above a row: a new day, the unread line. */
interface Above {
  readonly key: string;
  readonly day?: string;
  readonly line?: UnreadLine;
}

/** One row of a timeline. A fold is a run of system lines shown as one sentence. */
export type Row = Above &
  (
    | { readonly kind: "start" }
    | { readonly kind: "message"; readonly message: WireMessage; readonly head: boolean }
    | { readonly kind: "system"; readonly messages: readonly WireMessage[] }
    | { readonly kind: "pending"; readonly pending: Pending; readonly head: boolean }
  );

/** Messages of one author this close together share one name and picture; milliseconds. */
const sameRun = 5 * 60_000;
/** So many system lines in a row, and they fold. */
const foldFrom = 3;

interface Input {
  readonly span: Span | undefined;
  readonly line: UnreadLine | undefined;
  /** Own messages on their way; empty unless the newest messages are shown. */
  readonly pending: readonly Pending[];
  readonly me: number;
  /** Keys of folds that the reader has opened. */
  readonly unfolded: ReadonlySet<string>;
}

/** The rows of what is on screen. A key stays the same when older messages are added above, and when an own message is stored. */
export function rowsOf({ span, line, pending, me, unfolded }: Input): Row[] {
  const rows: Row[] = [];
  const messages = span?.messages ?? [];
  if (span?.from === 1) rows.push({ kind: "start", key: "start" });
  let before: WireMessage | undefined;
  for (let i = 0; i < messages.length; ) {
    const m = messages[i]!;
    const above = aboveOf(m, before, line);
    if (m.message_type === "system" && !m.deleted) {
      const run = systemRun(messages, i, line);
      const key = `s${run[run.length - 1]!.seq}`;
      const folded = run.length >= foldFrom && !unfolded.has(key);
      rows.push({ kind: "system", ...above, key: folded ? key : `s${m.seq}`, messages: folded ? run : [m] });
      before = folded ? run[run.length - 1] : m;
      i += folded ? run.length : 1;
      continue;
    }
    const head = above.day !== undefined || above.line !== undefined || !continues(before, m);
    rows.push({ kind: "message", ...above, key: keyOf(m, me), message: m, head });
    before = m;
    i++;
  }
  appendPending(rows, pending, before, me);
  return rows;
}

function keyOf(m: WireMessage, me: number): string {
  return m.user_id === me && m.client_id ? `c${m.client_id}` : `m${m.seq}`;
}

function aboveOf(m: WireMessage, before: WireMessage | undefined, line: UnreadLine | undefined): Omit<Above, "key"> {
  const day = dayOf(m.created_at);
  return {
    day: before && dayOf(before.created_at) === day ? undefined : day,
    line: line?.seq === m.seq ? line : undefined,
  };
}

/** The system lines from i on that may stand in one fold: of one day, and with no unread line between them. */
function systemRun(messages: readonly WireMessage[], i: number, line: UnreadLine | undefined): WireMessage[] {
  const day = dayOf(messages[i]!.created_at);
  let j = i + 1;
  while (j < messages.length && messages[j]!.message_type === "system" && dayOf(messages[j]!.created_at) === day && line?.seq !== messages[j]!.seq) j++;
  return messages.slice(i, j);
}

function continues(before: WireMessage | undefined, m: WireMessage): boolean {
  return (
    before !== undefined &&
    before.message_type !== "system" &&
    before.user_id === m.user_id &&
    m.parent_id === null &&
    Date.parse(m.created_at) - Date.parse(before.created_at) < sameRun
  );
}

function appendPending(rows: Row[], pending: readonly Pending[], last: WireMessage | undefined, me: number): void {
  let before = last && last.message_type !== "system" ? { author: last.user_id, at: last.created_at } : undefined;
  let lastDay = last && dayOf(last.created_at);
  for (const p of pending) {
    const day = dayOf(p.created_at) === lastDay ? undefined : dayOf(p.created_at);
    const soon = before !== undefined && Date.parse(p.created_at) - Date.parse(before.at) < sameRun;
    const head = day !== undefined || before?.author !== me || !soon || p.parent_id !== null;
    rows.push({ kind: "pending", key: `c${p.client_id}`, day, pending: p, head });
    before = { author: me, at: p.created_at };
    lastDay = dayOf(p.created_at);
  }
}

/** The newest message of a row; undefined for rows that are not of the history. */
export function newestOf(row: Row | undefined): WireMessage | undefined {
  if (row?.kind === "message") return row.message;
  return row?.kind === "system" ? row.messages[row.messages.length - 1] : undefined;
}

/** Where in rows a message is shown; -1 when it is not. */
export function rowOf(rows: readonly Row[], seq: number): number {
  return rows.findIndex((row) => {
    if (row.kind === "system") return row.messages[0]!.seq <= seq && seq <= row.messages[row.messages.length - 1]!.seq;
    return row.kind === "message" && row.message.seq === seq;
  });
}

const days = new Map<string, string>();

/** The reader's day of a time, as text that is equal for equal days. Time zones differ by quarters of an hour, so ten minutes share one. */
export function dayOf(time: string): string {
  const part = time.slice(0, 15);
  let day = days.get(part);
  if (day === undefined) {
    const d = new Date(time);
    day = `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`;
    days.set(part, day);
  }
  return day;
}

/** A fold in one sentence: who joined, who left, and how much else happened. */
export function foldedSentence(lines: readonly { name: string; content: string }[]): string {
  const joined = new Set<string>();
  const left = new Set<string>();
  let other = 0;
  for (const { name, content } of lines) {
    if (content === "joined the room") joined.add(name);
    else if (content === "left the room") left.add(name);
    else other++;
  }
  const parts = [
    joined.size > 0 && `${people([...joined])} joined`,
    left.size > 0 && `${people([...left])} left`,
    other > 0 && `${other} ${other === 1 ? "change" : "changes"}`,
  ];
  return parts.filter(Boolean).join("; ");
}

function people(names: string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} others`;
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}
