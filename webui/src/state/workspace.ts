import type { MessageId, Presence, RoomId, UserId, WireMessage, WireRoom, WireUser, WorkspaceInfo } from "../api/wire.ts";
import type { Timeline } from "./timeline.ts";

/** Everything the signed-in person sees, as plain data. Only reduce changes it. */
export interface Workspace {
  readonly info?: WorkspaceInfo;
  readonly me: WireUser;
  readonly link: Link;
  /** Whether the list of rooms has come at least once. */
  readonly loaded: boolean;
  readonly rooms: { readonly [id: RoomId]: RoomState };
  readonly timelines: { readonly [id: RoomId]: Timeline };
  readonly views: { readonly [id: RoomId]: View };
  /** People met so far; not the whole directory. */
  readonly users: { readonly [id: UserId]: WireUser };
  /** What others are called, from their messages and comings; users know better. */
  readonly names: { readonly [id: UserId]: string };
  readonly presence: { readonly [id: UserId]: Presence };
  readonly typing: { readonly [id: RoomId]: Typing };
  /** Who is in a direct room, in the order of joining; loaded when such a room is shown. */
  readonly peers: { readonly [id: RoomId]: readonly UserId[] };
  /** Messages that an answer quotes and that are not in a loaded span; null: not there any more. */
  readonly quoted: { readonly [id: MessageId]: WireMessage | null };
  /** Own messages not yet seen in a room's history, oldest first. */
  readonly outbox: readonly Pending[];
}

/** How the live connection stands. */
export interface Link {
  readonly status: "connecting" | "live" | "down";
  /** When it was last live, or when the app started; milliseconds since 1970. */
  readonly since: number;
}

export interface RoomState extends WireRoom {
  readonly joined: boolean;
  /** How much was unread, and how much of it named the reader, when the room's head was at seq. */
  readonly base: { readonly seq: number; readonly unread: number; readonly mentions: number };
  /** Up to where the reader has read since. */
  readonly readTo: number;
}

/** What the reader has in front of them in one room. */
export interface View {
  /** A seq inside the span on screen; undefined: the newest span. */
  readonly anchor?: number;
  /** Whether the ember line is settled, so that marking the room read no longer moves it. */
  readonly opened?: boolean;
  /** The ember line: the first message that was unread when the room was opened. */
  readonly line?: UnreadLine;
  /** Why a page could not be loaded, in words. */
  readonly problem?: string;
}

export interface UnreadLine {
  readonly seq: number;
  readonly id: MessageId;
  /** How many messages were unread from there on. */
  readonly count: number;
  /** When the first of them was written. */
  readonly since: string;
}

export interface Typing {
  readonly users: readonly UserId[];
  /** When the word came; milliseconds since 1970. It is good for about six seconds. */
  readonly at: number;
}

/** A message on its way: queued until there is a connection, sending until the server answers. */
export interface Pending {
  readonly client_id: string;
  readonly room_id: RoomId;
  readonly content: string;
  readonly parent_id: MessageId | null;
  readonly created_at: string;
  readonly state: "queued" | "sending" | "stored" | "failed";
  /** Why it failed, in words. */
  readonly reason?: string;
}

/** The workspace of somebody who has just signed in. */
export function emptyWorkspace(me: WireUser, now: number): Workspace {
  return {
    me,
    link: { status: "connecting", since: now },
    loaded: false,
    rooms: {},
    timelines: {},
    views: {},
    users: { [me.user_id]: me },
    names: {},
    presence: { [me.user_id]: "online" },
    typing: {},
    peers: {},
    quoted: {},
    outbox: [],
  };
}
