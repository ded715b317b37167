import { useEffect, useState } from "react";
import { nameOf } from "../../state/select.ts";
import { useWorkspace } from "../../state/store.ts";
import styles from "./composer.module.css";

/** The server takes the word back after six seconds; a lost connection must not leave it standing. */
const goodFor = 8_000;

/** Who is writing in a room, three names at most. */
export function TypingLine({ room }: { room: string }) {
  const typing = useWorkspace((w) => w.typing[room]);
  const words = useWorkspace((w) => {
    const others = (w.typing[room]?.users ?? []).filter((id) => id !== w.me.user_id);
    return sentence(others.map((id) => nameOf(w, id) ?? "somebody"));
  });
  const [gone, setGone] = useState<number>();
  useEffect(() => {
    if (!typing) return;
    const timer = setTimeout(() => setGone(typing.at), goodFor);
    return () => clearTimeout(timer);
  }, [typing]);
  if (words === "" || gone === typing?.at) return <span />;
  return (
    <span>
      <span className={styles.pulse} aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span>{words}</span>
    </span>
  );
}

/** "ann is typing", "ann and bob are typing", "several people are typing" */
export function sentence(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length > 3) return "several people are typing";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing`;
}
