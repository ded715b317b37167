import { CircleAlert, Clock } from "lucide-react";
import { useClient, useWorkspace } from "../../state/store.ts";
import type { Pending } from "../../state/workspace.ts";
import { Button } from "../../ui/button.tsx";
import { useLater } from "../../ui/parts.tsx";
import { Gutter, Head, Stored } from "./message.tsx";
import styles from "./message.module.css";
import { Quote } from "./quote.tsx";
import { Text } from "./text.tsx";

interface PendingProps {
  readonly pending: Pending;
  readonly head: boolean;
  /** Takes the words back into the composer. */
  readonly onTakeBack: (pending: Pending) => void;
}

/** An own message on its way, and in words what it waits for. */
export function PendingMessage({ pending, head, onTakeBack }: PendingProps) {
  const me = useWorkspace((w) => w.me);
  const slow = useLater(400);
  const waiting = pending.state === "queued" || (pending.state === "sending" && slow);
  return (
    <article className={`${styles.m} ${head ? styles.g : ""} ${waiting ? styles.wait : ""}`} aria-label={`${me.username}, ${pending.state}`} tabIndex={-1} data-pending={pending.state}>
      <Gutter head={head} author={me.user_id} name={me.username} time={pending.created_at} />
      {head && (
        <Head name={me.username} time={pending.created_at}>
          {pending.state === "stored" && <Stored />}
        </Head>
      )}
      <div className={styles.b}>
        {pending.parent_id && <Quote room={pending.room_id} id={pending.parent_id} />}
        <Text content={pending.content} named={() => "nobody"} />
        {pending.state === "queued" && slow && (
          <div className={styles.state}>
            <Clock className="i s" />
            Waiting for the connection. Sends by itself.
          </div>
        )}
        {pending.state === "failed" && <Failed pending={pending} onTakeBack={() => onTakeBack(pending)} />}
      </div>
    </article>
  );
}

function Failed({ pending, onTakeBack }: { pending: Pending; onTakeBack: () => void }) {
  const client = useClient();
  return (
    <div className={`${styles.state} ${styles.bad}`} role="alert">
      <CircleAlert className="i s" />
      <span>{pending.reason}</span>
      <Button kind="txt" onClick={() => client.retry(pending.client_id)}>
        Try again
      </Button>
      <Button kind="txt" onClick={onTakeBack}>
        Edit
      </Button>
      <Button kind="txt" onClick={() => client.discard(pending.client_id)}>
        Delete
      </Button>
    </div>
  );
}
