package live

import (
	"context"
	"errors"

	"github.com/hearthchat/hearth/store"
)

// count asks for what waits for a person in a room.
type count struct {
	user  store.UserID
	room  store.RoomID
	tries int
}

// counted is an answer. It was read somewhere between two places in the log.
type counted struct {
	count
	after, before uint64
	frame         []byte
}

// maxCounts is how often an answer is given up because the room went on meanwhile.
const maxCounts = 3

// countUnread answers counts until ctx ends, many of the same with one.
func (h *Hub) countUnread(ctx context.Context) {
	for asked := h.counts.take(ctx); asked != nil; asked = h.counts.take(ctx) {
		done := map[count]bool{}
		for _, c := range asked {
			if done[c] {
				continue
			}
			done[c] = true
			if err := h.countOne(ctx, c); err != nil && !isGone(err) && ctx.Err() == nil {
				h.options.Log.Error("count unread messages", "room", c.room, "user", c.user, "error", err)
			}
		}
	}
}

func (h *Hub) countOne(ctx context.Context, c count) error {
	after := h.routed.Load()
	u, err := h.rooms.UnreadIn(ctx, c.room, c.user)
	if err != nil {
		return err
	}
	head, err := h.rooms.Head(ctx)
	if err != nil {
		return err
	}
	frame := encode(unreadFrame{"unread_update", c.room, u.Count, u.Mentions, ID(u.LastRead), ID(u.First)})
	h.do(func() { h.loop.count(counted{c, after, head.Seq, frame}) })
	return nil
}

// count tells a person's sockets what waits for them once they have heard everything that
// the answer may include. When the room went on meanwhile nobody could say what it
// includes, so it is asked for again.
func (l *loop) count(c counted) {
	p, a := l.people[c.user], l.audiences[c.room]
	switch {
	case p == nil || a == nil:
	case l.at < c.before:
		l.counted = append(l.counted, c)
	case a.last > c.after && c.tries < maxCounts:
		c.count.tries++
		l.hub.counts.put(c.count)
	default:
		for s := range p.sessions {
			if at, here := s.places[c.room]; here && !at.watcher {
				l.tellOne(s, job{frames: [][]byte{c.frame}})
			}
		}
	}
}

// checkSessions ends the sockets of sessions that have ended and of accounts that are not
// active, of those it is asked to look at, until ctx ends.
func (h *Hub) checkSessions(ctx context.Context) {
	for some := h.checks.take(ctx); some != nil; some = h.checks.take(ctx) {
		for _, s := range some {
			if err := h.checkSession(ctx, s); err != nil && ctx.Err() == nil {
				h.options.Log.Error("look at a session", "user", s.user.Load().ID, "error", err)
			}
		}
	}
}

func (h *Hub) checkSession(ctx context.Context, s *session) error {
	_, err := h.people.Session(ctx, s.id, h.options.Now())
	if err == nil {
		var u store.User
		if u, err = h.people.User(ctx, s.user.Load().ID); err == nil && u.Active && !u.Closed {
			return nil
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.close(CloseEnded, "session ended")
	return nil
}

// isGone reports whether an error says that something, or the right to it, is not there any more.
func isGone(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrForbidden)
}
