package live

import (
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// TimeFormat is how every time is written: RFC 3339, UTC, three fraction digits.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time is a time on the wire; the zero time is null.
type Time time.Time

// MarshalJSON writes the time in TimeFormat, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, len(TimeFormat)+2)), nil
}

// AppendJSON appends what MarshalJSON returns. A page of messages holds some hundred times,
// so they are written without reading TimeFormat each time.
func (t Time) AppendJSON(b []byte) []byte {
	u := time.Time(t).UTC()
	if u.IsZero() {
		return append(b, "null"...)
	}
	year, month, day := u.Date()
	if year < 0 || year > 9999 {
		return u.AppendFormat(b, `"`+TimeFormat+`"`)
	}
	hour, minute, second := u.Clock()
	b = appendPair(appendPair(append(b, '"'), year/100), year%100)
	b = appendPair(append(b, '-'), int(month))
	b = appendPair(append(b, '-'), day)
	b = appendPair(append(b, 'T'), hour)
	b = appendPair(append(b, ':'), minute)
	b = appendPair(append(b, ':'), second)
	ms := u.Nanosecond() / int(time.Millisecond)
	return append(appendPair(append(b, '.', byte('0'+ms/100)), ms%100), 'Z', '"')
}

// appendPair appends two digits.
func appendPair(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// ID is a message id on the wire; the zero id is null.
type ID store.MessageID

// MarshalJSON writes the UUID, or null.
func (id ID) MarshalJSON() ([]byte, error) {
	if store.MessageID(id).IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + store.MessageID(id).String() + `"`), nil
}

// Reactions is who gave which reaction: {"👍":[1,7]}.
type Reactions map[string][]store.UserID

// Message is a message on the wire, the same for everybody.
type Message struct {
	ID          ID                `json:"id"`
	Seq         store.Seq         `json:"seq"`
	RoomID      store.RoomID      `json:"room_id"`
	UserID      store.UserID      `json:"user_id"`
	Username    string            `json:"username"`
	Content     string            `json:"content"`
	MessageType store.MessageType `json:"message_type"`
	ParentID    ID                `json:"parent_id"`
	RootID      ID                `json:"root_id"`
	CreatedAt   Time              `json:"created_at"`
	EditedAt    Time              `json:"edited_at"`
	Deleted     bool              `json:"deleted"`
	Reactions   Reactions         `json:"reactions"`
	ReplyCount  int               `json:"reply_count"`
	Attachments []struct{}        `json:"attachments"` // always empty until there are files
	Mentions    []store.UserID    `json:"mentions"`
	MentionRoom bool              `json:"mention_room"`
	ClientID    *string           `json:"client_id"`
}

// NewMessage puts m on the wire under its author's present name.
func NewMessage(m store.Message, username string) Message {
	w := Message{
		ID: ID(m.ID), Seq: m.Seq, RoomID: m.Room, UserID: m.Author, Username: username,
		Content: m.Content, MessageType: m.Type, ParentID: ID(m.Parent), RootID: ID(m.Root),
		CreatedAt: Time(m.At), EditedAt: Time(m.EditedAt), Deleted: m.Deleted,
		Reactions: NewReactions(m.Reactions), ReplyCount: m.ReplyCount, Attachments: []struct{}{},
		Mentions: m.Mentions, MentionRoom: m.MentionsRoom,
	}
	if w.Mentions == nil {
		w.Mentions = []store.UserID{}
	}
	if m.ClientID != "" {
		w.ClientID = &m.ClientID
	}
	return w
}

// NewReactions puts reactions on the wire.
func NewReactions(reactions []store.Reaction) Reactions {
	w := make(Reactions, len(reactions))
	for _, r := range reactions {
		w[r.Name] = r.Users
	}
	return w
}

// Room is a room on the wire. The last three fields are one viewer's own; frames that are
// shared by an audience leave them out.
type Room struct {
	ID            store.RoomID `json:"id"`
	Name          string       `json:"name"`
	Description   string       `json:"description"`
	CreatorID     store.UserID `json:"creator_id"`
	IsPrivate     bool         `json:"is_private"`
	CreatedAt     Time         `json:"created_at"`
	MemberCount   int          `json:"member_count"`
	OnlineMembers int          `json:"online_members"`
	Kind          string       `json:"kind"` // "room" or "dm"
	LastMessageAt Time         `json:"last_message_at"`
	HeadSeq       store.Seq    `json:"head_seq"`
	UnreadCount   *int         `json:"unread_count,omitempty"`
	MentionCount  *int         `json:"mention_count,omitempty"`
	Joined        *bool        `json:"joined,omitempty"`
}

// NewRoom puts a room on the wire as everybody sees it. name is the room's, or of a
// direct room the one computed for its viewer.
func NewRoom(r store.Room, name string, online int) Room {
	kind := "room"
	if r.Kind == store.KindDirect {
		kind = "dm"
	}
	return Room{
		ID: r.ID, Name: name, Description: r.Description, CreatorID: r.Creator,
		IsPrivate: r.Kind != store.KindOpen, CreatedAt: Time(r.CreatedAt), MemberCount: r.Members,
		OnlineMembers: online, Kind: kind, LastMessageAt: Time(r.LastAt), HeadSeq: r.Head,
	}
}

// NewRoomView puts a room on the wire as one person sees it.
func NewRoomView(v chat.RoomView, online int) Room {
	w := NewRoom(v.Room, v.Name, online)
	joined := v.Joined && !v.Hidden
	w.UnreadCount, w.MentionCount, w.Joined = &v.Unread.Count, &v.Unread.Mentions, &joined
	return w
}

// Presence is how reachable a person is.
type Presence string

// The presences.
const (
	Online  Presence = "online"
	Away    Presence = "away" // no input for five minutes, or said so
	Busy    Presence = "dnd"
	Offline Presence = "offline"
)

// Profile is what a person says about themselves.
type Profile struct {
	DisplayName string `json:"display_name"`
	AvatarURL   string `json:"avatar_url"`
	Bio         string `json:"bio"`
}

// User is an account on the wire, without its e-mail address.
type User struct {
	ID            store.ObjectID `json:"id"`
	UserID        store.UserID   `json:"user_id"`
	Username      string         `json:"username"`
	FirstName     string         `json:"firstName"`
	LastName      string         `json:"lastName"`
	Avatar        string         `json:"avatar"`
	EmailVerified bool           `json:"emailVerified"`
	IsActive      bool           `json:"isActive"`
	Role          store.Role     `json:"role"`
	Presence      Presence       `json:"presence"`
	Profile       Profile        `json:"profile"`
	CreatedAt     Time           `json:"created_at"`
	UpdatedAt     Time           `json:"updated_at"`
	LastLogin     Time           `json:"lastLogin"`
}

// NewUser puts an account on the wire.
func NewUser(u store.User, p Presence) User {
	return User{
		ID: u.Object, UserID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName,
		Avatar: u.Avatar, EmailVerified: u.EmailVerified, IsActive: u.Active && !u.Closed, Role: u.Role, Presence: p,
		Profile:   Profile{DisplayName: u.DisplayName, AvatarURL: u.Avatar, Bio: u.Bio},
		CreatedAt: Time(u.CreatedAt), UpdatedAt: Time(u.UpdatedAt), LastLogin: Time(u.LastLogin),
	}
}
