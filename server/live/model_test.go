package live_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// model is what a client knows from its events, and from history only for rooms that
// became its person's while it listened.
type model struct {
	w        *world
	me       store.User
	rooms    map[string]*roomModel
	names    map[string]string // of people whose account changed
	requests int               // of history
	waiting  map[string]any    // of the newest hello
}

type roomModel struct {
	name, description, private string
	messages                   map[int]string // by seq; canonical
	ids                        map[string]int
	fields                     map[int]map[string]any
	members                    map[string]bool
	read                       map[string]int
	rejoined                   bool
}

func newModel(w *world, me store.User) *model {
	return &model{w: w, me: me, rooms: map[string]*roomModel{}, names: map[string]string{}}
}

// load asks for a room as a client does that opens it. It is gone when that is too late.
func (m *model) load(id string) {
	m.w.t.Helper()
	m.requests++
	v, err := m.w.chat.Room(ctx(), m.me, store.RoomID(id))
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	m.w.must(err)
	r := &roomModel{
		name: v.Name, description: v.Description, private: strconv.FormatBool(v.Kind != store.KindOpen),
		messages: map[int]string{}, ids: map[string]int{}, fields: map[int]map[string]any{}, members: map[string]bool{}, read: map[string]int{},
	}
	m.rooms[id] = r
	page, err := m.w.chat.History(ctx(), m.me, v.ID, chat.Query{Limit: chat.MaxPage})
	m.w.must(err)
	if v.Head > chat.MaxPage {
		m.w.t.Fatal("rooms of the model are meant to fit in a page")
	}
	for _, one := range page {
		r.put(asEvent(m.w, live.NewMessage(one, "")))
	}
	members, err := m.w.rooms.Members(ctx(), v.ID, 0, 1000)
	m.w.must(err)
	for _, one := range members {
		r.members[one.User.String()] = true
	}
}

// put notes a message in a form that does not depend on how often or when it was told.
func (r *roomModel) put(message map[string]any) {
	fields := maps.Clone(message)
	delete(fields, "username")    // names change with the account
	delete(fields, "reply_count") // counted from the replies
	seq := int(fields["seq"].(float64))
	r.fields[seq] = fields
	r.ids[fields["id"].(string)] = seq
	r.messages[seq] = event{"m": fields}.text("m")
}

// apply notes one event.
func (m *model) apply(e event) {
	id := e.text("room_id")
	if id == "" {
		id = e.text("message", "room_id")
	}
	r := m.rooms[id]
	switch kind := e.kind(); {
	case kind == "hello":
		m.waiting = e["rooms"].(map[string]any)
		for id := range m.rooms {
			if m.waiting[id] == nil {
				delete(m.rooms, id)
			}
		}
	case kind == "room_created":
		m.load(id)
		if r := m.rooms[id]; r != nil {
			r.rejoined = true
		}
	case kind == "user_updated":
		m.names[e.text("user_id")] = e.text("user", "username")
	case r == nil:
	case kind == "message", kind == "message_updated", kind == "message_deleted":
		r.put(e["message"].(map[string]any))
	case kind == "reaction_added", kind == "reaction_removed":
		if seq, known := r.ids[e.text("message_id")]; known {
			fields := maps.Clone(r.fields[seq])
			fields["reactions"] = e["reactions"]
			r.put(fields)
		}
	case kind == "read_receipt":
		seq := int(e["seq"].(float64))
		r.read[e.text("user_id")] = max(r.read[e.text("user_id")], seq)
	case kind == "user_left" && e.text("user_id") == m.me.ID.String(), kind == "room_deleted":
		delete(m.rooms, id)
	case kind == "user_joined":
		r.members[e.text("user_id")] = true
	case kind == "user_left":
		delete(r.members, e.text("user_id"))
	case kind == "room_updated":
		r.name, r.description, r.private = e.text("room", "name"), e.text("room", "description"), e.text("room", "is_private")
	}
}

// differs says where two models differ, "" if they do not.
func (m *model) differs(other *model) string {
	if !slices.Equal(slices.Sorted(maps.Keys(m.rooms)), slices.Sorted(maps.Keys(other.rooms))) {
		return "rooms"
	}
	if !maps.Equal(m.names, other.names) {
		return "names"
	}
	for id, a := range m.rooms {
		b := other.rooms[id]
		switch {
		case a.name != b.name, a.description != b.description, a.private != b.private:
			return "room " + id
		case !maps.Equal(a.members, b.members):
			return "members of " + id
		case !a.rejoined && !b.rejoined && !maps.Equal(a.read, b.read):
			return "receipts of " + id
		}
		for _, seq := range slices.Sorted(maps.Keys(a.messages)) {
			if a.messages[seq] != b.messages[seq] {
				return "message " + strconv.Itoa(seq) + " of " + id + ":\n" + a.messages[seq] + "\n" + b.messages[seq]
			}
		}
		if len(a.messages) != len(b.messages) {
			return "messages of " + id
		}
	}
	return ""
}
