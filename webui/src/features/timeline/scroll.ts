import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";
import { useClient } from "../../state/store.ts";
import { dayOf, newestOf, rowOf, type Row } from "./rows.ts";

/** This close to the end counts as at the end, in pixels. */
const nearEnd = 40;
/** So far from an edge the next page is asked for, in pixels. */
const ahead = 1_600;

/** What shows that the reader scrolls, and how long after it a scroll counts as theirs, in milliseconds. */
const hands = ["wheel", "touchmove", "pointerdown", "keydown", "focusin"] as const;
const handRests = 400;

/** What the reader sees of the rows. */
export interface Sight {
  readonly atEnd: boolean;
  /** The day of the topmost row, when its own day line is out of sight. */
  readonly day: string | undefined;
  /** The rows at the edges of the view, and their messages. */
  readonly top: number;
  readonly bottom: number;
  readonly topSeq: number;
  readonly bottomSeq: number;
}

const nothingYet: Sight = { atEnd: true, day: undefined, top: 0, bottom: 0, topSeq: 0, bottomSeq: 0 };

interface Options {
  readonly room: string;
  readonly rows: readonly Row[];
  /** Whether the newest message is among the rows. */
  readonly latest: boolean;
}

export interface Scroll {
  readonly list: RefObject<VirtualizerHandle | null>;
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly sight: Sight;
  /** Rows were put above or taken away there: the view is held from the end. */
  readonly shift: boolean;
  readonly onScroll: () => void;
  /** Stays at the end from now on. */
  readonly toEnd: () => void;
  /** Brings a message to the middle of the view as soon as it is among the rows. */
  readonly toMessage: (seq: number) => void;
}

/** Whether rows were put above the old ones or taken away there, rather than replaced by others. */
function grewAbove(before: readonly Row[], after: readonly Row[]): boolean {
  const [first] = before;
  const [present] = after;
  if (!first || !present || first.key === present.key) return false;
  return after.some((r) => r.key === first.key) || before.some((r) => r.key === present.key);
}

/**
 * Scrolling of a timeline that grows at both ends. At the end it stays at the end, whatever
 * arrives or changes its height; elsewhere nothing moves that the reader did not touch.
 */
export function useScroll({ room, rows, latest }: Options): Scroll {
  const { history } = useClient();
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const stick = useRef(true);
  const wanted = useRef<number | undefined>(undefined);
  const touched = useRef(0);
  const [sight, setSight] = useState(nothingYet);

  const held = useRef(rows);
  const shift = grewAbove(held.current, rows);

  const pin = useCallback(() => {
    const box = scroller.current;
    if (box && stick.current) box.scrollTop = box.scrollHeight;
  }, []);

  const look = useCallback(() => {
    const handle = list.current;
    const box = scroller.current;
    if (!handle || !box || rows.length === 0) return;
    const offset = handle.scrollOffset;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    const top = handle.findItemIndex(offset);
    const bottom = handle.findItemIndex(offset + handle.viewportSize - 8);
    const row = rows[top];
    const topMessage = newestOf(row);
    const ownDayVisible = row?.day !== undefined && offset < handle.getItemOffset(top) + 24;
    const day = topMessage && !ownDayVisible && offset > 0 ? dayOf(topMessage.created_at) : undefined;
    const atEnd = left < nearEnd;
    const at = newestOf(rows[Math.min(bottom, rows.length - 1)])?.seq ?? topMessage?.seq;
    const next: Sight = { atEnd, day, top, bottom, topSeq: topMessage?.seq ?? 0, bottomSeq: at ?? 0 };
    setSight((s) => (Object.keys(next) as (keyof Sight)[]).every((k) => s[k] === next[k]) ? s : next);
    if (at === undefined) return;
    if (offset < ahead) void history.older(room, at);
    if (left < ahead && !latest) void history.newer(room, at);
  }, [rows, room, latest, history]);

  const onScroll = useCallback(() => {
    const box = scroller.current;
    if (!box) return;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
    // Only the reader's own hand leaves the end: rows that change their height scroll too.
    if (atEnd) stick.current = latest && wanted.current === undefined;
    else if (performance.now() - touched.current < handRests) stick.current = false;
    else pin();
    look();
  }, [latest, look, pin]);

  useEffect(() => {
    const frame = scroller.current?.parentElement;
    const touch = (e: Event) => {
      touched.current = performance.now();
      // The wheel over a pill turns the messages behind it.
      const box = scroller.current;
      if (e instanceof WheelEvent && box && !box.contains(e.target as Node)) box.scrollTop += e.deltaY;
    };
    for (const hand of hands) frame?.addEventListener(hand, touch, { passive: true });
    return () => {
      for (const hand of hands) frame?.removeEventListener(hand, touch);
    };
  }, []);

  useLayoutEffect(() => {
    held.current = rows;
    if (wanted.current !== undefined) {
      const index = rowOf(rows, wanted.current);
      if (index >= 0) {
        wanted.current = undefined;
        list.current?.scrollToIndex(index, { align: "center" });
      }
      return;
    }
    pin();
  }, [rows, pin]);

  useEffect(look, [look]);

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const observer = new ResizeObserver(() => {
      pin();
    });
    observer.observe(box);
    for (const child of box.children) observer.observe(child);
    return () => observer.disconnect();
  }, [pin]);

  const toEnd = useCallback(() => {
    stick.current = true;
    wanted.current = undefined;
    pin();
  }, [pin]);

  const toMessage = useCallback((seq: number) => {
    stick.current = false;
    const index = rowOf(held.current, seq);
    if (index >= 0) list.current?.scrollToIndex(index, { align: "center" });
    else wanted.current = seq;
  }, []);

  return { list, scroller, sight, shift, onScroll, toEnd, toMessage };
}
