import { ChevronLeft, Menu, X } from "lucide-react";
import { createContext, useContext, useEffect, type ReactNode } from "react";
import { IconButton, IconLink } from "./button.tsx";
import styles from "./page.module.css";

/** Opens the drawer with the rooms where the window is too narrow for a sidebar; undefined: go back to the list instead. */
export const DrawerContext = createContext<(() => void) | undefined>(undefined);

/** What leads from a page to the rooms: the drawer, or on phones the way back. */
function ToRooms() {
  const openDrawer = useContext(DrawerContext);
  return (
    <span className={styles.back}>
      {openDrawer ? (
        <IconButton label="Show rooms" onClick={openDrawer}>
          <Menu className="i" />
        </IconButton>
      ) : (
        <IconLink label="Back to rooms" href="/">
          <ChevronLeft className="i flip" />
        </IconLink>
      )}
    </span>
  );
}

interface HeadProps {
  readonly icon?: ReactNode;
  readonly title: string;
  /** One line about it: beside the title, on phones below. */
  readonly topic?: string;
  readonly sub?: string;
  readonly children?: ReactNode;
}

/** The head of what is on screen. */
export function PageHead({ icon, title, topic, sub, children }: HeadProps) {
  return (
    <header className={styles.head}>
      <ToRooms />
      <div className={styles.title}>
        <h1>
          {icon}
          <span>{title}</span>
        </h1>
        {sub && <div className={styles.sub}>{sub}</div>}
      </div>
      <span className={styles.topic}>{topic}</span>
      {children}
    </header>
  );
}

/** The frame of what is on screen: a head, and what scrolls below. */
export function Main({ children }: { children: ReactNode }) {
  return <main className={styles.main}>{children}</main>;
}

/** A page of words and forms. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Main>
      <PageHead title={title} />
      <div className={styles.page}>
        <div className={styles.wrap}>{children}</div>
      </div>
    </Main>
  );
}

/** What stands beside the timeline; over it where there is no room. Escape closes it. */
export function Panel({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  useEffect(() => {
    const close = (e: KeyboardEvent) => e.key === "Escape" && !document.querySelector("dialog[open]") && onClose();
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <aside className={styles.panel} aria-label={title}>
      <header className={styles.head}>
        <h2 className="grow">{title}</h2>
        <IconButton label={`Close ${title.toLowerCase()}`} onClick={onClose}>
          <X className="i" />
        </IconButton>
      </header>
      <div>{children}</div>
    </aside>
  );
}

/** A part of a panel. */
export function PanelSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.sect}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** One thing of a list, with its picture, a line about it and what can be done. */
export function ListItem({ picture, title, about, children, onOpen }: { picture: ReactNode; title: string; about?: string; children?: ReactNode; onOpen?: () => void }) {
  const inside = (
    <>
      {picture}
      <span className="grow">
        <b className="cut block">{title}</b>
        {about && <p className="cut">{about}</p>}
      </span>
      {children}
    </>
  );
  return (
    <li>
      {onOpen ? (
        <button type="button" className={`${styles.li} full`} onClick={onOpen}>
          {inside}
        </button>
      ) : (
        <div className={styles.li}>{inside}</div>
      )}
    </li>
  );
}

export function List({ children }: { children: ReactNode }) {
  return <ul className={styles.list}>{children}</ul>;
}

/** The square behind an icon in a list. */
export function Tile({ children }: { children: ReactNode }) {
  return <span className={styles.ic}>{children}</span>;
}

/** A setting: what it is, a sentence about it, its control. */
export function Setting({ title, about, children }: { title: string; about?: string; children: ReactNode }) {
  return (
    <div className={styles.row}>
      <div>
        <b>{title}</b>
        {about && <p>{about}</p>}
      </div>
      {children}
    </div>
  );
}

/** Fields below each other. */
export function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className={styles.form}
      onSubmit={(e) => {
        e.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}
