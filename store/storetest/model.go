package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// model is a workspace written straight from the definitions, with no thought of cost.
type model struct {
	rooms map[store.RoomID]*modelRoom
	once  map[onceKey]*onceEntry
}

type modelRoom struct {
	store.Room
	messages []store.Message // of Seq i+1; without ReplyCount
	imported map[store.Seq]bool
	foreign  int // number of the next message to import
	members  map[store.UserID]store.Member
	read     map[store.UserID]map[store.Seq]time.Time // receipts
	seen     map[store.UserID]map[store.Seq]bool      // imported while they were members
	markers  map[store.UserID]*modelMarker
}

// modelMarker is where a person marked a room unread, and what they read since.
type modelMarker struct {
	at   store.Seq
	read map[store.Seq]bool
}

type onceKey struct {
	author store.UserID
	client string
}

// onceEntry is a draft that was appended with a client id.
type onceEntry struct {
	draft store.Draft
	room  store.RoomID
	seq   store.Seq
	until time.Time
}

func newModel() *model {
	return &model{rooms: map[store.RoomID]*modelRoom{}, once: map[onceKey]*onceEntry{}}
}

// add makes a room with members who joined at Seq 0.
func (m *model) add(r store.Room, members []store.Member, now time.Time) *modelRoom {
	room := &modelRoom{
		Room: r, imported: map[store.Seq]bool{}, members: map[store.UserID]store.Member{},
		read: map[store.UserID]map[store.Seq]time.Time{}, seen: map[store.UserID]map[store.Seq]bool{}, markers: map[store.UserID]*modelMarker{},
	}
	for _, member := range members {
		room.members[member.User] = store.Member{Room: r.ID, User: member.User, Role: member.Role, JoinedAt: now}
	}
	m.rooms[r.ID] = room
	return room
}

// roomsWhere returns the rooms that keep accepts, by id.
func (m *model) roomsWhere(keep func(*modelRoom) bool) []*modelRoom {
	var rooms []*modelRoom
	for _, r := range m.rooms {
		if keep(r) {
			rooms = append(rooms, r)
		}
	}
	slices.SortFunc(rooms, func(a, b *modelRoom) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return rooms
}

func (r *modelRoom) has(user store.UserID) bool {
	_, ok := r.members[user]
	return ok
}

// memberList returns the members by number.
func (r *modelRoom) memberList() []store.Member {
	var list []store.Member
	for _, m := range r.members {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b store.Member) int { return int(a.User - b.User) })
	return list
}

// room returns what Room must say.
func (r *modelRoom) room() store.Room {
	out := r.Room
	out.Head, out.Members, out.Countable, out.LastAt = store.Seq(len(r.messages)), len(r.members), 0, time.Time{}
	for _, m := range r.messages {
		if m.Type != store.TypeSystem {
			out.Countable++
			out.LastAt = m.At
		}
	}
	return out
}

// post adds a message as the newest.
func (r *modelRoom) post(m store.Message) store.Message {
	m.Room, m.Seq = r.ID, store.Seq(len(r.messages)+1)
	if parent, ok := r.find(m.Parent); ok {
		m.Root, m.RootSeq = parent.Root, parent.RootSeq
		if parent.Root.IsZero() {
			m.Root, m.RootSeq = parent.ID, parent.Seq
		}
	}
	if len(r.messages) > 0 {
		m.Countable = r.messages[len(r.messages)-1].Countable
	}
	if m.Type != store.TypeSystem {
		m.Countable++
	}
	r.messages = append(r.messages, m)
	return m
}

func (r *modelRoom) find(id store.MessageID) (store.Message, bool) {
	for _, m := range r.messages {
		if m.ID == id && !id.IsZero() {
			return m, true
		}
	}
	return store.Message{}, false
}

// at returns the message with a seq.
func (r *modelRoom) at(seq store.Seq) *store.Message { return &r.messages[seq-1] }

// message returns what Message must say of a seq.
func (r *modelRoom) message(seq store.Seq) store.Message {
	m := *r.at(seq)
	for _, other := range r.messages {
		if other.Root == m.ID {
			m.ReplyCount++
		}
	}
	return m
}

// thread returns the tree a message is in.
func (r *modelRoom) thread(seq store.Seq) []store.Message {
	root := r.at(seq).ID
	if m := r.at(seq); !m.Root.IsZero() {
		root = m.Root
	}
	var tree []store.Message
	for _, m := range r.messages {
		if m.ID == root || m.Root == root {
			tree = append(tree, m)
		}
	}
	return tree
}

// waits reports whether a message is unread for a member, by the definition of store.Unread.
func (r *modelRoom) waits(user store.UserID, m store.Message) bool {
	if !m.Counts(user) || m.Seq <= r.members[user].JoinedSeq {
		return false
	}
	_, receipt := r.read[user][m.Seq]
	marker := r.markers[user]
	return !receipt && !r.seen[user][m.Seq] || marker != nil && m.Seq >= marker.at && !marker.read[m.Seq]
}

// unread returns what UnreadIn must say.
func (r *modelRoom) unread(user store.UserID) store.Unread {
	u := store.Unread{Room: r.ID, Hidden: r.members[user].Hidden, Head: store.Seq(len(r.messages))}
	last := u.Head
	for _, m := range r.messages {
		if !r.waits(user, m) {
			continue
		}
		if u.Count++; u.Count == 1 {
			u.First, last = m.ID, m.Seq-1
		}
		if m.MentionsRoom || slices.Contains(m.Mentions, user) {
			u.Mentions++
		}
	}
	if last > r.members[user].JoinedSeq {
		u.LastRead = r.at(last).ID
	}
	return u
}

// readOne marks one message.
func (r *modelRoom) readOne(user store.UserID, seq store.Seq, at time.Time) (first time.Time) {
	if marker := r.markers[user]; marker != nil {
		marker.read[seq] = true
	}
	if !r.at(seq).Counts(user) {
		return at
	}
	if r.read[user] == nil {
		r.read[user] = map[store.Seq]time.Time{}
	}
	if first, ok := r.read[user][seq]; ok {
		return first
	}
	r.read[user][seq] = at
	return at
}

// readThrough marks everything since the latest join.
func (r *modelRoom) readThrough(user store.UserID, through store.Seq, at time.Time) {
	for seq := r.members[user].JoinedSeq + 1; seq <= through; seq++ {
		r.readOne(user, seq, at)
	}
}

// mark sets the marker of a person. It takes back what an import counted as seen: there
// is no receipt to fall back on when the marker moves on.
func (r *modelRoom) mark(user store.UserID, at store.Seq) {
	r.markers[user] = &modelMarker{at, map[store.Seq]bool{}}
	for seq := range r.seen[user] {
		if seq >= at {
			delete(r.seen[user], seq)
		}
	}
}

// endImport makes the messages from from on count as seen for the members.
func (r *modelRoom) endImport(from store.Seq) {
	for seq := from; int(seq) <= len(r.messages); seq++ {
		r.imported[seq] = true
		for user := range r.members {
			if r.seen[user] == nil {
				r.seen[user] = map[store.Seq]bool{}
			}
			r.seen[user][seq] = true
			if marker := r.markers[user]; marker != nil {
				marker.read[seq] = true
			}
		}
	}
}

// readers returns what Readers must say of a message.
func (r *modelRoom) readers(seq store.Seq) []store.Receipt {
	var list []store.Receipt
	for user, read := range r.read {
		if at, ok := read[seq]; ok {
			list = append(list, store.Receipt{Room: r.ID, User: user, From: seq, Through: seq, At: at})
		}
	}
	slices.SortFunc(list, func(a, b store.Receipt) int { return int(a.User - b.User) })
	return list
}

// react gives or takes back a reaction.
func react(m *store.Message, by store.UserID, name string, on bool) (changed bool) {
	i := slices.IndexFunc(m.Reactions, func(r store.Reaction) bool { return r.Name == name })
	has := i >= 0 && slices.Contains(m.Reactions[i].Users, by)
	switch {
	case has == on:
		return false
	case on && i < 0:
		m.Reactions = append(m.Reactions, store.Reaction{Name: name, Users: []store.UserID{by}})
	case on:
		m.Reactions[i].Users = append(m.Reactions[i].Users, by)
	default:
		users := slices.DeleteFunc(m.Reactions[i].Users, func(u store.UserID) bool { return u == by })
		if m.Reactions[i].Users = users; len(users) == 0 {
			m.Reactions = slices.Delete(m.Reactions, i, i+1)
		}
	}
	return true
}
