import type { CSSProperties, ReactNode } from "react";
import styles from "./avatar.module.css";

const hues = [22, 48, 75, 110, 145, 172, 205, 245, 290, 345];

/** A person's colour, from their number and not their name: a rename keeps it. FNV-1a, one murmur mix, modulo ten. */
export function hue(id: number): number {
  let h = 2166136261;
  for (const c of String(id)) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return hues[(h >>> 0) % hues.length] ?? 22;
}

/** One or two letters for a name: the first of its first two words, or its first two letters. */
export function initials(name: string): string {
  const words = name
    .replace(/[^\p{L}\p{N} ]/gu, " ")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .split(" ")
    .filter(Boolean);
  const [first, second] = words;
  if (!first) return "?";
  const letters = [...first];
  return ((letters[0] ?? "") + (second ? ([...second][0] ?? "") : (letters[1] ?? ""))).toUpperCase();
}

const shapes: { [status: string]: [words: string, shape: ReactNode] } = {
  online: ["active", <circle key="s" cx="6" cy="6" r="5" fill="currentColor" />],
  away: ["away", <path key="s" d="M6 1a5 5 0 1 0 5 5 4 4 0 0 1-5-5z" fill="currentColor" />],
  dnd: ["do not disturb", <path key="s" fillRule="evenodd" d="M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1zM3.2 5v2h5.6V5z" fill="currentColor" />],
  offline: ["offline", <circle key="s" cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" />],
};

/** A person's status in a word, for the accessible name and for lists. */
export function presenceWord(status: string | undefined): string {
  return shapes[status ?? "offline"]?.[0] ?? "offline";
}

/** A person as a hearthstone. Below 26 px it shows one letter. */
export function Avatar({ id, name, size, presence }: { id: number; name: string; size?: number; presence?: string }) {
  const small = size !== undefined && size < 26;
  const style = { "--h": hue(id), ...(size !== undefined && { "--sz": `${size}px` }) } as CSSProperties;
  const letters = initials(name);
  return (
    <span className={`${styles.ava} ${small ? styles.small : ""}`} style={style}>
      <span aria-hidden="true">{small ? [...letters][0] : letters}</span>
      {presence && (
        <span className={`${styles.pres} ${styles[presence] ?? ""}`} role="img" aria-label={presenceWord(presence)}>
          <svg viewBox="0 0 12 12">{shapes[presence]?.[1]}</svg>
        </span>
      )}
    </span>
  );
}

/** Up to three people in a row. */
export function AvatarStack({ people }: { people: readonly { id: number; name: string }[] }) {
  return (
    <span className={styles.stack}>
      {people.slice(0, 3).map((p) => (
        <Avatar key={p.id} id={p.id} name={p.name} size={20} />
      ))}
    </span>
  );
}
