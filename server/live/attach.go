package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthchat/hearth/store"
)

// errAway is that the session ended before it was admitted.
var errAway = errors.New("gone already")

// maxRounds is how often a session may fall behind the ring before it is told to come back.
const maxRounds = 10

// attach greets a session, replays what it missed since a cursor, and adds it to those who
// hear.
func (h *Hub) attach(ctx context.Context, s *session, cursor string) error {
	a := arrival{session: s, first: true}
	if cursor != "" {
		var err error
		a.since, err = store.ParsePosition(cursor)
		a.resume, a.resync = err == nil, err != nil
	}
	for range maxRounds {
		if admitted, err := a.round(ctx, h); admitted || err != nil {
			return err
		}
	}
	s.close(CloseResume, "resume")
	return errAway
}

// arrival is a session on its way to being admitted.
type arrival struct {
	session *session
	first   bool           // the first round: it has not been greeted
	resume  bool           // it has a cursor that can be resumed from
	resync  bool           // or one that cannot
	since   store.Position // the cursor, or where the round before ended
}

// round reads memberships after the head of the log; what follows that head is told from
// the ring, so nothing falls between. It is false when the ring does not reach back that
// far any more: then another round replays what came meanwhile.
func (a *arrival) round(ctx context.Context, h *Hub) (admitted bool, err error) {
	s := a.session
	reached, err := h.rooms.Head(ctx)
	if err != nil {
		return false, fmt.Errorf("head of the log: %w", err)
	}
	rooms, err := h.roomsOf(ctx, s)
	if err != nil {
		return false, err
	}
	missed, err := a.missed(ctx, h, rooms, reached)
	if err != nil {
		return false, err
	}
	if a.first {
		from := reached
		if a.resume {
			from = a.since
		}
		if err := h.greet(ctx, s, rooms, from); err != nil {
			return false, err
		}
	}
	if missed != nil {
		err = h.replay(ctx, s, missed)
	} else if a.resync && !s.stream(resyncText) {
		err = errAway
	}
	if err != nil {
		return false, err
	}
	var live []byte
	if a.resume {
		live = encode(liveFrame{"live", reached.String()})
	}
	h.ask(func() { admitted = h.loop.admit(s, rooms, reached.Seq, live) })
	a.first, a.resync, a.since = false, false, reached
	return admitted, nil
}

// missed returns what to replay, nil if nothing or if that would be too much.
func (a *arrival) missed(ctx context.Context, h *Hub, rooms map[store.RoomID]bool, reached store.Position) (*plan, error) {
	if a.first && !a.resume {
		return nil, nil
	}
	p, err := h.plan(ctx, a.session, rooms, a.since, reached)
	if errors.Is(err, store.ErrExpired) {
		a.resume, a.resync = false, true
		return nil, nil
	}
	return p, err
}

// roomsOf returns the memberships of a session's person; true: hidden. It is ErrNotFound
// when the session is for a room that the person may not know of.
func (h *Hub) roomsOf(ctx context.Context, s *session) (map[store.RoomID]bool, error) {
	user := s.user.Load()
	members, err := h.rooms.RoomsOf(ctx, user.ID)
	if err != nil {
		return nil, fmt.Errorf("rooms of user %d: %w", user.ID, err)
	}
	rooms := make(map[store.RoomID]bool, len(members))
	for _, m := range members {
		rooms[m.Room] = m.Hidden
	}
	if s.room == "" {
		return rooms, nil
	}
	_, member, err := h.chat.Audience(ctx, *user, s.room)
	switch _, listed := rooms[s.room]; { // it may have changed between the two reads
	case member && !listed:
		rooms[s.room] = false
	case !member:
		delete(rooms, s.room)
	}
	return rooms, err
}

// greet sends the first frame.
func (h *Hub) greet(ctx context.Context, s *session, rooms map[store.RoomID]bool, from store.Position) error {
	user := s.user.Load()
	presence := h.Presence(user.ID)
	if presence == Offline {
		presence = Online
	}
	hello := helloFrame{
		Type: "hello", Cursor: from.String(), User: NewUser(*user, presence),
		Heartbeat: h.loop.beats(), Rooms: map[store.RoomID]roomState{},
	}
	if _, member := rooms[s.room]; s.room != "" && !member {
		r, err := h.rooms.Room(ctx, s.room)
		if err != nil {
			return err
		}
		hello.Rooms[s.room] = roomState{HeadSeq: r.Head}
	} else {
		waiting, err := h.unread(ctx, s)
		if err != nil {
			return err
		}
		for _, u := range waiting {
			if hidden, member := rooms[u.Room]; member && (!hidden || s.room != "") {
				hello.Rooms[u.Room] = roomState{u.Head, u.Count, u.Mentions}
			}
		}
	}
	if !s.stream(encode(hello)) {
		return errAway
	}
	return nil
}

func (h *Hub) unread(ctx context.Context, s *session) ([]store.Unread, error) {
	user := s.user.Load()
	if s.room == "" {
		return h.chat.Unread(ctx, *user)
	}
	u, err := h.chat.UnreadIn(ctx, *user, s.room)
	if errors.Is(err, store.ErrForbidden) { // left a moment ago
		return nil, nil
	}
	return []store.Unread{u}, err
}
