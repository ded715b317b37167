import { CircleAlert } from "lucide-react";
import { useId, type ComponentProps, type ReactNode } from "react";
import styles from "./field.module.css";

/** One line of text with its label above and its help or error below. */
export function Field({ label, help, error, ...input }: ComponentProps<"input"> & { label: string; help?: ReactNode; error?: string }) {
  const id = useId();
  const below = `${id}-below`;
  return (
    <div className={styles.fld}>
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        className={styles.inp}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || help ? below : undefined}
      />
      {error ? (
        <Problem id={below}>{error}</Problem>
      ) : (
        help && (
          <p className={styles.help} id={below}>
            {help}
          </p>
        )
      )}
    </div>
  );
}

/** What went wrong, in a sentence. */
export function Problem({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <p className={styles.err} id={id} role="alert">
      <CircleAlert className="i s" />
      <span>{children}</span>
    </p>
  );
}

/** A box to tick, with a sentence that says what it does. */
export function Check({ label, help, checked, onChange }: { label: string; help?: string; checked: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <div className={styles.check}>
      <input id={id} type="checkbox" checked={checked} onChange={(e) => onChange(e.target.checked)} aria-describedby={help && `${id}-help`} />
      <label htmlFor={id}>{label}</label>
      {help && <p id={`${id}-help`}>{help}</p>}
    </div>
  );
}

/** A choice of a few words, of which one is on. */
export function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <div className={styles.seg} role="radiogroup" aria-label={label}>
      {options.map(([option, words]) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          {words}
        </label>
      ))}
    </div>
  );
}
