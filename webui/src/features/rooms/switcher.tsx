import { Hash, Lock, Plus, Search, User } from "lucide-react";
import { useEffect, useId, useMemo, useState, type KeyboardEvent, type ReactNode } from "react";
import { inWords } from "../../api/http.ts";
import type { User as WireUser } from "../../api/wire.ts";
import { findPeople, openDirect } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { toast } from "../../ui/parts.tsx";
import styles from "./switcher.module.css";

interface Option {
  readonly key: string;
  readonly lead: ReactNode;
  readonly name: string;
  readonly about: string;
  readonly choose: () => void;
}

/** Jumps to a room or a person by a few letters of the name. */
export function Switcher({ onOpen, onNewRoom, onClose }: { onOpen: (room: string) => void; onNewRoom: (name: string) => void; onClose: () => void }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const options = useOptions(query.trim().toLowerCase(), onOpen, onNewRoom);
  const chosen = Math.min(at, options.length - 1);
  const choose = (option: Option | undefined) => {
    onClose();
    option?.choose();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt((chosen + 1) % options.length);
    else if (e.key === "ArrowUp") setAt((chosen + options.length - 1) % options.length);
    else if (e.key === "Enter") choose(options[chosen]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog title="Jump to a room or a person" onClose={onClose} bare>
      <div className={styles.q}>
        <Search className="i" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={options.length > 0 ? `${id}-${chosen}` : undefined}
          aria-label="Room or person"
          placeholder="Room or person"
          value={query}
          onChange={(e) => {
            setQuery(e.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <ul className={styles.list} role="listbox" id={id} aria-label="Rooms and people">
        {options.map((o, i) => (
          <li key={o.key} id={`${id}-${i}`} role="option" aria-selected={i === chosen} className={styles.o} onPointerMove={() => setAt(i)} onClick={() => choose(o)}>
            <span className={styles.lead}>{o.lead}</span>
            <span className="cut">
              {o.name} <small>{o.about}</small>
            </span>
          </li>
        ))}
      </ul>
      <div className={styles.keys} aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> move
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
      </div>
    </Dialog>
  );
}

const most = 8;

function useOptions(query: string, onOpen: (room: string) => void, onNewRoom: (name: string) => void): Option[] {
  const client = useClient();
  const rooms = useWorkspace((w) => w.rooms);
  const people = useFound(query);
  // The socket tells of rooms the reader is in; others are asked for when they are looked for.
  useEffect(() => void client.loadRooms().catch(() => undefined), [client]);
  return useMemo(() => {
    const fits = Object.values(rooms)
      .filter((r) => r.name.toLowerCase().includes(query))
      .sort((a, b) => Number(b.joined) - Number(a.joined) || a.name.toLowerCase().indexOf(query) - b.name.toLowerCase().indexOf(query) || a.name.localeCompare(b.name))
      .slice(0, most)
      .map((r) => ({
        key: r.id,
        lead: r.kind === "dm" ? <User className="i" /> : r.is_private ? <Lock className="i" /> : <Hash className="i" />,
        name: r.name,
        about: r.joined ? "" : `not joined, ${r.member_count} people`,
        choose: () => onOpen(r.id),
      }));
    const persons = people.slice(0, 5).map((u) => ({
      key: `u${u.user_id}`,
      lead: <Avatar id={u.user_id} name={u.username} size={24} presence={u.presence} />,
      name: u.username,
      about: [u.firstName, u.lastName].filter(Boolean).join(" "),
      choose: () => void openDirect(client, [u.user_id]).then(onOpen, (e: unknown) => toast(inWords(e))),
    }));
    const make = query && { key: "new", lead: <Plus className="i" />, name: `New room named “${query}”`, about: "", choose: () => onNewRoom(query) };
    return [...fits, ...persons, ...(make ? [make] : [])];
  }, [client, rooms, people, query, onOpen, onNewRoom]);
}

/** People whose name has these letters. */
function useFound(query: string): readonly WireUser[] {
  const client = useClient();
  const [found, setFound] = useState<readonly WireUser[]>([]);
  useEffect(() => {
    let present = true;
    const timer = setTimeout(() => {
      if (query === "") return setFound([]);
      // Without people the rooms are still there to choose from.
      findPeople(client, query).then((users) => present && setFound(users), () => undefined);
    }, 150);
    return () => {
      present = false;
      clearTimeout(timer);
    };
  }, [client, query]);
  return found;
}
