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
// hear. It reads memberships after the head of the log, and what follows that head is told
// from the ring, so nothing falls between.
func (h *Hub) attach(ctx context.Context, s *session, cursor string) error {
	since, err := store.ParsePosition(cursor)
	resume, resync := cursor != "" && err == nil, cursor != "" && err != nil
	for round := range maxRounds {
		reached, err := h.rooms.Head(ctx)
		if err != nil {
			return fmt.Errorf("head of the log: %w", err)
		}
		rooms, err := h.roomsOf(ctx, s)
		if err != nil {
			return err
		}
		var missed *plan
		if resume || round > 0 {
			missed, err = h.plan(ctx, s, rooms, since, reached)
			resync = errors.Is(err, store.ErrExpired)
			if err != nil && !resync {
				return err
			}
		}
		if round == 0 {
			from := reached
			if resume && !resync {
				from = since
			}
			if err := h.greet(ctx, s, rooms, from); err != nil {
				return err
			}
		}
		if resync {
			if !s.stream(resyncText) {
				return errAway
			}
			resume, resync = false, false
		} else if missed != nil {
			if err := h.replay(ctx, s, missed); err != nil {
				return err
			}
		}
		var live []byte
		if resume {
			live = encode(liveFrame{"live", reached.String()})
		}
		admitted := false
		h.ask(func() { admitted = h.loop.admit(s, rooms, reached.Seq, live) })
		if admitted {
			return nil
		}
		since = reached
	}
	s.close(CloseResume, "resume")
	return errAway
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
	if _, listed := rooms[s.room]; err == nil && listed != member {
		if delete(rooms, s.room); member { // it changed between the two reads
			rooms[s.room] = false
		}
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
