// Written by scripts/wire-types.mjs from server/openapi.json; do not edit.

/** Every error of every operation. */
export type Error = {
  /** What is wrong, for a person. The same words as message. */
  error: string;
  message: string;
  /** The field and the rule, or what was looked for. */
  details: string;
  /** What is wrong, for a program, such as room_not_found. */
  code: string;
  timestamp: Time;
};

/** RFC 3339, UTC, exactly three fraction digits. */
export type Time = string;

/** The number of a user, from 1, never reused. */
export type UserNumber = number;

/** The other name of a user: 24 hex digits, a valid ObjectId. */
export type UserHexID = string;

/** A UUID for rooms made here; imported rooms keep theirs. */
export type RoomID = string;

/** A UUIDv7. Order is seq, never the id. */
export type MessageID = string;

/** Opaque: a place in the log to resume from with ?since=. */
export type Cursor = string;

export type Presence = ("online" | "away" | "dnd" | "offline");

/** Who gave which reaction, such as {"👍":[1,7]}. */
export type Reactions = { [key: string]: UserNumber[] };

export type Profile = {
  display_name: string;
  avatar_url: string;
  bio: string;
};

/** A user as sockets tell it: no e-mail, no aliases. */
export type WireUser = {
  id: UserHexID;
  user_id: UserNumber;
  /** deleted-<user_id> for a closed account. */
  username: string;
  firstName: string;
  lastName: string;
  /** Own file or https URL; empty for none. */
  avatar: string;
  emailVerified: boolean;
  isActive: boolean;
  role: ("admin" | "member" | "guest");
  presence: Presence;
  profile: Profile;
  created_at: Time;
  updated_at: Time;
  lastLogin: (Time | null);
};

/** A user over HTTP. Only an admin sees the e-mail of others. */
export type User = {
  id: UserHexID;
  user_id: UserNumber;
  /** deleted-<user_id> for a closed account. */
  username: string;
  firstName: string;
  lastName: string;
  /** Own file or https URL; empty for none. */
  avatar: string;
  emailVerified: boolean;
  isActive: boolean;
  role: ("admin" | "member" | "guest");
  presence: Presence;
  profile: Profile;
  created_at: Time;
  updated_at: Time;
  lastLogin: (Time | null);
  _id: UserHexID;
  createdAt: Time;
  updatedAt: Time;
  email?: (string | null);
};

/** The caller's own account. */
export type Self = {
  id: UserHexID;
  user_id: UserNumber;
  /** deleted-<user_id> for a closed account. */
  username: string;
  firstName: string;
  lastName: string;
  /** Own file or https URL; empty for none. */
  avatar: string;
  emailVerified: boolean;
  isActive: boolean;
  role: ("admin" | "member" | "guest");
  presence: Presence;
  profile: Profile;
  created_at: Time;
  updated_at: Time;
  lastLogin: (Time | null);
  _id: UserHexID;
  createdAt: Time;
  updatedAt: Time;
  email: (string | null);
};

/** A room as sockets tell it. Frames shared by an audience carry nothing of one viewer. */
export type WireRoom = {
  id: RoomID;
  /** That of a direct room is computed per viewer. */
  name: string;
  description: string;
  /** 0: nobody, for some imported rooms. */
  creator_id: number;
  is_private: boolean;
  created_at: Time;
  member_count: number;
  online_members: number;
  kind: ("room" | "dm");
  last_message_at: (Time | null);
  /** The newest seq; 0 before the first message. */
  head_seq: number;
  unread_count?: number;
  mention_count?: number;
  joined?: boolean;
};

/** A room over HTTP, as the caller sees it. */
export type Room = {
  id: RoomID;
  /** That of a direct room is computed per viewer. */
  name: string;
  description: string;
  /** 0: nobody, for some imported rooms. */
  creator_id: number;
  is_private: boolean;
  created_at: Time;
  member_count: number;
  online_members: number;
  kind: ("room" | "dm");
  last_message_at: (Time | null);
  /** The newest seq; 0 before the first message. */
  head_seq: number;
  unread_count: number;
  mention_count: number;
  joined: boolean;
  creatorId: (UserHexID | null);
  isPrivate: boolean;
  createdAt: Time;
  memberCount: number;
};

/** A message as sockets tell it: no aliases. */
export type WireMessage = {
  id: MessageID;
  /** 1, 2, 3… in its room, without gaps. */
  seq: number;
  room_id: RoomID;
  user_id: UserNumber;
  /** The author's present name. */
  username: string;
  /** Empty when deleted. */
  content: string;
  message_type: ("text" | "image" | "file" | "system");
  parent_id: (MessageID | null);
  root_id: (MessageID | null);
  created_at: Time;
  edited_at: (Time | null);
  deleted: boolean;
  reactions: Reactions;
  /** On a root: replies in the whole tree. */
  reply_count: number;
  attachments: [];
  /** Members named in the content. */
  mentions: UserNumber[];
  /** The content names everybody in the room. */
  mention_room: boolean;
  client_id: (string | null);
};

/** A message over HTTP, with the names documented clients read. */
export type Message = {
  id: MessageID;
  /** 1, 2, 3… in its room, without gaps. */
  seq: number;
  room_id: RoomID;
  user_id: UserNumber;
  /** The author's present name. */
  username: string;
  /** Empty when deleted. */
  content: string;
  message_type: ("text" | "image" | "file" | "system");
  parent_id: (MessageID | null);
  root_id: (MessageID | null);
  created_at: Time;
  edited_at: (Time | null);
  deleted: boolean;
  reactions: Reactions;
  /** On a root: replies in the whole tree. */
  reply_count: number;
  attachments: [];
  /** Members named in the content. */
  mentions: UserNumber[];
  /** The content names everybody in the room. */
  mention_room: boolean;
  client_id: (string | null);
  roomId: RoomID;
  userId: UserHexID;
  createdAt: Time;
  messageType: ("text" | "image" | "file" | "system");
  parentId: (MessageID | null);
  sender_id: UserHexID;
  sender_name: string;
  timestamp: Time;
  type: ("text" | "image" | "file" | "system");
};

/** A message posted by room_id. */
export type PostedMessage = {
  id: MessageID;
  /** 1, 2, 3… in its room, without gaps. */
  seq: number;
  room_id: RoomID;
  user_id: UserNumber;
  /** The author's present name. */
  username: string;
  /** Empty when deleted. */
  content: string;
  message_type: ("text" | "image" | "file" | "system");
  parent_id: (MessageID | null);
  root_id: (MessageID | null);
  created_at: Time;
  edited_at: (Time | null);
  deleted: boolean;
  reactions: Reactions;
  /** On a root: replies in the whole tree. */
  reply_count: number;
  attachments: [];
  /** Members named in the content. */
  mentions: UserNumber[];
  /** The content names everybody in the room. */
  mention_room: boolean;
  client_id: (string | null);
  roomId: RoomID;
  userId: UserHexID;
  createdAt: Time;
  messageType: ("text" | "image" | "file" | "system");
  parentId: (MessageID | null);
  sender_id: UserHexID;
  sender_name: string;
  timestamp: Time;
  type: ("text" | "image" | "file" | "system");
  message_id: MessageID;
};

export type Receipt = {
  user_id: UserNumber;
  username: string;
  read_at: Time;
};

export type Unread = {
  user_id: UserNumber;
  total_unread: number;
  total_mentions: number;
  rooms: { [key: string]: RoomUnread };
};

export type RoomUnread = {
  unread: number;
  mentions: number;
  last_read_id: (MessageID | null);
  first_unread_id: (MessageID | null);
};

export type RoomMember = {
  user: User;
  role: ("owner" | "moderator" | "member");
  joined_at: Time;
};

/** refreshToken is absent when it is in the cookie. */
export type TokenPair = {
  accessToken: string;
  refreshToken?: string;
};

export type Tokens = {
  /** The access token, a JWT. */
  token: string;
  refreshToken?: string;
  tokens: TokenPair;
};

/** refreshToken is absent, here and in tokens, when the client asked for the cookie. */
export type SignedIn = {
  message: string;
  user: Self;
  /** The access token, a JWT. */
  token: string;
  refreshToken?: string;
  tokens: TokenPair;
};

/** Registered; signs in once the e-mail address is verified. */
export type AwaitingVerification = {
  message: string;
  user: Self;
};

export type Workspace = {
  id: string;
  name: string;
  version: string;
  registration: ("open" | "invite" | "closed");
  /** There is no admin yet. */
  needs_setup: boolean;
  /** Mail is configured. */
  email: boolean;
};

export type Invite = {
  code: string;
  url: string;
  room_id: (RoomID | null);
  expires_at: Time;
};

export type ResetLink = {
  url: string;
  expires_at: Time;
};

export type Health = {
  status: HealthStatus;
  version: string;
  services: {
    /** User Service, Chat Service, Message Service. */
    name: string;
    url: string;
    status: HealthStatus;
    last_checked: Time;
  }[];
  timestamp: Time;
};

export type HealthStatus = ("healthy" | "degraded" | "unhealthy");

export type Index = {
  message: string;
  version: string;
  description: string;
  endpoints: {
    health: string;
    auth: string;
    users: string;
    chat: string;
    messages: string;
  };
};

/** It is done. */
export type Done = {
  message: string;
};

export type UserAnswer = {
  user: User;
};

export type SelfAnswer = {
  user: Self;
};

export type SelfChanged = {
  message: string;
  user: Self;
};

export type UserList = {
  users: User[];
};

export type RoomList = Room[];

export type MessageList = Message[];

export type JoinedRoom = {
  message: "Successfully joined room";
  room: Room;
};

export type LeftRoom = {
  message: "Successfully left room";
};

export type MemberList = {
  members: RoomMember[];
};

export type MembersAdded = {
  added: UserNumber[];
  room: Room;
};

export type MessageRead = {
  message: "Message marked as read";
  read_at: Time;
};

export type RoomRead = {
  message: "Messages marked as read";
  read_at: Time;
  unread: number;
  mentions: number;
};

export type MarkedUnread = {
  message: "Message marked as unread";
  unread: number;
  mentions: number;
};

export type ReceiptList = {
  receipts: Receipt[];
};

export type ReactionsAnswer = {
  message_id: MessageID;
  room_id: RoomID;
  reactions: Reactions;
};

export type TypingAnswer = {
  message: "Typing status updated";
};

/** The first frame of a socket. */
export type FrameHello = {
  type: "hello";
  cursor: Cursor;
  user: WireUser;
  /** Seconds between pings a client should send. */
  heartbeat: number;
  rooms: { [key: string]: {
    head_seq: number;
    unread: number;
    mentions: number;
  } };
};

/** To the sender, once the message is on disk. */
export type FrameAck = {
  type: "ack";
  client_id?: string;
  message: WireMessage;
  cursor: Cursor;
};

/** To everyone in the room, in seq order. */
export type FrameMessage = {
  type: "message";
  message: WireMessage;
  cursor: Cursor;
};

export type FrameMessageUpdated = {
  type: "message_updated";
  message: WireMessage;
  cursor: Cursor;
};

export type FrameMessageDeleted = {
  type: "message_deleted";
  message: WireMessage;
  cursor: Cursor;
};

export type FrameReactionAdded = {
  type: "reaction_added";
  room_id: RoomID;
  message_id: MessageID;
  reaction: string;
  user_id: UserNumber;
  reactions: Reactions;
  cursor: Cursor;
};

export type FrameReactionRemoved = {
  type: "reaction_removed";
  room_id: RoomID;
  message_id: MessageID;
  reaction: string;
  user_id: UserNumber;
  reactions: Reactions;
  cursor: Cursor;
};

/** To members: user_id has read up to message_id. */
export type FrameReadReceipt = {
  type: "read_receipt";
  room_id: RoomID;
  user_id: UserNumber;
  message_id: MessageID;
  seq: number;
  read_at: Time;
  cursor: Cursor;
};

/** Everyone typing there now. */
export type FrameTypingUpdate = {
  type: "typing_update";
  room_id: RoomID;
  typing_users: UserNumber[];
  timestamp: Time;
};

/** To people who share a room. */
export type FramePresenceChange = {
  type: "presence_change";
  user_id: UserNumber;
  username: string;
  status: Presence;
  timestamp: Time;
};

export type FrameUserJoined = {
  type: "user_joined";
  room_id: RoomID;
  user_id: UserNumber;
  username: string;
  timestamp: Time;
  cursor: Cursor;
};

export type FrameUserLeft = {
  type: "user_left";
  room_id: RoomID;
  user_id: UserNumber;
  username: string;
  timestamp: Time;
  cursor: Cursor;
};

export type FrameRoomCreated = {
  type: "room_created";
  room: WireRoom;
  room_id: RoomID;
  cursor: Cursor;
};

export type FrameRoomUpdated = {
  type: "room_updated";
  room: WireRoom;
  room_id: RoomID;
  cursor: Cursor;
};

export type FrameRoomDeleted = {
  type: "room_deleted";
  room_id: RoomID;
  cursor: Cursor;
};

/** To the reader's own sockets. */
export type FrameUnreadUpdate = {
  type: "unread_update";
  room_id: RoomID;
  unread: number;
  mentions: number;
  last_read_id: (MessageID | null);
  first_unread_id: (MessageID | null);
};

/** To people who share a room. */
export type FrameUserUpdated = {
  type: "user_updated";
  user: WireUser;
  user_id: UserNumber;
  cursor: Cursor;
};

/** The replay is over; from here on every event comes once, as it happens. */
export type FrameLive = {
  type: "live";
  cursor: Cursor;
};

/** The cursor is too old: load everything anew. */
export type FrameResync = {
  type: "resync";
};

export type FramePong = {
  type: "pong";
};

/** The last frame was refused; the socket stays open. */
export type FrameError = {
  type: "error";
  error: string;
  details: string;
  code: string;
  timestamp: Time;
  client_id?: string;
  /** Seconds to wait when over a limit. */
  retry_after?: number;
};

/** Every frame the server sends, told apart by type. */
export type ServerFrame = (FrameHello | FrameAck | FrameMessage | FrameMessageUpdated | FrameMessageDeleted | FrameReactionAdded | FrameReactionRemoved | FrameReadReceipt | FrameTypingUpdate | FramePresenceChange | FrameUserJoined | FrameUserLeft | FrameRoomCreated | FrameRoomUpdated | FrameRoomDeleted | FrameUnreadUpdate | FrameUserUpdated | FrameLive | FrameResync | FramePong | FrameError);

/** 1–64 printable ASCII characters, remembered 30 days per author: sending again is safe. */
export type ClientID = string;

/** At most 64 bytes. */
export type ReactionText = string;

export type ClientFrameMessage = {
  type: "message";
  content: string;
  client_id?: ClientID;
  parent_id?: MessageID;
  message_type?: ("text" | "image" | "file");
  room_id?: RoomID;
};

export type ClientFrameTyping = {
  type: "typing";
  is_typing: boolean;
  room_id?: RoomID;
};

export type ClientFrameRead = {
  type: "read";
  message_id: MessageID;
  room_id?: RoomID;
};

export type ClientFrameReaction = {
  type: "reaction";
  message_id: MessageID;
  reaction: ReactionText;
  remove?: boolean;
  room_id?: RoomID;
};

export type ClientFrameEdit = {
  type: "edit";
  message_id: MessageID;
  content: string;
  room_id?: RoomID;
};

export type ClientFrameDelete = {
  type: "delete";
  message_id: MessageID;
  room_id?: RoomID;
};

export type ClientFramePresence = {
  type: "presence";
  status: ("online" | "away" | "dnd");
};

export type ClientFramePing = {
  type: "ping";
};

/** Every frame a client sends. On a one-room socket room_id may be left out. */
export type ClientFrame = (ClientFrameMessage | ClientFrameTyping | ClientFrameRead | ClientFrameReaction | ClientFrameEdit | ClientFrameDelete | ClientFramePresence | ClientFramePing);
