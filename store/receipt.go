package store

import (
	"context"
	"time"
)

// Receipt says that a person read messages of a room at a time: all from From through
// Through that are neither their own nor system lines.
type Receipt struct {
	Room    RoomID
	User    UserID
	From    Seq
	Through Seq
	At      time.Time
}

// Unread is what waits for a person in a room. Unread are others' messages that are not
// system lines, newer than the person's latest join, not deleted, and either without a
// receipt or at or after the person's own unread marker and not read since it was set.
type Unread struct {
	Room     RoomID
	Hidden   bool // it is a direct room that the person put away, as in Member
	Head     Seq
	Count    int
	Mentions int       // unread messages that name the person or everybody
	LastRead MessageID // newest message before the first unread one, since the latest join; zero: none
	First    MessageID // oldest unread message; zero: none
}

// Receipts keeps who read what. It costs nobody anything when a message is posted.
type Receipts interface {
	// Read marks everything in the room since the person's latest join, through a
	// message, as read at a time. Earlier receipts keep theirs. ErrJoinFirst for
	// non-members, ErrNotFound when the message is not in the room.
	Read(ctx context.Context, room RoomID, user UserID, through MessageID, at time.Time) (Unread, error)

	// ReadOne marks exactly one message and returns when it was first read: at for a
	// new receipt, and for one's own, system and deleted messages, which get none.
	ReadOne(ctx context.Context, id MessageID, user UserID, at time.Time) (time.Time, error)

	// MarkUnread sets the person's marker: the message and all after it count as unread
	// again until read. Receipts stay.
	MarkUnread(ctx context.Context, id MessageID, user UserID) (Unread, error)

	// Unread returns what waits in each room of a person, by RoomID; also rooms with nothing.
	Unread(ctx context.Context, user UserID) ([]Unread, error)
	// UnreadIn is Unread of one room; ErrJoinFirst for non-members.
	UnreadIn(ctx context.Context, room RoomID, user UserID) (Unread, error)

	// Readers returns the receipts that cover a message, by UserID, never its author's.
	// From and Through of each are the message's Seq.
	Readers(ctx context.Context, id MessageID) ([]Receipt, error)
}
