import { useEffect } from "react";
import { nameOf } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { find } from "../../state/timeline.ts";
import { hours } from "../../ui/time.ts";
import styles from "./message.module.css";
import { useGoTo } from "./go-to.ts";
import { plainText } from "./text.tsx";

/** What a message answers: author, time and one line; it leads there. */
export function Quote({ room, id }: { room: string; id: string }) {
  const client = useClient();
  const goTo = useGoTo();
  const quoted = useWorkspace((w) => find(w.timelines[room] ?? [], id) ?? w.quoted[id]);
  const name = useWorkspace((w) => quoted && nameOf(w, quoted.user_id)) ?? quoted?.username;
  useEffect(() => client.quote(room, id), [client, room, id]);
  if (!quoted) {
    // As high as the quote will be, so that nothing moves when it comes.
    return (
      <div className={styles.qr}>
        <b>An answer</b>
        <span>{quoted === null ? "The message this answers is not there any more." : "\u00a0"}</span>
      </div>
    );
  }
  const words = quoted.deleted ? "Message deleted" : plainText(quoted.content);
  return (
    <button type="button" className={styles.qr} onClick={() => goTo(id)}>
      <b>
        {name}, {hours(quoted.created_at)}
      </b>
      <span>{words}</span>
    </button>
  );
}
