import { Compass, Hash, Lock, Plus, Search, Settings, SquarePen } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { Link } from "wouter";
import { loadPeers } from "../../state/deeds.ts";
import { nameOf, needsIn, roomLists, unreadIn } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { lastSpan } from "../../state/timeline.ts";
import type { RoomState } from "../../state/workspace.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { IconButton, IconLink } from "../../ui/button.tsx";
import { Mark } from "../../ui/mark.tsx";
import { Badge } from "../../ui/parts.tsx";
import { shortTime } from "../../ui/time.ts";
import styles from "./sidebar.module.css";

interface SidebarProps {
  /** The room on screen. */
  readonly current: string | undefined;
  /** The page on screen, such as "/browse". */
  readonly page: string;
  /** Whether it is the whole screen, as on phones. */
  readonly alone?: boolean;
  readonly onNewRoom: () => void;
  readonly onJump: () => void;
}

/** The rooms and people of the workspace: the side of the window, or on phones the first screen. */
export function Sidebar({ current, page, alone = false, onNewRoom, onJump }: SidebarProps) {
  const rooms = useWorkspace((w) => w.rooms);
  const name = useWorkspace((w) => w.info?.name ?? "Hearth");
  const me = useWorkspace((w) => w.me);
  const live = useWorkspace((w) => w.link.status === "live");
  const { store } = useClient();
  const lists = useMemo(() => roomLists({ ...store.get(), rooms }), [store, rooms]);
  return (
    <nav className={styles.side} aria-label="Rooms and people">
      <div className={styles.ws}>
        <Mark />
        {alone ? <h1 className="grow cut">{name}</h1> : <span className="grow cut">{name}</span>}
        <IconLink label="New message" href="/people" current={page === "/people"}>
          <SquarePen className="i" />
        </IconLink>
      </div>
      <button type="button" className={styles.jump} onClick={onJump}>
        <Search className="i s" />
        <span className="grow">Jump to</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className={styles.nav}>
        <Item href="/browse" current={page === "/browse"} lead={<Compass className="i" />} name="Browse rooms" preview="Every room you can join" />
        <Section title="Rooms" action={<IconButton label="New room" onClick={onNewRoom} children={<Plus className="i" />} />} />
        {lists.rooms.map((room) => (
          <RoomItem key={room.id} room={room} current={room.id === current} />
        ))}
        {lists.rooms.length === 0 && <p className={styles.hint}>You are in no room yet.</p>}
        <Section
          title="Direct messages"
          action={
            <IconLink label="New direct message" href="/people">
              <Plus className="i" />
            </IconLink>
          }
        />
        {lists.direct.map((room) => (
          <RoomItem key={room.id} room={room} current={room.id === current} />
        ))}
      </div>
      <div className={styles.me}>
        <Avatar id={me.user_id} name={me.username} size={32} presence={live ? "online" : "offline"} />
        <span className="grow">
          <b className="cut">{me.username}</b>
          <small className="cut">{live ? "active" : "offline"}</small>
        </span>
        <IconLink label="Settings" href="/settings" current={page === "/settings"}>
          <Settings className="i" />
        </IconLink>
      </div>
    </nav>
  );
}

function Section({ title, action }: { title: string; action: ReactNode }) {
  return (
    <div className={styles.sect}>
      <h2>{title}</h2>
      {action}
    </div>
  );
}

function RoomItem({ room, current }: { room: RoomState; current: boolean }) {
  const unread = useWorkspace((w) => unreadIn(w, room.id).unread);
  const needs = useWorkspace((w) => needsIn(w, room));
  const preview = usePreview(room);
  const lead = room.kind === "dm" ? <DirectLead room={room} /> : room.is_private ? <Lock className="i" /> : <Hash className="i" />;
  return (
    <Item
      href={`/rooms/${encodeURIComponent(room.id)}`}
      current={current}
      unread={unread > 0}
      lead={lead}
      name={room.name}
      preview={preview}
      when={room.last_message_at ? shortTime(room.last_message_at) : ""}
    >
      {needs > 0 ? (
        <Badge count={needs} label={room.kind === "dm" ? "unread" : "mentions"} />
      ) : (
        unread > 0 && <Badge count={unread} label="unread" quiet />
      )}
    </Item>
  );
}

interface ItemProps {
  readonly href: string;
  readonly current: boolean;
  readonly unread?: boolean;
  readonly lead: ReactNode;
  readonly name: string;
  /** One more line, on phones only. */
  readonly preview?: string;
  readonly when?: string;
  readonly children?: ReactNode;
}

function Item({ href, current, unread = false, lead, name, preview, when, children }: ItemProps) {
  return (
    <Link href={href} aria-current={current ? "page" : undefined} className={`${styles.it} ${unread ? styles.un : ""}`}>
      <span className={styles.lead}>{lead}</span>
      <span className="grow cut">
        <b className="cut">{name}</b>
        <span className={styles.preview}>{preview}</span>
      </span>
      <span className={styles.tail}>
        <span className={styles.when}>{when}</span>
        {children}
      </span>
    </Link>
  );
}

/** The last words of a room, where they are loaded; else what the room is for. */
function usePreview(room: RoomState): string {
  return useWorkspace((w) => {
    const last = lastSpan(w.timelines[room.id] ?? [])?.messages.at(-1);
    if (!last || last.deleted) return room.description;
    const who = last.user_id === w.me.user_id ? "You" : (nameOf(w, last.user_id) ?? last.username);
    const words = last.message_type === "system" ? ` ${last.content}` : `: ${last.content}`;
    return room.kind === "dm" && who !== "You" ? last.content : who + words;
  });
}

/** The picture and presence of the other person in a direct room. */
function DirectLead({ room }: { room: RoomState }) {
  const client = useClient();
  const other = useWorkspace((w) => w.peers[room.id]?.find((id) => id !== w.me.user_id) ?? w.peers[room.id]?.[0]);
  const presence = useWorkspace((w) => (other === undefined ? undefined : (w.presence[other] ?? "offline")));
  useEffect(() => client.once(`peers ${room.id}`, () => loadPeers(client, room.id)), [client, room.id]);
  return <Avatar id={other ?? 0} name={room.name} size={20} presence={room.member_count > 2 ? undefined : presence} />;
}
