package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Position is a place in the log. Positions of different epochs cannot be compared: the
// epoch changes when a workspace is restored.
type Position struct {
	Epoch uint64
	Seq   uint64
}

// String is the opaque form that clients keep as a cursor.
func (p Position) String() string {
	return strconv.FormatUint(p.Epoch, 36) + "-" + strconv.FormatUint(p.Seq, 36)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	epoch, seq, ok := strings.Cut(s, "-")
	e, err1 := strconv.ParseUint(epoch, 36, 64)
	n, err2 := strconv.ParseUint(seq, 36, 64)
	if p := (Position{e, n}); ok && err1 == nil && err2 == nil && p.String() == s {
		return p, nil
	}
	return Position{}, Invalid("cursor", "must be one that the server gave")
}

// ChangeKind says what happened.
type ChangeKind uint8

// The kinds of change. Followers pass over kinds they do not know. Numbers are stored
// and never reused.
const (
	MessagePosted   ChangeKind = 1  // Room, User (author), Message, Seq
	MessageEdited   ChangeKind = 2  // Room, User (who), Message, Seq
	MessageDeleted  ChangeKind = 3  // Room, User (who), Message, Seq
	ReactionAdded   ChangeKind = 4  // Room, User (who), Message, Seq, Text (the reaction)
	ReactionRemoved ChangeKind = 5  // Room, User (who), Message, Seq, Text (the reaction)
	MessagesRead    ChangeKind = 6  // Room, User, From through Seq, Message (of Seq), At
	MarkedUnread    ChangeKind = 7  // Room, User, Message, Seq (the marker)
	MemberJoined    ChangeKind = 8  // Room, User (whom); also when a hidden direct room shows again
	MemberLeft      ChangeKind = 9  // Room, User (whom); also when a direct room is hidden
	MemberChanged   ChangeKind = 10 // Room, User (whom): the role changed
	RoomCreated     ChangeKind = 11 // Room, User (who); MemberJoined of each first member follows
	RoomEdited      ChangeKind = 12 // Room, User (who)
	RoomDeleted     ChangeKind = 13 // Room, User (who)
	RoomImported    ChangeKind = 14 // Room, From through Seq: messages came in at once
	UserEdited      ChangeKind = 15 // User: the account changed
	SessionsEnded   ChangeKind = 16 // User: sessions of the account ended
)

// Change is one entry of the log. It is thin: followers look at the present record. The
// records ride along only while they are at hand, which live delivery uses.
type Change struct {
	Position Position
	Kind     ChangeKind
	Room     RoomID
	User     UserID
	Message  MessageID
	Seq      Seq
	From     Seq
	Text     string
	At       time.Time

	// Of the commit itself, or nil: look it up. Shared, never modified.
	RecordMessage *Message
	RecordRoom    *Room
}

// Log is the order of everything that happened.
type Log interface {
	// Head is the position of the newest change.
	Head(ctx context.Context) (Position, error)

	// Changes returns up to limit changes after a position, oldest first. ErrExpired when
	// some have been trimmed away or the position is of another epoch.
	Changes(ctx context.Context, after Position, limit int) ([]Change, error)

	// Wait returns nil when something follows after.
	Wait(ctx context.Context, after Position) error

	// Trim forgets changes before a position.
	Trim(ctx context.Context, before Position) error

	// RelayUsers writes changes of accounts into the log, together with the revision they
	// reach; UsersRelayed returns the newest one written.
	RelayUsers(ctx context.Context, changes []UserChange) error
	UsersRelayed(ctx context.Context) (Revision, error)
}

// Workspace is everything but the people: one engine, Badger. Its parts share a transaction.
type Workspace interface {
	Rooms
	Messages
	Imports
	Receipts
	Log
}

func (k ChangeKind) String() string {
	names := [...]string{
		MessagePosted: "message posted", MessageEdited: "message edited", MessageDeleted: "message deleted",
		ReactionAdded: "reaction added", ReactionRemoved: "reaction removed", MessagesRead: "messages read",
		MarkedUnread: "marked unread", MemberJoined: "member joined", MemberLeft: "member left",
		MemberChanged: "member changed", RoomCreated: "room created", RoomEdited: "room edited",
		RoomDeleted: "room deleted", RoomImported: "room imported", UserEdited: "user edited", SessionsEnded: "sessions ended",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("change %d", k)
}
