package store

import (
	"context"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// MessageID is a UUID, version 7 for messages made here.
type MessageID [16]byte

// ParseMessageID reads the 36 characters of a UUID, in either case.
func ParseMessageID(s string) (id MessageID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err == nil
}

func (id MessageID) String() string {
	b, _ := id.MarshalText()
	return string(b)
}

// MarshalText writes the 36 lower-case characters of the UUID.
func (id MessageID) MarshalText() ([]byte, error) {
	b := make([]byte, 36)
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return b, nil
}

// UnmarshalText reads a UUID.
func (id *MessageID) UnmarshalText(text []byte) error {
	parsed, ok := ParseMessageID(string(text))
	if !ok {
		return Invalid("message_id", "must be a UUID")
	}
	*id = parsed
	return nil
}

// IsZero reports whether there is no id.
func (id MessageID) IsZero() bool { return id == MessageID{} }

// Seq is a message's place in its room. The first message is 1 and there are
// no gaps: a deleted message keeps its Seq.
type Seq uint64

// MessageType is what a message holds.
type MessageType string

// The message types. System lines are made by the server alone.
const (
	TypeText   MessageType = "text"
	TypeImage  MessageType = "image"
	TypeFile   MessageType = "file"
	TypeSystem MessageType = "system"
)

// Limits of messages.
const (
	MaxContent       = 16384 // code points, after trimming
	MaxReaction      = 64    // bytes
	MaxReactionKinds = 50    // different reactions on one message
	MaxClientID      = 64    // bytes of printable ASCII
)

// ClientIDLife is how long an author's client id is remembered.
const ClientIDLife = 30 * 24 * time.Hour

// Message is one line of a conversation.
type Message struct {
	ID           MessageID
	Room         RoomID
	Seq          Seq
	Author       UserID
	Type         MessageType
	Content      string // empty when Deleted
	Parent       MessageID
	Root         MessageID // top of the chain of parents; zero for a message without parent
	RootSeq      Seq       // of Root; 0 without parent
	At           time.Time
	EditedAt     time.Time // zero: never
	Deleted      bool
	Mentions     []UserID // people named, ascending
	MentionsRoom bool     // everybody in the room is named
	ClientID     string
	Countable    uint64 // how many messages of the room, up to this one, are not system lines

	// Kept beside the message and filled in on reading.
	Reactions  []Reaction
	ReplyCount int // on a root: messages of its tree, deleted ones too
}

// Counts reports whether the message can be unread for user at all.
func (m Message) Counts(user UserID) bool {
	return m.Type != TypeSystem && !m.Deleted && m.Author != user
}

// Reaction is one kind of reaction to a message and who gave it, in the order they did.
type Reaction struct {
	Name  string
	Users []UserID
}

// Draft is a message about to be stored.
type Draft struct {
	ID           MessageID // zero: a new one is made
	Room         RoomID
	Author       UserID
	Type         MessageType // empty means TypeText
	Content      string
	Parent       MessageID
	ClientID     string
	Mentions     []UserID
	MentionsRoom bool
}

// TrimContent returns content without white space at both ends, or why it cannot be a message.
func TrimContent(content string) (string, error) {
	if !utf8.ValidString(content) || strings.ContainsRune(content, 0) {
		return "", Invalid("content", "must be valid Unicode text without NUL")
	}
	content = strings.TrimSpace(content)
	if content == "" || len(content) > MaxContent && utf8.RuneCountInString(content) > MaxContent {
		return "", Invalid("content", "must have 1 to 16384 characters besides white space at its ends")
	}
	return content, nil
}

// CheckReaction requires 1 to 64 bytes of text without white space or control characters.
func CheckReaction(name string) error {
	if name == "" || len(name) > MaxReaction || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return Invalid("reaction", "must be 1 to 64 bytes of text without spaces")
	}
	return nil
}

// CheckClientID requires 1 to 64 printable ASCII characters; empty means none and is fine.
func CheckClientID(id string) error {
	if len(id) > MaxClientID || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return Invalid("client_id", "must be 1 to 64 printable ASCII characters")
	}
	return nil
}

// Span is a part of a room. At most one of After and Before is set: After asks for the
// oldest messages that follow, Before for the newest that precede, neither for the newest of all.
type Span struct {
	After  Seq
	Before Seq
	Oldest bool // with neither: from the first message on
	Limit  int  // at least 1
}

// Messages keeps what was said. Every slice of messages is in ascending Seq.
type Messages interface {
	// Append makes d the newest message of its room. When Append returns, the message is
	// on disk. Appending the same Author and ClientID again within ClientIDLife returns
	// the first message with repeated true and changes nothing; with another room,
	// parent, type or content it is ErrOtherClientID.
	//
	// The author's read position moves along when they had nothing unread. A hidden
	// direct room shows again for everybody in it.
	//
	// ErrNotFound: no such room. ErrJoinFirst: the author is not in it.
	// ErrImportRunning: not now. ErrInvalid: Parent is not a message of the room.
	Append(ctx context.Context, d Draft) (m Message, repeated bool, err error)

	Message(ctx context.Context, id MessageID) (Message, error)

	// EditMessage lets edit change Content, Mentions, MentionsRoom and Deleted (one way;
	// the content goes with it). by must be a member of the room when it is written, else
	// ErrJoinFirst. Changing the content sets EditedAt. System and deleted messages are ErrForbidden.
	EditMessage(ctx context.Context, id MessageID, by UserID, edit func(*Message) error) (Message, error)

	// React adds or takes back one person's reaction; changed is false if nothing had to be
	// done. Taking back what is not there is fine. by must be a member, else ErrJoinFirst.
	// Deleted and system messages take none (ErrForbidden); a 51st kind is ErrInvalid.
	React(ctx context.Context, id MessageID, by UserID, reaction string, on bool) (m Message, changed bool, err error)

	// Page returns part of a room's history.
	Page(ctx context.Context, room RoomID, span Span) ([]Message, error)

	// Thread returns part of the tree that a message belongs to, its root included.
	Thread(ctx context.Context, id MessageID, span Span) ([]Message, error)
}

// Imports puts conversations from elsewhere into a room.
type Imports interface {
	// BeginImport makes the room read-only for everything but ImportMessages, until
	// EndImport or a restart. ErrImportRunning if it is already.
	BeginImport(ctx context.Context, room RoomID) error

	// ImportMessages appends messages in order with the ID, Author, Type, Content, Parent
	// and At they bring; those whose ID is there already are passed over. Nobody is
	// notified: no change per message, no mention. Into a room that holds messages that
	// were not imported it adds only with mix, else ErrExists with the Code "room_not_empty".
	ImportMessages(ctx context.Context, room RoomID, messages []Message, mix bool) (added int, err error)

	// EndImport opens the room again. For its members everything imported counts as seen,
	// without receipts.
	EndImport(ctx context.Context, room RoomID) error
}
