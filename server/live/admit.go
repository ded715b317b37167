package live

import (
	"time"

	"github.com/hearthchat/hearth/store"
)

// admit makes s one of those who hear, from the place in the log that its replay reached.
// What was routed since then is sent at once, after first. It is false when that is not at hand any
// more and the replay has to go on.
func (l *loop) admit(s *session, rooms map[store.RoomID]bool, reached uint64, first []byte) bool {
	missed, ok := l.ring.after(reached, l.at)
	if !ok {
		return false
	}
	user := s.user.Load()
	p := l.people[user.ID]
	if p == nil {
		for _, e := range missed { // nobody kept the person's memberships meanwhile
			follow(rooms, user.ID, e)
		}
		p = &person{id: user.ID, name: user.Username, sessions: map[*session]struct{}{}, rooms: rooms, shown: Offline}
		l.people[user.ID] = p
		l.hub.here.count(+1, rooms)
	}
	s.person, s.places, s.skip = p, make(map[store.RoomID]place), max(reached, l.at)
	p.sessions[s] = struct{}{}
	p.left = time.Time{}
	p.input = time.Now()
	s.beat = l.seats % l.beats()
	l.seats++
	if s.room == "" {
		for room, hidden := range p.rooms {
			if !hidden {
				l.enter(s, room, false)
			}
		}
	} else {
		_, member := p.rooms[s.room]
		l.enter(s, s.room, !member)
	}
	if first != nil {
		l.tellOne(s, job{frames: [][]byte{first}})
	}
	for _, e := range missed {
		l.catchUp(s, e)
	}
	l.show(p)
	return true
}

// follow changes a person's memberships as an event says, if they are not so already.
func follow(rooms map[store.RoomID]bool, user store.UserID, e *event) {
	switch {
	case e.kind == store.RoomDeleted:
		delete(rooms, e.room)
	case e.user != user:
	case e.kind == store.MemberJoined:
		rooms[e.room] = false
	case e.kind == store.MemberLeft && e.direct:
		rooms[e.room] = true
	case e.kind == store.MemberLeft:
		delete(rooms, e.room)
	}
}

// catchUp sends s an event that was routed before it was admitted. Rooms it has lost in
// between are told by their loss alone.
func (l *loop) catchUp(s *session, e *event) {
	at, hears := s.places[e.room]
	own := e.user == s.person.id
	frame := e.frame
	switch {
	case e.kind == store.UserEdited:
		hears = own
		for _, room := range e.rooms {
			_, shares := s.person.rooms[room]
			hears = hears || shares
		}
		if own && e.account != nil {
			s.user.Store(e.account)
			defer l.judge(s, e.account)
		}
	case e.kind == store.SessionsEnded && own:
		l.hub.checks.put(s)
	case own && e.mine != nil && (s.room == "" || s.room == e.room):
		frame, hears = e.mine, true
	case own && e.kind == store.MemberLeft && (s.room == "" || s.room == e.room):
		hears = true
	case e.kind == store.MessagesRead:
		hears = hears && !at.watcher
	}
	if hears && frame != nil {
		l.tellOne(s, job{frames: [][]byte{frame}})
	}
	if s.room == "" || s.room != e.room {
		return
	}
	switch {
	case e.kind == store.RoomDeleted:
		l.dismiss(s, CloseGone, "the room was deleted")
	case e.private && at.watcher:
		l.dismiss(s, CloseNotYours, "the room is private now")
	}
}

// detach forgets a session that was admitted.
func (l *loop) detach(s *session) {
	p := s.person
	for room := range s.places {
		l.exit(s, room)
	}
	delete(p.sessions, s)
	if len(p.sessions) == 0 {
		p.left = time.Now()
		l.silence(p)
	}
}

// reset starts again at a place in the log after some of it was missed: clients resume.
func (l *loop) reset(at uint64) {
	l.at = at
	l.ring = ring{}
	for _, p := range l.people {
		for s := range p.sessions {
			l.dismiss(s, CloseResume, "resume")
		}
	}
}
