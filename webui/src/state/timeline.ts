import type { WireMessage } from "../api/wire.ts";

/** Consecutive messages of a room: messages[i].seq is from + i. */
export interface Span {
  readonly from: number;
  readonly messages: readonly WireMessage[];
}

/**
 * What is loaded of a room, keyed by seq: spans in ascending order that never touch, so
 * that every missing integer between two of them is a gap the client can see and fill.
 */
export type Timeline = readonly Span[];

/** Of two copies of one message, the later: deleted beats all, then the later edit, then what came last. */
function later(kept: WireMessage, arrived: WireMessage): WireMessage {
  if (kept.deleted !== arrived.deleted) return kept.deleted ? kept : arrived;
  return (kept.edited_at ?? "") > (arrived.edited_at ?? "") ? kept : arrived;
}

/** The seq of a span's last message. */
export function endOf(span: Span): number {
  return span.from + span.messages.length - 1;
}

/** Adds messages, in any order and however often; gaps among them stay gaps. */
export function merge(timeline: Timeline, messages: readonly WireMessage[]): Timeline {
  const sorted = [...messages].sort((a, b) => a.seq - b.seq);
  let merged = timeline;
  for (let i = 0; i < sorted.length; ) {
    let j = i + 1;
    while (j < sorted.length && sorted[j]!.seq <= sorted[j - 1]!.seq + 1) j++;
    merged = mergeRun(merged, sorted.slice(i, j));
    i = j;
  }
  return merged;
}

/** Adds one run of consecutive messages, in which a seq may repeat, and joins the spans it touches. */
function mergeRun(timeline: Timeline, run: readonly WireMessage[]): Timeline {
  const from = run[0]!.seq;
  const to = run[run.length - 1]!.seq;
  const touches = (s: Span) => s.from <= to + 1 && endOf(s) >= from - 1;
  const touched = timeline.filter(touches);
  const start = Math.min(from, touched[0]?.from ?? from);
  const slots: WireMessage[] = [];
  for (const span of touched) for (const m of span.messages) slots[m.seq - start] = m;
  for (const m of run) {
    const kept = slots[m.seq - start];
    slots[m.seq - start] = kept ? later(kept, m) : m;
  }
  return [
    ...timeline.filter((s) => endOf(s) < from - 1),
    { from: start, messages: slots },
    ...timeline.filter((s) => s.from > to + 1),
  ];
}

/** The span that holds seq. */
export function spanAt(timeline: Timeline, seq: number): Span | undefined {
  return timeline.find((s) => s.from <= seq && seq <= endOf(s));
}

/** The newest span there is. */
export function lastSpan(timeline: Timeline): Span | undefined {
  return timeline[timeline.length - 1];
}

/** Keeps only the seqs from..to. */
export function cut(timeline: Timeline, from: number, to: number): Timeline {
  return timeline.flatMap((s) => {
    const messages = s.messages.slice(Math.max(0, from - s.from), Math.max(0, to - s.from + 1));
    return messages.length > 0 ? [{ from: messages[0]!.seq, messages }] : [];
  });
}

/** Changes the message with this id where it is loaded. */
export function change(timeline: Timeline, id: string, edit: (m: WireMessage) => WireMessage): Timeline {
  const found = find(timeline, id);
  return found ? merge(timeline, [edit(found)]) : timeline;
}

const indexes = new WeakMap<readonly WireMessage[], Map<string, WireMessage>>();

/** The loaded message with this id. The index behind it is built once per span and forgotten with it. */
export function find(timeline: Timeline, id: string): WireMessage | undefined {
  for (const { messages } of timeline) {
    let index = indexes.get(messages);
    if (!index) indexes.set(messages, (index = new Map(messages.map((m) => [m.id, m]))));
    const found = index.get(id);
    if (found) return found;
  }
  return undefined;
}

/** Calls visit with every loaded message after seq, oldest first. */
export function eachAfter(timeline: Timeline, seq: number, visit: (m: WireMessage) => void): void {
  for (const span of timeline) {
    for (let i = Math.max(0, seq + 1 - span.from); i < span.messages.length; i++) visit(span.messages[i]!);
  }
}
