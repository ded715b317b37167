/** The shapes of the wire that the app uses, under the names it uses. They are generated from the OpenAPI document. */
import type { RoomID, UserNumber, WireMessage } from "./wire.gen.ts";

export type {
  ClientFrame,
  Invite,
  MemberList,
  MessageID as MessageId,
  Presence,
  Reactions,
  ResetLink,
  Room,
  RoomID as RoomId,
  RoomMember,
  Self,
  ServerFrame,
  SignedIn,
  Tokens,
  Unread,
  User,
  UserList,
  UserNumber as UserId,
  WireMessage,
  WireRoom,
  WireUser,
  Workspace as WorkspaceInfo,
} from "./wire.gen.ts";
export type { Error as WireError } from "./wire.gen.ts";

/**
 * A message as the app keeps it. HTTP sends the same fields and aliases for documented
 * clients besides; keep drops those, so that a page and a socket give equal messages.
 */
export function keep(m: WireMessage): WireMessage {
  return {
    id: m.id,
    seq: m.seq,
    room_id: m.room_id,
    user_id: m.user_id,
    username: m.username,
    content: m.content,
    message_type: m.message_type,
    parent_id: m.parent_id,
    root_id: m.root_id,
    created_at: m.created_at,
    edited_at: m.edited_at,
    deleted: m.deleted,
    reactions: m.reactions,
    reply_count: m.reply_count,
    attachments: m.attachments,
    mentions: m.mentions,
    mention_room: m.mention_room,
    client_id: m.client_id,
  };
}

/** Whether m counts as unread for reader: other people's words, not yet deleted. System lines never count. */
export function counts(m: WireMessage, reader: UserNumber): boolean {
  return m.user_id !== reader && m.message_type !== "system" && !m.deleted;
}

/** Whether m names reader, alone or with everybody in the room. */
export function names(m: WireMessage, reader: UserNumber): boolean {
  return m.user_id !== reader && !m.deleted && (m.mention_room || m.mentions.includes(reader));
}

/** The address of a room's resource: ids are free text, so they are escaped once. */
export function roomPath(room: RoomID): string {
  return `/api/chat/rooms/${encodeURIComponent(room)}`;
}
