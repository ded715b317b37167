import type { ComponentProps, ReactNode } from "react";
import { Link } from "wouter";
import styles from "./button.module.css";

type Kind = "pri" | "sec" | "gho" | "dan" | "txt";
type Size = "sm" | "big";

/** The classes of a button, for links that look like one. */
export function buttonClass(kind: Kind, size?: Size): string {
  return [styles.btn, styles[kind], size && styles[size]].filter(Boolean).join(" ");
}

/** A button with words. At most one of a view is primary. */
export function Button({ kind = "sec", size, ...rest }: ComponentProps<"button"> & { kind?: Kind; size?: Size }) {
  return <button type="button" {...rest} className={buttonClass(kind, size)} />;
}

/** A button that is only an icon; label is its name and its tooltip. */
export function IconButton({ label, ...rest }: ComponentProps<"button"> & { label: string }) {
  return <button type="button" aria-label={label} title={label} {...rest} className={styles.ib} />;
}

/** A link that looks like an icon button. */
export function IconLink({ label, href, current, children }: { label: string; href: string; current?: boolean; children: ReactNode }) {
  return (
    <Link href={href} aria-label={label} title={label} aria-current={current ? "page" : undefined} className={styles.ib ?? ""}>
      {children}
    </Link>
  );
}
