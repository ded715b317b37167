package live

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hearthchat/hearth/store"
)

// request is a client's frame. Which fields are set depends on the type.
type request struct {
	Type     string
	ClientID string
	Room     store.RoomID    // "": not named
	Message  store.MessageID // read, reaction, edit, delete
	Content  string          // message, edit
	Kind     store.MessageType
	Parent   store.MessageID
	Reaction string
	On       bool // typing; reaction: to be added
	Status   Presence
}

var (
	errNotJSON = store.Invalid("frame", "must be one JSON object with a type")
	errText    = store.Invalid("frame", "must be valid Unicode text without NUL")
)

// decode reads a client's frame. With an error, ClientID is what could be read of it, so
// that the client knows what was refused. Fields nobody asked for are passed over.
func decode(p []byte) (request, error) {
	var in request
	if !utf8.Valid(p) {
		return in, errText
	}
	var f fields
	if err := json.Unmarshal(p, &f); err != nil || f == nil {
		return in, errNotJSON
	}
	var failed error
	if in.ClientID, failed = f.text("client_id"); failed == nil {
		failed = store.CheckClientID(in.ClientID)
	}
	if string(f["client_id"]) == `""` {
		failed = store.Invalid("client_id", "must be 1 to 64 printable ASCII characters")
	}
	if failed != nil {
		in.ClientID = ""
		return in, failed
	}
	if loneSurrogate(p) {
		return in, errText
	}
	if in.Type, failed = f.needText("type"); failed != nil {
		return in, failed
	}
	room, err := f.text("room_id")
	if err != nil {
		return in, err
	}
	if in.Room = store.RoomID(room); room != "" && !in.Room.Valid() {
		return in, store.Invalid("room_id", "must be the id of a room")
	}
	return in, in.decodeType(f)
}

func (in *request) decodeType(f fields) (err error) {
	switch in.Type {
	case "message":
		if in.Content, err = f.needText("content"); err != nil {
			return err
		}
		kind, err := f.text("message_type")
		if err != nil {
			return err
		}
		in.Kind = store.MessageType(kind)
		in.Parent, err = f.id("parent_id")
		return err
	case "typing":
		in.On, err = f.flag("is_typing", true)
		return err
	case "read", "delete":
		in.Message, err = f.needID("message_id")
		return err
	case "edit":
		if in.Message, err = f.needID("message_id"); err == nil {
			in.Content, err = f.needText("content")
		}
		return err
	case "reaction":
		if in.Message, err = f.needID("message_id"); err != nil {
			return err
		}
		if in.Reaction, err = f.needText("reaction"); err != nil {
			return err
		}
		remove, err := f.flag("remove", false)
		in.On = !remove
		return err
	case "presence":
		status, err := f.needText("status")
		in.Status = Presence(status)
		if err == nil && in.Status != Online && in.Status != Away && in.Status != Busy {
			err = store.Invalid("status", "must be online, away or dnd")
		}
		return err
	case "ping":
		return nil
	}
	return &store.Fault{Kind: store.ErrInvalid, Code: "unknown_type", Text: "Unknown type",
		Details: "type: must be message, typing, read, reaction, edit, delete, presence or ping"}
}

// fields is a JSON object. null is the same as nothing.
type fields map[string]json.RawMessage

func (f fields) has(name string) bool {
	raw, ok := f[name]
	return ok && string(raw) != "null"
}

// text returns a string without NUL, "" when there is none.
func (f fields) text(name string) (s string, err error) {
	if !f.has(name) {
		return "", nil
	}
	if json.Unmarshal(f[name], &s) != nil || strings.ContainsRune(s, 0) {
		return "", store.Invalid(name, "must be text without NUL")
	}
	return s, nil
}

func (f fields) needText(name string) (string, error) {
	if !f.has(name) {
		return "", store.Invalid(name, "must be given")
	}
	return f.text(name)
}

func (f fields) flag(name string, need bool) (on bool, err error) {
	if !f.has(name) && !need {
		return false, nil
	}
	if !f.has(name) || json.Unmarshal(f[name], &on) != nil {
		return false, store.Invalid(name, "must be true or false")
	}
	return on, nil
}

// id returns a message id, zero when there is none.
func (f fields) id(name string) (store.MessageID, error) {
	s, err := f.text(name)
	if err != nil || !f.has(name) {
		return store.MessageID{}, err
	}
	id, ok := store.ParseMessageID(s)
	if !ok || id.IsZero() {
		return id, store.Invalid(name, "must be the id of a message")
	}
	return id, nil
}

func (f fields) needID(name string) (store.MessageID, error) {
	if !f.has(name) {
		return store.MessageID{}, store.Invalid(name, "must be given")
	}
	return f.id(name)
}

// loneSurrogate reports whether valid JSON text escapes half of a surrogate pair, which
// encoding/json would replace without a word.
func loneSurrogate(p []byte) bool {
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' {
			continue
		}
		i++
		if p[i] != 'u' {
			continue
		}
		switch r := escaped(p[i+1:]); {
		case r >= 0xdc00 && r <= 0xdfff:
			return true
		case r >= 0xd800 && r <= 0xdbff:
			rest := p[i+5:]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
				return true
			}
			if low := escaped(rest[2:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 6
		}
		i += 4
	}
	return false
}

// escaped returns the number that four hexadecimal digits stand for.
func escaped(p []byte) rune {
	n, err := strconv.ParseUint(string(p[:4]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
