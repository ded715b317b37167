import { useEffect } from "react";
import { inWords } from "../../api/http.ts";
import type { WireMessage } from "../../api/wire.ts";
import { nameOf } from "../../state/select.ts";
import { react } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { toast } from "../../ui/parts.tsx";
import styles from "./message.module.css";

/** How people reacted to a message; a press joins in or takes it back. */
export function Reactions({ message }: { message: WireMessage }) {
  const all = Object.entries(message.reactions);
  if (all.length === 0) return null;
  return (
    <div className={styles.rx}>
      {all.map(([reaction, people]) => (
        <Reaction key={reaction} message={message} reaction={reaction} people={people} />
      ))}
    </div>
  );
}

function Reaction({ message, reaction, people }: { message: WireMessage; reaction: string; people: readonly number[] }) {
  const client = useClient();
  const mine = useWorkspace((w) => people.includes(w.me.user_id));
  const who = useWorkspace((w) => inOrder(people, w.me.user_id).map((id) => (id === w.me.user_id ? "you" : (nameOf(w, id) ?? "somebody"))).join(", "));
  useEffect(() => people.forEach((id) => client.meet(id)), [client, people]);
  return (
    <button
      type="button"
      aria-pressed={mine}
      title={who}
      aria-label={`${reaction} ${people.length}: ${who}`}
      onClick={() => void react(client, message, reaction).catch((e: unknown) => toast(inWords(e)))}
    >
      <span aria-hidden="true">{reaction}</span>
      {people.length}
    </button>
  );
}

/** The reader first. */
function inOrder(people: readonly number[], me: number): number[] {
  return [...people].sort((a, b) => Number(b === me) - Number(a === me));
}
