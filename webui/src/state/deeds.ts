import { keep, roomPath, type Invite, type MemberList, type Reactions, type ResetLink, type Room, type RoomId, type Self, type UserId, type UserList, type WireMessage, type WorkspaceInfo } from "../api/wire.ts";
import type { Client } from "./client.ts";

// What the reader does beside writing. Each deed asks the server, and applies its answer at
// once: the same word over the socket then changes nothing. All throw Refused or Unreachable.

/** Changes the words of an own message. */
export async function editMessage({ session, store }: Client, m: WireMessage, content: string): Promise<void> {
  const message = keep(await session.call<WireMessage>("PATCH", `/api/messages/${m.id}`, { content }));
  store.dispatch({ type: "page", room_id: m.room_id, messages: [message] });
}

/** Deletes a message for everybody. */
export async function deleteMessage({ session, store }: Client, m: WireMessage): Promise<void> {
  await session.call("DELETE", `/api/messages/${m.id}`);
  const message = { ...m, deleted: true, content: "", reactions: {}, mentions: [], mention_room: false };
  store.dispatch({ type: "page", room_id: m.room_id, messages: [message] });
}

/** Gives a reaction, or takes it back when it was given. */
export async function react({ session, store }: Client, m: WireMessage, reaction: string): Promise<void> {
  const given = m.reactions[reaction]?.includes(store.get().me.user_id);
  const answer = await session.call<{ reactions: Reactions }>(given ? "DELETE" : "POST", "/api/chat/reactions", { message_id: m.id, reaction });
  store.dispatch({ type: "reacted", room_id: m.room_id, message_id: m.id, reactions: answer.reactions });
}

/** Makes a room with the reader in it. */
export async function createRoom({ session, store }: Client, room: { name: string; description: string; is_private: boolean }): Promise<RoomId> {
  const made = await session.call<Room>("POST", "/api/chat/rooms", room);
  store.dispatch({ type: "room", room: made });
  return made.id;
}

export async function joinRoom({ session, store }: Client, id: RoomId): Promise<void> {
  const { room } = await session.call<{ room: Room }>("POST", `${roomPath(id)}/join`, {});
  store.dispatch({ type: "room", room });
}

/** Leaves a room; a private one disappears from the list. */
export async function leaveRoom({ session, store }: Client, id: RoomId): Promise<void> {
  await session.call("POST", `${roomPath(id)}/leave`, {});
  store.dispatch({ type: "left", room_id: id });
}

/** The one direct room of the reader and these people, made when there is none. */
export async function openDirect({ session, store }: Client, people: readonly UserId[]): Promise<RoomId> {
  const room = await session.call<Room>("POST", "/api/chat/dms", { user_ids: people });
  store.dispatch({ type: "room", room });
  return room.id;
}

/** Up to limit people, by name; q narrows them down; after: a user_id. */
export async function findPeople({ session, store }: Client, q: string, after?: UserId): Promise<UserList["users"]> {
  const query = new URLSearchParams({ limit: "50", ...(q && { q }), ...(after && { after: String(after) }) });
  const { users } = await session.call<UserList>("GET", `/api/users/?${query.toString()}`);
  store.dispatch({ type: "users", users });
  return users;
}

/** A page of the people in a room; after: a user_id. */
export async function roomMembers({ session, store }: Client, id: RoomId, after?: UserId): Promise<MemberList["members"]> {
  const query = new URLSearchParams({ limit: "100", ...(after && { after: String(after) }) });
  const { members } = await session.call<MemberList>("GET", `${roomPath(id)}/members?${query.toString()}`);
  store.dispatch({ type: "users", users: members.map((m) => m.user) });
  return members;
}

/** Learns who is in a direct room, for its picture and presence. */
export async function loadPeers(client: Client, id: RoomId): Promise<void> {
  const users = (await roomMembers(client, id)).map((m) => m.user.user_id);
  client.store.dispatch({ type: "peers", room_id: id, users });
}

/** Adds somebody to a room. */
export async function addMember({ session, store }: Client, id: RoomId, user: UserId): Promise<void> {
  const { room } = await session.call<{ room: Room }>("POST", `${roomPath(id)}/members`, { user_ids: [user] });
  store.dispatch({ type: "room", room });
}

/** Makes a link that lets people register; with a room, they land in it. */
export function makeInvite({ session }: Client, room?: RoomId): Promise<Invite> {
  return session.call<Invite>("POST", "/api/admin/invites", room ? { room_id: room } : {});
}

/** Makes a link with which somebody who forgot their password chooses a new one. */
export function makeResetLink({ session }: Client, user: UserId): Promise<ResetLink> {
  return session.call<ResetLink>("POST", `/api/admin/users/${user}/reset-link`, {});
}

export async function renameWorkspace({ session, store }: Client, name: string): Promise<void> {
  store.dispatch({ type: "info", info: await session.call<WorkspaceInfo>("PATCH", "/api/workspace", { name }) });
}

/** Changes the reader's user name. */
export async function rename({ session, store }: Client, username: string): Promise<Self> {
  const { user } = await session.call<{ user: Self }>("PUT", "/api/auth/profile", { username });
  store.dispatch({ type: "self", me: user });
  return user;
}

/** Changes the password and signs out every other device. */
export async function changePassword({ session }: Client, currentPassword: string, newPassword: string): Promise<void> {
  await session.call("PUT", "/api/auth/change-password", { currentPassword, newPassword });
}
