import type { ReactNode } from "react";
import { Arches, Mark } from "../../ui/mark.tsx";
import styles from "./door.module.css";

interface DoorProps {
  readonly title: string;
  readonly lead?: ReactNode;
  /** Which of the two steps of the first run this is. */
  readonly step?: 1 | 2;
  /** What stands under the arches: a few words, and a sentence. */
  readonly said?: readonly [string, string];
  readonly children?: ReactNode;
}

const welcome = ["Your conversations stay in this house.", "Nothing leaves this server unless you ask it to."] as const;

/** The page before the rooms: a form beside the arches. */
export function Door({ title, lead, step, said = welcome, children }: DoorProps) {
  return (
    <main className={styles.door}>
      <div className={styles.l}>
        <div className={styles.fm}>
          <div className={styles.brand}>
            <Mark size={36} />
            Hearth
          </div>
          <div>
            {step && (
              <div className={styles.steps} role="img" aria-label={`Step ${step} of 2`}>
                <i className={styles.done} />
                <i className={step === 2 ? styles.done : undefined} />
              </div>
            )}
            <h1>{title}</h1>
            {lead && <p className={styles.lead}>{lead}</p>}
          </div>
          {children}
        </div>
      </div>
      <div className={styles.rgt}>
        <Arches className={styles.arches} />
        <div className={styles.said}>
          <b>{said[0]}</b>
          <p>{said[1]}</p>
        </div>
      </div>
    </main>
  );
}

/** The fields of a door, one below the other. */
export function DoorForm({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className={styles.fm}
      onSubmit={(e) => {
        e.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

/** A small sentence under a form. */
export function Aside({ children }: { children: ReactNode }) {
  return <p className={styles.small}>{children}</p>;
}
