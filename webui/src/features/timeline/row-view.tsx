import { ChevronRight, Info, LogIn, LogOut } from "lucide-react";
import type { ReactNode } from "react";
import type { WireMessage } from "../../api/wire.ts";
import { nameOf, titleOf } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import type { Pending, UnreadLine } from "../../state/workspace.ts";
import { Flame } from "../../ui/mark.tsx";
import { dayInWords, hours } from "../../ui/time.ts";
import { Message } from "./message.tsx";
import { PendingMessage } from "./pending-message.tsx";
import { foldedSentence, type Row } from "./rows.ts";
import styles from "./timeline.module.css";

interface RowProps {
  readonly row: Row;
  readonly room: string;
  readonly first: boolean;
  readonly last: boolean;
  /** The message that the reader was just brought to. */
  readonly target: number | undefined;
  readonly editing: string | undefined;
  readonly onEdit: (id: string | undefined) => void;
  readonly onReply: (message: WireMessage) => void;
  readonly onTakeBack: (pending: Pending) => void;
  readonly onUnfold: (key: string) => void;
}

/** One row with what stands above it. */
export function RowView({ row, last, ...rest }: RowProps) {
  return (
    <div className={last ? styles.last : undefined}>
      {row.day && <DayLine day={row.day} />}
      {row.line && <NewLine line={row.line} />}
      <Content row={row} {...rest} />
    </div>
  );
}

function Content({ row, room, first, target, editing, onEdit, onReply, onTakeBack, onUnfold }: Omit<RowProps, "last">) {
  switch (row.kind) {
    case "start":
      return <Start room={room} />;
    case "system":
      return <SystemLine messages={row.messages} onUnfold={() => onUnfold(row.key)} />;
    case "pending":
      return <PendingMessage pending={row.pending} head={row.head} onTakeBack={onTakeBack} />;
    case "message":
      return (
        <Message
          message={row.message}
          head={row.head}
          first={first}
          target={target === row.message.seq}
          editing={editing === row.message.id}
          onEdit={onEdit}
          onReply={onReply}
        />
      );
  }
}

/** A hairline with the date. */
export function DayLine({ day, sticky = false }: { day: string; sticky?: boolean }) {
  return (
    <div className={`${styles.day} ${sticky ? styles.sticky : ""}`} aria-hidden={sticky}>
      <span>{dayInWords(day)}</span>
    </div>
  );
}

/** The ember line: from here on it is new. */
function NewLine({ line }: { line: UnreadLine }) {
  return (
    <div className={styles.new}>
      <Flame />
      <span>{newSince(line)}</span>
    </div>
  );
}

/** "5 new since 09:42" */
export function newSince(line: UnreadLine): string {
  return `${line.count} new since ${hours(line.since)}`;
}

/** What the server says happened in the room; a run of three or more is one sentence that opens. */
function SystemLine({ messages, onUnfold }: { messages: readonly WireMessage[]; onUnfold: () => void }) {
  const { store } = useClient();
  const nameIn = (m: WireMessage) => nameOf(store.get(), m.user_id) ?? m.username;
  const [first] = messages;
  const line = (icon: ReactNode, words: ReactNode) => (
    <div className={styles.sys}>
      {icon}
      {words}
    </div>
  );
  if (messages.length === 1 && first) return line(iconFor(first.content), <span>{`${nameIn(first)} ${first.content}`}</span>);
  return line(
    <LogIn className="i s" />,
    <button type="button" aria-expanded="false" onClick={onUnfold}>
      {foldedSentence(messages.map((m) => ({ name: nameIn(m), content: m.content })))} <ChevronRight className="i s flip" />
    </button>,
  );
}

function iconFor(content: string): ReactNode {
  if (content.startsWith("left")) return <LogOut className="i s" />;
  if (content.startsWith("joined") || content.startsWith("added")) return <LogIn className="i s" />;
  return <Info className="i s" />;
}

/** The first thing in a room: what it is. */
function Start({ room }: { room: string }) {
  const state = useWorkspace((w) => w.rooms[room]);
  const place = useWorkspace((w) => w.info?.name ?? "the workspace");
  if (!state) return null;
  const who = state.is_private ? "Only the people in it can see it." : `Everyone in ${place} can find it.`;
  return (
    <div className={styles.start}>
      <Flame className={styles.flame} />
      <h2>
        {state.kind === "dm" ? state.name : `This is the beginning of ${titleOf(state)}`}
      </h2>
      <p>{state.kind === "dm" ? "Only the people in this conversation can see it." : `${state.description ? `${state.description} ` : ""}${who}`}</p>
    </div>
  );
}
