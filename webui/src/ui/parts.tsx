import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { Flame } from "./mark.tsx";
import styles from "./parts.module.css";

/** A count that needs the reader (ember), or one that can wait (quiet). */
export function Badge({ count, label, quiet = false }: { count: number; label: string; quiet?: boolean }) {
  return (
    <span className={`${styles.badge} ${quiet ? styles.quiet : ""}`} role="img" aria-label={`${count} ${label}`}>
      {count > 99 ? "99+" : count}
    </span>
  );
}

/** Nothing here: a title, a sentence or two, at most two buttons. */
export function Empty({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <Flame />
      <h2>{title}</h2>
      <p>{children}</p>
      {actions}
    </div>
  );
}

/** A calm notice under the header. */
export function Banner({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.bar} role="status">
      {icon}
      <span className="grow">{children}</span>
    </div>
  );
}

/** True once delay milliseconds have passed. */
export function useLater(delay: number): boolean {
  const [later, setLater] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLater(true), delay);
    return () => clearTimeout(timer);
  }, [delay]);
  return later;
}

/** Shapes of messages while there is nothing to show yet; not before 200 ms. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  if (!useLater(200)) return null;
  return Array.from({ length: rows }, (_, i) => (
    <div className={styles.sk} aria-hidden="true" key={i}>
      <i />
      <i style={{ inlineSize: `${22 + ((i * 7) % 15)}%` }} />
      <i style={{ inlineSize: `${50 + ((i * 17) % 40)}%` }} />
    </div>
  ));
}

let notice: { text: string } | undefined;
const listeners = new Set<() => void>();

/** Says something at the bottom of the window for five seconds; one thing at a time. */
export function toast(text: string): void {
  notice = { text };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where toasts appear. */
export function Toasts() {
  const present = useSyncExternalStore(subscribe, () => notice);
  useEffect(() => {
    if (!present) return;
    const timer = setTimeout(() => {
      notice = undefined;
      for (const listener of listeners) listener();
    }, 5_000);
    return () => clearTimeout(timer);
  }, [present]);
  return <div role="status">{present && <div className={styles.toast}>{present.text}</div>}</div>;
}
