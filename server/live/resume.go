package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// maxEdited is how many accounts may have changed; beyond it, too, the client loads
// everything anew.
const maxEdited = 1000

// Entries of the log, and messages, that are read at once.
const (
	scanPage   = 1000
	replayPage = 100
)

// errFar is that a replay would be too long.
var errFar = &store.Fault{Kind: store.ErrExpired, Code: "cursor_expired", Text: "Cursor expired", Details: "too much has happened since"}

// plan is what a session missed: names of things, not the things, and each once.
type plan struct {
	since  store.Position
	rooms  map[store.RoomID]*missed
	order  []store.RoomID // as first met in the log
	lost   map[store.RoomID]*loss
	users  map[store.UserID]struct{}
	member map[store.RoomID]bool // the person's rooms now
}

// loss is a room that is not the person's any more.
type loss struct {
	known   bool // the log shows that the person was in it
	left    time.Time
	deleted bool
}

// missed is what happened in one room.
type missed struct {
	mine     bool // the person joined
	edited   bool
	posted   []span
	changed  []store.MessageID // of messages older than the replay
	seen     map[store.MessageID]struct{}
	members  map[store.UserID]store.Change // the latest of each
	receipts map[store.UserID]store.Change // the furthest of each
}

// span is consecutive messages, both ends included.
type span struct{ first, last store.Seq }

// plan looks through the log after since, up to until.
func (h *Hub) plan(ctx context.Context, s *session, rooms map[store.RoomID]bool, since, until store.Position) (*plan, error) {
	if since.Epoch != until.Epoch || since.Seq > until.Seq || until.Seq-since.Seq > uint64(h.options.MaxScanned) {
		return nil, errFar
	}
	select {
	case h.replays <- struct{}{}:
		defer func() { <-h.replays }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p := &plan{
		since: since, member: rooms, rooms: map[store.RoomID]*missed{},
		lost: map[store.RoomID]*loss{}, users: map[store.UserID]struct{}{},
	}
	found := 0
	for at := since; at.Seq < until.Seq; {
		changes, err := h.rooms.Changes(ctx, at, scanPage)
		if err != nil {
			return nil, fmt.Errorf("changes after %s: %w", at, err)
		}
		if len(changes) == 0 {
			return nil, errFar // trimmed meanwhile
		}
		for _, c := range changes {
			if at = c.Position; at.Seq > until.Seq {
				break
			}
			if p.add(s, c) {
				found++
			}
		}
		if found > h.options.MaxMissed || len(p.users) > maxEdited {
			return nil, errFar
		}
	}
	return p, nil
}

// add notes a change if it concerns the session.
func (p *plan) add(s *session, c store.Change) bool {
	me := s.user.Load().ID
	if c.Room == "" {
		if c.Kind == store.UserEdited {
			p.users[c.User] = struct{}{}
		}
		return false
	}
	hidden, member := p.member[c.Room]
	if s.room != "" && s.room != c.Room {
		return false
	}
	if s.room == "" && (!member || hidden) {
		return p.lose(c, me)
	}
	r := p.rooms[c.Room]
	if r == nil {
		r = &missed{seen: map[store.MessageID]struct{}{}, members: map[store.UserID]store.Change{}, receipts: map[store.UserID]store.Change{}}
		p.rooms[c.Room] = r
		p.order = append(p.order, c.Room)
	}
	r.add(s, c, member)
	return true
}

// lose notes what the log says of a room that the person does not hear now. A room that
// was deleted is only spoken of to people of whom the log shows that they knew it.
func (p *plan) lose(c store.Change, me store.UserID) bool {
	l := p.lost[c.Room]
	if l == nil {
		if c.User != me && c.Kind != store.RoomDeleted {
			return false
		}
		l = &loss{}
		p.lost[c.Room] = l
	}
	l.known = l.known || c.User == me
	switch {
	case c.Kind == store.MemberLeft && c.User == me:
		l.left = c.At
	case c.Kind == store.MemberJoined && c.User == me:
		l.left = time.Time{}
	case c.Kind == store.RoomDeleted && l.left.IsZero(): // else it was gone for them before
		l.deleted = true
	}
	return true
}

func (r *missed) add(s *session, c store.Change, member bool) {
	switch c.Kind {
	case store.MessagePosted:
		if n := len(r.posted); n > 0 && r.posted[n-1].last+1 == c.Seq {
			r.posted[n-1].last = c.Seq
		} else {
			r.posted = append(r.posted, span{c.Seq, c.Seq})
		}
	case store.MessageEdited, store.MessageDeleted, store.ReactionAdded, store.ReactionRemoved:
		_, seen := r.seen[c.Message]
		if !seen && !slices.ContainsFunc(r.posted, func(p span) bool { return p.first <= c.Seq && c.Seq <= p.last }) {
			r.seen[c.Message] = struct{}{}
			r.changed = append(r.changed, c.Message)
		}
	case store.MessagesRead:
		if before, ok := r.receipts[c.User]; member && (!ok || c.Seq > before.Seq) {
			r.receipts[c.User] = c
		}
	case store.MemberJoined, store.MemberLeft:
		if s.room == "" && c.User == s.user.Load().ID {
			r.mine = r.mine || c.Kind == store.MemberJoined
		} else {
			r.members[c.User] = c
		}
	case store.RoomEdited, store.RoomImported:
		r.edited = true
	}
}

// replay sends the present state of what was missed. Until all of it has been sent the
// cursor stays where it was, so that a client cut off in between begins again.
func (h *Hub) replay(ctx context.Context, s *session, p *plan) error {
	t := teller{hub: h, s: s, cursor: p.since.String(), names: map[store.UserID]string{}}
	for id := range p.users {
		if err := t.user(ctx, id, p.member); err != nil {
			return err
		}
	}
	for room, l := range p.lost {
		if err := t.loss(ctx, room, l); err != nil {
			return err
		}
	}
	for _, room := range p.order {
		if err := t.room(ctx, room, p.rooms[room]); err != nil && !isGone(err) {
			return fmt.Errorf("replay room %s: %w", room, err)
		}
	}
	return nil
}

// teller sends one replay.
type teller struct {
	hub    *Hub
	s      *session
	cursor string
	names  map[store.UserID]string
}

func (t *teller) send(v any) error {
	if !t.s.stream(encode(v)) {
		return errAway
	}
	return nil
}

func (t *teller) name(ctx context.Context, id store.UserID) string {
	name, known := t.names[id]
	if !known {
		name = t.hub.chat.Name(ctx, id)
		t.names[id] = name
	}
	return name
}

// user tells of an account that changed, if it shares a room with the session's person.
func (t *teller) user(ctx context.Context, id store.UserID, mine map[store.RoomID]bool) error {
	theirs, err := t.hub.rooms.RoomsOf(ctx, id)
	if err != nil {
		return err
	}
	shares := slices.ContainsFunc(theirs, func(m store.Member) bool { _, both := mine[m.Room]; return both })
	if !shares && id != t.s.user.Load().ID {
		return nil
	}
	u, err := t.hub.people.User(ctx, id)
	if err != nil {
		if isGone(err) {
			return nil
		}
		return err
	}
	return t.send(userFrame{"user_updated", NewUser(u, t.hub.Presence(id)), id, t.cursor})
}

func (t *teller) loss(ctx context.Context, room store.RoomID, l *loss) error {
	me := t.s.user.Load().ID
	switch {
	case !l.known:
		return nil
	case l.deleted:
		return t.send(roomDeletedFrame{"room_deleted", room, t.cursor})
	case !l.left.IsZero():
		return t.send(memberFrame{"user_left", room, me, t.name(ctx, me), Time(l.left), t.cursor})
	}
	return nil
}

func (t *teller) room(ctx context.Context, id store.RoomID, r *missed) error {
	room, err := t.hub.rooms.Room(ctx, id)
	if err != nil {
		return err
	}
	if err := t.roomItself(ctx, room, r); err != nil {
		return err
	}
	for _, s := range r.posted {
		if err := t.messages(ctx, id, s); err != nil {
			return err
		}
	}
	for _, message := range r.changed {
		m, err := t.hub.rooms.Message(ctx, message)
		if err != nil {
			return err
		}
		kind := "message_updated"
		if m.Deleted {
			kind = "message_deleted"
		}
		if err := t.send(messageFrame{kind, NewMessage(m, t.name(ctx, m.Author)), t.cursor}); err != nil {
			return err
		}
	}
	for user, c := range r.receipts {
		if err := t.send(receiptFrame{"read_receipt", id, user, ID(c.Message), c.Seq, Time(c.At), t.cursor}); err != nil {
			return err
		}
	}
	return nil
}

// roomItself tells of the room's own state and who came and went.
func (t *teller) roomItself(ctx context.Context, room store.Room, r *missed) error {
	at, err := store.ParsePosition(t.cursor)
	if err != nil {
		return err
	}
	switch {
	case r.mine:
		frame, err := t.hub.roomCreated(ctx, t.s.user.Load().ID, room.ID, at)
		if err != nil {
			return err
		}
		if !t.s.stream(frame) {
			return errAway
		}
	case r.edited && room.Kind != store.KindDirect:
		if err := t.send(roomFrame{"room_updated", NewRoom(room, room.Name, t.hub.Online(room.ID)), room.ID, t.cursor}); err != nil {
			return err
		}
	}
	if room.Kind == store.KindDirect {
		return nil
	}
	for user, c := range r.members {
		kind := "user_joined"
		if c.Kind == store.MemberLeft {
			kind = "user_left"
		}
		if err := t.send(memberFrame{kind, room.ID, user, t.name(ctx, user), Time(c.At), t.cursor}); err != nil {
			return err
		}
	}
	return nil
}

// messages tells consecutive messages, page by page.
func (t *teller) messages(ctx context.Context, room store.RoomID, s span) error {
	for next := s.first; next <= s.last; {
		page, err := t.hub.rooms.Page(ctx, room, store.Span{After: next - 1, Limit: replayPage, Oldest: next == 1})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if m.Seq > s.last {
				return nil
			}
			if err := t.send(messageFrame{"message", NewMessage(m, t.name(ctx, m.Author)), t.cursor}); err != nil {
				return err
			}
			next = m.Seq + 1
		}
	}
	return nil
}
