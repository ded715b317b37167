import { Check } from "lucide-react";
import { memo, useState, type ReactNode } from "react";
import { names, type WireMessage } from "../../api/wire.ts";
import { nameOf } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { fullTime, hours } from "../../ui/time.ts";
import { EditMessage } from "./edit-message.tsx";
import styles from "./message.module.css";
import { MessageTools } from "./message-tools.tsx";
import { Quote } from "./quote.tsx";
import { Reactions } from "./reactions.tsx";
import { Text, type Named } from "./text.tsx";

interface MessageProps {
  readonly message: WireMessage;
  /** Whether name and picture stand above it. */
  readonly head: boolean;
  /** Whether it is the first on screen: its tools would lie outside. */
  readonly first: boolean;
  /** Whether the reader was just brought here. */
  readonly target: boolean;
  readonly editing: boolean;
  readonly onEdit: (id: string | undefined) => void;
  readonly onReply: (message: WireMessage) => void;
}

/** One stored message. */
export const Message = memo(function Message({ message: m, head, first, target, editing, onEdit, onReply }: MessageProps) {
  const name = useWorkspace((w) => nameOf(w, m.user_id)) ?? m.username;
  const me = useWorkspace((w) => w.me.user_id);
  const mine = m.user_id === me;
  const [near, setNear] = useState(false);
  const named = useNamed(m);
  const classes = [styles.m, head && styles.g, names(m, me) && styles.ment, first && styles.first, target && styles.target];
  return (
    <article
      className={classes.filter(Boolean).join(" ")}
      aria-label={`${name}, ${hours(m.created_at)}`}
      tabIndex={-1}
      data-seq={m.seq}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onFocus={() => setNear(true)}
      onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setNear(false)}
    >
      <Gutter head={head} author={m.user_id} name={name} time={m.created_at} />
      {head && (
        <Head name={name} time={m.created_at}>
          {mine && !m.deleted && <Stored />}
        </Head>
      )}
      <div className={styles.b}>
        {m.deleted ? (
          <p className={styles.gone}>Message deleted by {name}</p>
        ) : (
          <>
            {m.parent_id && <Quote room={m.room_id} id={m.parent_id} />}
            {editing ? <EditMessage message={m} onDone={() => onEdit(undefined)} /> : <Text content={m.content} named={named} />}
            {m.edited_at && !editing && (
              <span className={styles.ed} title={fullTime(m.edited_at)}>
                (edited)
              </span>
            )}
            <Reactions message={m} />
          </>
        )}
      </div>
      {!m.deleted && !editing && <MessageTools message={m} near={near} onEdit={() => onEdit(m.id)} onReply={() => onReply(m)} />}
    </article>
  );
});

/** The avatar column: the picture of a run's first message, the time of the others. */
export function Gutter({ head, author, name, time }: { head: boolean; author: number; name: string; time: string }) {
  if (head) return <Avatar id={author} name={name} />;
  return <span className={styles.side}>{hours(time)}</span>;
}

/** Name and time above a run. */
export function Head({ name, time, children }: { name: string; time: string; children?: ReactNode }) {
  return (
    <div className={styles.hd}>
      <b>{name}</b>
      <time className={styles.tm} dateTime={time} title={fullTime(time)}>
        {hours(time)}
      </time>
      {children}
    </div>
  );
}

/** The tick: it is on the server's disk. */
export function Stored() {
  return (
    <span className={styles.st} title="Stored on the server">
      <Check className="i" />
      <span className="vh">stored</span>
    </span>
  );
}

/** Whom the names in a message mean, as the server found when it was stored. */
function useNamed(m: WireMessage): Named {
  const { store } = useClient();
  return (name) => {
    const w = store.get();
    if (name === "room" || name === "all" || name === "here") return m.mention_room ? "you" : "nobody";
    if (name === w.me.username.toLowerCase()) return m.mentions.includes(w.me.user_id) ? "you" : "nobody";
    const known = Object.values(w.users).find((u) => u.username.toLowerCase() === name);
    if (known) return m.mentions.includes(known.user_id) ? "other" : "nobody";
    return m.mentions.some((id) => w.users[id] === undefined) ? "other" : "nobody";
  };
}
