import { ArrowDown, ArrowUp } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Virtualizer } from "virtua";
import type { WireMessage } from "../../api/wire.ts";
import { titleOf, unreadIn, visibleSpan } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { endOf } from "../../state/timeline.ts";
import type { Pending, View } from "../../state/workspace.ts";
import { Button } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/parts.tsx";
import { useAnnouncement } from "./announce.ts";
import { GoToContext } from "./go-to.ts";
import { useLooking } from "./looking.ts";
import { newSince, DayLine, RowView } from "./row-view.tsx";
import { newestOf, rowsOf } from "./rows.ts";
import { useScroll, type Sight } from "./scroll.ts";
import styles from "./timeline.module.css";

interface TimelineProps {
  readonly room: string;
  /** A message to begin with, instead of the newest. */
  readonly start: string | undefined;
  readonly editing: string | undefined;
  readonly onEdit: (id: string | undefined) => void;
  readonly onReply: (message: WireMessage) => void;
  readonly onTakeBack: (pending: Pending) => void;
}

const noView: View = {};

/** The conversation of one room. Give it the room as its key: it begins anew in each. */
export function Timeline({ room, start, editing, onEdit, onReply, onTakeBack }: TimelineProps) {
  const client = useClient();
  const { history } = client;
  const span = useWorkspace((w) => visibleSpan(w, room));
  const view = useWorkspace((w) => w.views[room]) ?? noView;
  const head = useWorkspace((w) => w.rooms[room]?.head_seq ?? 0);
  const name = useWorkspace((w) => (w.rooms[room] ? titleOf(w.rooms[room]) : ""));
  const me = useWorkspace((w) => w.me.user_id);
  const outbox = useWorkspace((w) => w.outbox);
  const unread = useWorkspace((w) => unreadIn(w, room).unread);
  const live = useWorkspace((w) => w.link.status === "live");
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [target, setTarget] = useState<number>();
  const [lineSeen, setLineSeen] = useState(false);
  const looking = useLooking();

  const latest = span === undefined ? head === 0 : endOf(span) >= head;
  const pending = useMemo(() => (latest ? outbox.filter((p) => p.room_id === room) : []), [outbox, room, latest]);
  const rows = useMemo(() => rowsOf({ span, line: view.line, pending, me, unfolded }), [span, view.line, pending, me, unfolded]);
  const { list, scroller, sight, shift, onScroll, toEnd, toMessage } = useScroll({ room, rows, latest });
  const near = useMemo(() => nearby(sight, rows.length), [sight, rows.length]);
  const announcement = useAnnouncement(span, me);

  const goTo = useCallback(
    (id: string) => {
      void history.around(room, id).then((seq) => {
        if (seq === undefined) return;
        toMessage(seq);
        setTarget(seq);
      });
    },
    [history, room, toMessage],
  );
  const begin = useRef(start);
  useEffect(() => {
    if (!begin.current || span === undefined) return;
    goTo(begin.current);
    begin.current = undefined;
  }, [goTo, span]);

  // An own message brings the reader to the end.
  const own = outbox.filter((p) => p.room_id === room).length;
  const ownBefore = useRef(own);
  useEffect(() => {
    if (own > ownBefore.current && latest) toEnd();
    else if (own > ownBefore.current) void history.latest(room).then(toEnd);
    ownBefore.current = own;
  }, [own, latest, history, room, toEnd]);

  const end = span && endOf(span);
  const seen = latest && sight.atEnd ? end : newestOf(rows[sight.bottom])?.seq;
  useEffect(() => {
    if (looking && seen !== undefined) client.markRead(room, seen);
  }, [client, room, seen, looking, live, view.opened]);
  useEffect(() => {
    if (!looking && view.opened) history.settleLocalLine(room);
  }, [history, room, end, looking, view.opened]);

  const line = view.line;
  const lineAbove = line !== undefined && line.seq < sight.topSeq;
  const lineInSight = line !== undefined && sight.topSeq <= line.seq && line.seq <= sight.bottomSeq;
  useEffect(() => setLineSeen(false), [line?.id]);
  useEffect(() => {
    if (!lineInSight) return;
    const timer = setTimeout(() => setLineSeen(true), seenAfter);
    return () => clearTimeout(timer);
  }, [lineInSight, line?.id]);

  const jumpToEnd = () => (latest ? toEnd() : void history.latest(room).then(toEnd));
  const retry = () => void (span ? history.older(room, span.from) : history.open(room));
  return (
    <GoToContext value={goTo}>
      <div className={styles.wrap}>
        {view.problem && <Trouble text={view.problem} onRetry={retry} />}
        <div
          ref={scroller}
          className={styles.tl}
          role="log"
          aria-live="off"
          aria-label={`Messages in ${name}`}
          tabIndex={0}
          data-timeline
          onKeyDown={(e) => walk(e, () => list.current?.scrollToIndex(rows.length - 1, { align: "end" }))}
        >
          <div className={styles.fill} />
          <div>
            {rows.length === 0 && !view.problem && <Skeleton />}
            <Virtualizer ref={list} scrollRef={scroller} data={rows} shift={shift} itemSize={60} keepMounted={near} onScroll={onScroll}>
              {(row, i) => (
                <RowView
                  key={row.key}
                  row={row}
                  room={room}
                  first={i === 0}
                  last={i === rows.length - 1}
                  target={target}
                  editing={editing}
                  onEdit={onEdit}
                  onReply={onReply}
                  onTakeBack={onTakeBack}
                  onUnfold={(key) => setUnfolded((s) => new Set([...s, key]))}
                />
              )}
            </Virtualizer>
          </div>
        </div>
        {sight.day && <DayLine day={sight.day} sticky />}
        {line && lineAbove && !lineSeen && (
          <button type="button" className={`${styles.pill} ${styles.up}`} onClick={() => goTo(line.id)}>
            <ArrowUp className="i s" />
            {newSince(line)}, jump up
          </button>
        )}
        {(!sight.atEnd || !latest) && rows.length > 0 && (
          <button type="button" className={`${styles.pill} ${styles.down}`} onClick={jumpToEnd}>
            {unread > 0 ? `Latest (${unread})` : "Latest"}
            <ArrowDown className="i s" />
          </button>
        )}
        <p className="vh" aria-live="polite">
          {announcement}
        </p>
      </div>
    </GoToContext>
  );
}

/** The unread line has been seen when it was in sight for so long; milliseconds. */
const seenAfter = 500;
/** Rows kept ready on both sides of the view, so that each has its true height before it comes into sight. */
const ready = 12;

function nearby({ top, bottom }: Sight, length: number): number[] {
  const from = Math.max(0, top - ready);
  return Array.from({ length: Math.max(0, Math.min(length, bottom + ready + 1) - from) }, (_, i) => from + i);
}

function Trouble({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <div className={styles.problem} role="alert">
      <span>{text}</span>
      <Button size="sm" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** The keys of a timeline: arrows between messages, Home and End, Enter to the tools, Escape back to the composer. */
function walk(e: KeyboardEvent<HTMLElement>, toEnd: () => void): void {
  const here = e.target as HTMLElement;
  if (here !== e.currentTarget && here.tagName !== "ARTICLE") {
    if (e.key === "Escape") here.closest<HTMLElement>("article")?.focus();
    return;
  }
  const all = [...e.currentTarget.querySelectorAll<HTMLElement>("article")];
  const at = all.indexOf(here);
  const to = (row: HTMLElement | undefined) => {
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  if (e.key === "ArrowUp") to(at < 0 ? all.at(-1) : all[at - 1]);
  else if (e.key === "ArrowDown") to(at < 0 ? all.at(-1) : all[at + 1]);
  else if (e.key === "End") toEnd();
  else if (e.key === "Home") e.currentTarget.scrollTop = 0;
  else if (e.key === "Enter" && at >= 0) here.querySelector<HTMLElement>("[data-tools] button")?.focus();
  else if (e.key === "Escape") document.querySelector<HTMLElement>("[data-composer]")?.focus();
  else return;
  e.preventDefault();
  e.stopPropagation();
}
