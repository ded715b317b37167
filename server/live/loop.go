package live

import (
	"maps"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// event is a change, ready to be told.
type event struct {
	at      store.Position
	kind    store.ChangeKind
	room    store.RoomID
	user    store.UserID
	frame   []byte         // for the audience; nil: none
	mine    []byte         // for the person's own sockets, when it is another one
	private bool           // the room is not public now
	direct  bool           // the room is a direct one
	account *store.User    // of UserEdited
	rooms   []store.RoomID // of UserEdited: the person's
}

// person is somebody who is here, or was a moment ago.
type person struct {
	id       store.UserID
	name     string
	sessions map[*session]struct{}
	rooms    map[store.RoomID]bool // memberships as of loop.at; true: a hidden direct room
	said     Presence              // away or dnd, if they said so
	input    time.Time             // when they last did something
	left     time.Time             // when the last session went; zero: somebody is here
	shown    Presence
}

// loop is everything that changes while people come, go and talk. Only its own goroutine
// touches it, by running what is put into Hub.inbox.
type loop struct {
	hub       *Hub
	flushers  []*flusher
	out       [][]job // for each flusher, handed over when the turn ends
	at        uint64  // newest place in the log that was routed
	ring      ring
	people    map[store.UserID]*person
	audiences map[store.RoomID]*audience
	changed   map[*person]struct{} // presence to be told
	typing    map[store.RoomID]struct{}
	counted   []counted // waiting for the log
	pulse     *time.Timer
	pulsing   bool
	second    int // of the heartbeat
	seats     int // sessions so far, spreads them over the seconds of a heartbeat
}

func newLoop(h *Hub) loop {
	l := loop{
		hub: h, people: map[store.UserID]*person{}, audiences: map[store.RoomID]*audience{},
		changed: map[*person]struct{}{}, typing: map[store.RoomID]struct{}{},
		out: make([][]job, h.options.Flushers),
	}
	for n := range h.options.Flushers {
		l.flushers = append(l.flushers, newFlusher(n, h.options.Gather))
	}
	h.here.people, h.here.rooms = map[store.UserID]Presence{}, map[store.RoomID]int{}
	return l
}

func (l *loop) run(quit <-chan struct{}) {
	defer close(l.hub.stopped)
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	l.pulse = time.NewTimer(time.Hour)
	l.pulse.Stop()
	for {
		select {
		case fn := <-l.hub.inbox:
			fn()
		case <-l.pulse.C:
			l.beatPulse()
		case <-seconds.C:
			l.beatSecond()
		case <-quit:
			return
		}
		l.handOver()
	}
}

// handOver gives the flushers what this turn said, and only then lets others know how far
// the log was routed: a cursor is never ahead of what is on its way.
func (l *loop) handOver() {
	for n, jobs := range l.out {
		if len(jobs) > 0 {
			l.flushers[n].add(jobs...)
			clear(jobs)
			l.out[n] = jobs[:0]
		}
	}
	l.hub.routed.Store(l.at)
}

// tell queues a job for a group.
func (l *loop) tell(g *group, j job) {
	for n, list := range g.lists {
		if len(list) > 0 {
			j.to = list
			g.shared[n] = true
			l.out[n] = append(l.out[n], j)
		}
	}
}

func (l *loop) tellOne(s *session, j job) {
	j.only = s
	l.out[s.flusher.number] = append(l.out[s.flusher.number], j)
}

func (l *loop) audience(room store.RoomID) *audience {
	a := l.audiences[room]
	if a == nil {
		n := len(l.flushers)
		a = &audience{members: newGroup(n), watchers: newGroup(n)}
		l.audiences[room] = a
	}
	return a
}

// enter adds s to a room's audience, or moves it to the right part.
func (l *loop) enter(s *session, room store.RoomID, watcher bool) {
	if at, here := s.places[room]; here {
		if at.watcher == watcher {
			return
		}
		l.exit(s, room)
	}
	a := l.audience(room)
	g := &a.members
	if watcher {
		g = &a.watchers
	}
	s.places[room] = place{watcher, int32(g.add(s))}
	a.sessions++
}

// exit takes s out of a room's audience.
func (l *loop) exit(s *session, room store.RoomID) {
	at, here := s.places[room]
	if !here {
		return
	}
	delete(s.places, room)
	a := l.audiences[room]
	g := &a.members
	if at.watcher {
		g = &a.watchers
	}
	if moved := g.remove(s, int(at.index)); moved != nil {
		moved.places[room] = at
	}
	if a.sessions--; a.sessions == 0 {
		delete(l.audiences, room)
		delete(l.typing, room)
	}
}

// dismiss takes s out of everything and ends it.
func (l *loop) dismiss(s *session, code int, reason string) {
	for room := range s.places {
		l.exit(s, room)
	}
	l.tellOne(s, job{code: code, reason: reason})
}

// apply routes what the follower read.
func (l *loop) apply(events []*event) {
	now := time.Now()
	for _, e := range events {
		l.at = e.at.Seq
		l.route(e, now)
		l.ring.add(e)
	}
	waiting := l.counted
	l.counted = nil
	for _, c := range waiting {
		l.count(c)
	}
}

func (l *loop) route(e *event, now time.Time) {
	a := l.audiences[e.room]
	switch e.kind {
	case store.MessagePosted, store.MessageEdited, store.MessageDeleted, store.RoomImported:
		if a != nil {
			a.last = l.at
			l.stopTyping(a, e)
			l.tellRoom(a, e, a.rate.hot(now))
		}
	case store.MessagesRead, store.MarkedUnread:
		if a != nil && e.frame != nil {
			l.tell(&a.members, job{at: l.at, frames: [][]byte{e.frame}, hot: a.rate.hot(now)})
		}
		if p := l.people[e.user]; p != nil && len(p.sessions) > 0 {
			l.hub.counts.put(count{user: e.user, room: e.room})
		}
	case store.MemberJoined:
		l.joined(a, e)
	case store.MemberLeft:
		l.left(a, e)
	case store.RoomEdited:
		l.roomEdited(a, e)
	case store.RoomDeleted:
		l.roomDeleted(a, e)
	case store.UserEdited:
		l.userEdited(e)
	case store.SessionsEnded:
		if p := l.people[e.user]; p != nil {
			for s := range p.sessions {
				l.hub.checks.put(s)
			}
		}
	default:
		l.tellRoom(a, e, false)
	}
}

// tellRoom tells everybody who hears a room.
func (l *loop) tellRoom(a *audience, e *event, hot bool) {
	if a == nil || e.frame == nil {
		return
	}
	j := job{at: l.at, frames: [][]byte{e.frame}, hot: hot}
	l.tell(&a.members, j)
	l.tell(&a.watchers, j)
}

func (l *loop) joined(a *audience, e *event) {
	l.tellRoom(a, e, false)
	p := l.people[e.user]
	if p == nil {
		return
	}
	if _, was := p.rooms[e.room]; !was {
		l.hub.here.countOne(+1, e.room)
	}
	p.rooms[e.room] = false
	for s := range p.sessions {
		switch s.room {
		case "":
			l.enter(s, e.room, false)
			if e.mine != nil {
				l.tellOne(s, job{at: l.at, frames: [][]byte{e.mine}})
			}
		case e.room:
			l.enter(s, e.room, false)
		}
	}
}

func (l *loop) left(a *audience, e *event) {
	l.tellRoom(a, e, false)
	if a != nil && !e.direct {
		l.stopTyping(a, e)
	}
	p := l.people[e.user]
	if p == nil {
		return
	}
	_, was := p.rooms[e.room]
	if e.direct {
		p.rooms[e.room] = true
	} else if was {
		delete(p.rooms, e.room)
		l.hub.here.countOne(-1, e.room)
	}
	for s := range p.sessions {
		switch {
		case s.room == "":
			if e.mine != nil {
				l.tellOne(s, job{at: l.at, frames: [][]byte{e.mine}})
			}
			l.exit(s, e.room)
		case s.room != e.room || e.direct:
		case e.private || s.user.Load().Role == store.RoleGuest:
			l.dismiss(s, CloseNotYours, "not a member any more")
		default:
			l.enter(s, e.room, true)
		}
	}
}

func (l *loop) roomEdited(a *audience, e *event) {
	if a == nil {
		return
	}
	if e.private {
		for s := range a.watchers.all {
			l.dismiss(s, CloseNotYours, "the room is private now")
		}
	}
	l.tellRoom(a, e, false)
}

func (l *loop) roomDeleted(a *audience, e *event) {
	l.tellRoom(a, e, false)
	if a != nil {
		for _, g := range []*group{&a.members, &a.watchers} {
			for s := range g.all {
				if s.room == "" {
					l.exit(s, e.room)
				} else {
					l.dismiss(s, CloseGone, "the room was deleted")
				}
			}
		}
	}
	for _, p := range l.people {
		if _, was := p.rooms[e.room]; was {
			delete(p.rooms, e.room)
			l.hub.here.countOne(-1, e.room)
		}
	}
}

func (l *loop) userEdited(e *event) {
	if e.account == nil { // gone meanwhile
		return
	}
	p, rooms := l.people[e.user], e.rooms
	if p != nil {
		p.name = e.account.Username
		for s := range p.sessions {
			s.user.Store(e.account)
		}
		rooms = slices.AppendSeq(slices.Clone(rooms), maps.Keys(p.rooms)) // who closes an account leaves them at once
	}
	l.tellPeople(p, rooms, job{at: l.at, frames: [][]byte{e.frame}})
	if p == nil {
		return
	}
	for s := range p.sessions {
		l.judge(s, e.account)
	}
}

// judge ends a session that the account, as it is now, has no right to.
func (l *loop) judge(s *session, u *store.User) {
	_, member := s.person.rooms[s.room]
	switch {
	case !u.Active || u.Closed:
		l.dismiss(s, CloseEnded, "session ended")
	case u.Role == store.RoleGuest && s.room != "" && !member:
		l.dismiss(s, CloseNotYours, "guests see only their rooms")
	}
}

// tellPeople tells a person and everybody who is in one of these rooms, each once.
func (l *loop) tellPeople(p *person, rooms []store.RoomID, j job) {
	lists := make([][]*session, len(l.flushers))
	seen := map[*session]struct{}{}
	add := func(s *session) {
		if _, before := seen[s]; !before {
			seen[s] = struct{}{}
			lists[s.flusher.number] = append(lists[s.flusher.number], s)
		}
	}
	if p != nil {
		for s := range p.sessions {
			add(s)
		}
	}
	for _, room := range rooms {
		if a := l.audiences[room]; a != nil {
			for s := range a.members.all {
				add(s)
			}
		}
	}
	for n, list := range lists {
		if len(list) > 0 {
			j.to = list
			l.out[n] = append(l.out[n], j)
		}
	}
}
