import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button, IconButton } from "./button.tsx";
import styles from "./dialog.module.css";

interface DialogProps {
  /** Its name; shown unless bare. */
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Wide and without a head: the switcher. */
  readonly bare?: boolean;
}

/** A modal dialog: focus moves in, Escape and the backdrop close it, focus goes back. On phones a sheet from below. */
export function Dialog({ title, onClose, children, bare = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-first], input, textarea")?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={`${styles.dlg} ${bare ? styles.wide : ""}`}
      aria-labelledby={bare ? undefined : id}
      aria-label={bare ? title : undefined}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onClick={(e) => e.target === ref.current && onClose()}
    >
      {!bare && (
        <div className={styles.top}>
          <h2 id={id}>{title}</h2>
          <IconButton label="Close" onClick={onClose}>
            <X className="i" />
          </IconButton>
        </div>
      )}
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  /** A question. */
  readonly title: string;
  /** What it means. */
  readonly children: ReactNode;
  readonly stay: string;
  /** The deed, by its name. */
  readonly deed: string;
  readonly onStay: () => void;
  readonly onDeed: () => void;
}

/** Asks before what cannot be undone. The safe choice comes first and has the focus. */
export function Confirm({ title, children, stay, deed, onStay, onDeed }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onStay}>
      <p>{children}</p>
      <Actions>
        <Button data-first onClick={onStay}>
          {stay}
        </Button>
        <Button kind="dan" onClick={onDeed}>
          {deed}
        </Button>
      </Actions>
    </Dialog>
  );
}

/** The buttons at the end of a dialog or an empty state. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className={styles.acts}>{children}</div>;
}
