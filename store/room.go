package store

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// RoomID names a room: 1 to 50 bytes without control characters or slashes; a UUID for rooms made here.
type RoomID string

// Valid reports whether the id is well formed.
func (id RoomID) Valid() bool {
	s := string(id)
	return s != "" && len(s) <= 50 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '/' })
}

// Kind is who can find a room.
type Kind string

// The kinds.
const (
	KindOpen   Kind = "open"   // every account except guests sees, reads and may join it
	KindClosed Kind = "closed" // only members know of it
	KindDirect Kind = "direct" // the conversation of a fixed set of people
)

// Limits of a room's texts, in Unicode code points, and of a direct room's people.
const (
	MaxRoomName        = 100
	MaxRoomDescription = 1000
	MaxDirectMembers   = 50
)

// Room is a place where people talk.
type Room struct {
	ID          RoomID
	Kind        Kind
	Name        string // empty for direct rooms: computed for each viewer
	Description string
	Creator     UserID // 0: nobody, an import without administrator
	CreatedAt   time.Time
	Source      string // where an imported room came from, "irc:ubuntu"
	Importing   bool   // read-only while an import runs

	// What the engine keeps up to date; ignored in CreateRoom and EditRoom.
	Head      Seq       // newest message, 0: none
	Countable uint64    // messages ever stored that are not system lines
	LastAt    time.Time // of the newest message that is not a system line; zero: none
	Members   int
}

// CheckRoomName applies the rule for names: 1 to 100 code points without control characters.
func CheckRoomName(name string) error {
	if strings.TrimSpace(name) == "" {
		return Invalid("name", "must have 1 to 100 characters")
	}
	if err := CheckText("name", name, MaxRoomName); err != nil {
		return err
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return Invalid("name", "must not contain control characters")
	}
	return nil
}

// RoomRole is what a member may do in one room.
type RoomRole string

// The room roles.
const (
	RoomOwner     RoomRole = "owner"
	RoomModerator RoomRole = "moderator"
	RoomMember    RoomRole = "member"
)

// Member is one person in one room.
type Member struct {
	Room      RoomID
	User      UserID
	Role      RoomRole
	JoinedAt  time.Time
	JoinedSeq Seq  // the room's Head when they last joined: nothing up to it counts as unread
	Hidden    bool // a direct room left by this person: hidden until its next message
}

// Owns reports whether the member may manage the room and moderate it.
func (m Member) Owns() bool { return m.Role == RoomOwner || m.Role == RoomModerator }

// VisibleTo reports whether a person of a workspace role may know of the room and read it.
func (r Room) VisibleTo(role Role, member bool) bool {
	return member || r.Kind == KindOpen && role != RoleGuest
}

// What system lines say. They are stored in English; clients may translate these exact texts.
const (
	LineCreated = "created the room"
	LineJoined  = "joined the room"
	LineLeft    = "left the room"
)

// LineRenamed, LineAdded and LineRemoved are the system lines that name something.
func LineRenamed(name string) string { return "renamed the room to " + name }

// LineAdded is stored when by adds somebody else.
func LineAdded(username string) string { return "added " + username }

// LineRemoved is stored when by removes somebody else.
func LineRemoved(username string) string { return "removed " + username }

// Rooms keeps the rooms and who is in them.
type Rooms interface {
	// CreateRoom makes a room with its first members (Role and User of each are used;
	// they joined at Seq 0) and stores LineCreated by r.Creator unless r.Source is set.
	// An empty ID is filled in; ErrExists if it is taken.
	CreateRoom(ctx context.Context, r Room, members []Member) (Room, error)

	// DirectRoom returns the direct room of exactly these people, distinct and at most
	// MaxDirectMembers, making it when there is none; made says which. All are members.
	// For by it is not hidden any more.
	DirectRoom(ctx context.Context, by UserID, people []UserID) (r Room, made bool, err error)

	Room(ctx context.Context, id RoomID) (Room, error)

	// EditRoom changes Name, Description and Kind (never from or to KindDirect). A new
	// name stores LineRenamed by by.
	EditRoom(ctx context.Context, id RoomID, by UserID, edit func(*Room) error) (Room, error)

	// DeleteRoom makes the room ErrNotFound for everything at once; its messages are
	// erased in the background, also after a restart.
	DeleteRoom(ctx context.Context, id RoomID, by UserID) error

	// OpenRooms returns up to limit rooms of KindOpen after an id, in order of id.
	OpenRooms(ctx context.Context, after RoomID, limit int) ([]Room, error)
	// OpenRoomNamed returns the oldest room of KindOpen with exactly this name.
	OpenRoomNamed(ctx context.Context, name string) (Room, error)

	// Join makes m.User a member with m.Role (empty: RoomMember) and stores line as a
	// system message by by. Who is a member already stays as they are, and joined is false.
	Join(ctx context.Context, m Member, by UserID, line string) (joined bool, err error)

	// Leave ends a membership and stores line as a system message by by; left is false
	// when there was none. When the last owner leaves, ownership passes to the
	// longest-standing member. In a direct room it hides the room for user and stores nothing.
	// While an import runs only a leave without line is possible, else ErrImportRunning.
	Leave(ctx context.Context, room RoomID, user, by UserID, line string) (left bool, err error)

	// SetRoomRole changes a member's role; ErrNotFound for who is none.
	SetRoomRole(ctx context.Context, room RoomID, user UserID, role RoomRole) error

	// Member returns a membership; ErrNotFound when there is no such room or no such member.
	Member(ctx context.Context, room RoomID, user UserID) (Member, error)
	// Members returns up to limit members after a user (0: from the first), by UserID.
	Members(ctx context.Context, room RoomID, after UserID, limit int) ([]Member, error)
	// RoomsOf returns a person's memberships, by RoomID, hidden ones too.
	RoomsOf(ctx context.Context, user UserID) ([]Member, error)
}
