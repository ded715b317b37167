package live

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hearthchat/hearth/store"
)

// Close codes of a socket.
const (
	CloseNormal   = 1000
	CloseAway     = 1001 // nothing was heard from the client for too long
	CloseTooBig   = 1009 // a frame above MaxFrame
	CloseRestart  = 1012 // the server stops; the reason is a delay in milliseconds
	CloseEnded    = 4001 // the session ended
	CloseNotYours = 4003 // the right to watch the room was lost
	CloseGone     = 4004 // no such room, or none that the person may know of
	CloseResume   = 4008 // too slow: come back with ?since=
)

// WebSocket opcodes.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

const maxHeader = 10

// header writes the head of an unmasked, whole WebSocket frame so that it ends at end.
// It returns where the head begins.
func header(p []byte, end int, op byte, size int) int {
	switch {
	case size < 126:
		p[end-2], p[end-1] = 0x80|op, byte(size)
		return end - 2
	case size <= 0xffff:
		p[end-4], p[end-3] = 0x80|op, 126
		binary.BigEndian.PutUint16(p[end-2:], uint16(size))
		return end - 4
	}
	p[end-10], p[end-9] = 0x80|op, 127
	binary.BigEndian.PutUint64(p[end-8:], uint64(size))
	return end - 10
}

// encode returns v as a WebSocket frame, ready to be written to any number of sockets.
func encode(v any) []byte {
	var b bytes.Buffer
	b.Grow(512)
	b.Write(make([]byte, maxHeader))
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err)) // the frames below hold nothing that cannot be encoded
	}
	p := b.Bytes()
	p = p[:len(p)-1] // the encoder's newline
	return p[header(p, maxHeader, opText, len(p)-maxHeader):]
}

// control returns a control frame; what is longer than one may be is cut off.
func control(op byte, payload []byte) []byte {
	payload = payload[:min(len(payload), 125)]
	return append([]byte{0x80 | op, byte(len(payload))}, payload...)
}

func closeFrame(code int, reason string) []byte {
	return control(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// payload returns the JSON text of an encoded frame.
func payload(frame []byte) []byte {
	switch frame[1] {
	case 126:
		return frame[4:]
	case 127:
		return frame[10:]
	}
	return frame[2:]
}

// messageStart is how the frames that tell of a new message begin.
const messageStart = `{"type":"message","message":{`

// asService returns a frame as the documented chat service sends it: what tells of a new
// message has its time and kind also under the names they had there. frame is left as it is.
func asService(frame []byte) []byte {
	rest, found := bytes.CutPrefix(payload(frame), []byte(messageStart))
	if !found {
		return frame
	}
	var told struct {
		Message struct {
			At   json.RawMessage `json:"created_at"`
			Type json.RawMessage `json:"message_type"`
		} `json:"message"`
	}
	if err := json.Unmarshal(payload(frame), &told); err != nil {
		panic(fmt.Sprintf("a frame of our own: %v", err))
	}
	p := make([]byte, maxHeader, maxHeader+len(frame)+64)
	p = append(append(p, messageStart...), `"timestamp":`...)
	p = append(append(p, told.Message.At...), `,"type":`...)
	p = append(append(append(p, told.Message.Type...), ','), rest...)
	return p[header(p, maxHeader, opText, len(p)-maxHeader):]
}

type roomState struct {
	HeadSeq  store.Seq `json:"head_seq"`
	Unread   int       `json:"unread"`
	Mentions int       `json:"mentions"`
}

type helloFrame struct {
	Type      string                     `json:"type"` // hello
	Cursor    string                     `json:"cursor"`
	User      User                       `json:"user"`
	Heartbeat int                        `json:"heartbeat"`
	Rooms     map[store.RoomID]roomState `json:"rooms"`
}

type ackFrame struct {
	Type     string  `json:"type"` // ack
	ClientID string  `json:"client_id,omitempty"`
	Message  Message `json:"message"`
	Cursor   string  `json:"cursor"`
}

type messageFrame struct {
	Type    string  `json:"type"` // message, message_updated, message_deleted
	Message Message `json:"message"`
	Cursor  string  `json:"cursor"`
}

type reactionFrame struct {
	Type      string       `json:"type"` // reaction_added, reaction_removed
	RoomID    store.RoomID `json:"room_id"`
	MessageID ID           `json:"message_id"`
	Reaction  string       `json:"reaction"`
	UserID    store.UserID `json:"user_id"`
	Reactions Reactions    `json:"reactions"`
	Cursor    string       `json:"cursor"`
}

type receiptFrame struct {
	Type      string       `json:"type"` // read_receipt
	RoomID    store.RoomID `json:"room_id"`
	UserID    store.UserID `json:"user_id"`
	MessageID ID           `json:"message_id"`
	Seq       store.Seq    `json:"seq"`
	ReadAt    Time         `json:"read_at"`
	Cursor    string       `json:"cursor"`
}

type memberFrame struct {
	Type      string       `json:"type"` // user_joined, user_left
	RoomID    store.RoomID `json:"room_id"`
	UserID    store.UserID `json:"user_id"`
	Username  string       `json:"username"`
	Timestamp Time         `json:"timestamp"`
	Cursor    string       `json:"cursor"`
}

type roomFrame struct {
	Type   string       `json:"type"` // room_created, room_updated
	Room   Room         `json:"room"`
	RoomID store.RoomID `json:"room_id"`
	Cursor string       `json:"cursor"`
}

type roomDeletedFrame struct {
	Type   string       `json:"type"` // room_deleted
	RoomID store.RoomID `json:"room_id"`
	Cursor string       `json:"cursor"`
}

type userFrame struct {
	Type   string       `json:"type"` // user_updated
	User   User         `json:"user"`
	UserID store.UserID `json:"user_id"`
	Cursor string       `json:"cursor"`
}

type typingFrame struct {
	Type        string         `json:"type"` // typing_update
	RoomID      store.RoomID   `json:"room_id"`
	TypingUsers []store.UserID `json:"typing_users"`
	Timestamp   Time           `json:"timestamp"`
}

type presenceFrame struct {
	Type      string       `json:"type"` // presence_change
	UserID    store.UserID `json:"user_id"`
	Username  string       `json:"username"`
	Status    Presence     `json:"status"`
	Timestamp Time         `json:"timestamp"`
}

type unreadFrame struct {
	Type          string       `json:"type"` // unread_update
	RoomID        store.RoomID `json:"room_id"`
	Unread        int          `json:"unread"`
	Mentions      int          `json:"mentions"`
	LastReadID    ID           `json:"last_read_id"`
	FirstUnreadID ID           `json:"first_unread_id"`
}

type liveFrame struct {
	Type   string `json:"type"` // live
	Cursor string `json:"cursor"`
}

type bareFrame struct {
	Type string `json:"type"` // resync, pong
}

type errorFrame struct {
	Type       string `json:"type"` // error
	Error      string `json:"error"`
	Details    string `json:"details"`
	Code       string `json:"code"`
	Timestamp  Time   `json:"timestamp"`
	ClientID   string `json:"client_id,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
}

var (
	pongText   = encode(bareFrame{"pong"})
	resyncText = encode(bareFrame{"resync"})
	pingFrame  = control(opPing, nil)
)

func milliseconds(n int64) string { return strconv.FormatInt(n, 10) }
