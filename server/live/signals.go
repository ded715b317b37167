package live

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// pulseEvery is how often, at most, typing and presence are told in one room.
const pulseEvery = 250 * time.Millisecond

// maxPresences is how many people's presence one pulse tells; the others follow with the next.
const maxPresences = 250

// presence is how reachable a person is now.
func (l *loop) presence(p *person) Presence {
	switch {
	case p.said == Busy, p.said == Away:
		return p.said
	case time.Since(p.input) >= l.hub.options.AwayAfter:
		return Away
	}
	return Online
}

// show has a person's presence told if it is not what was told last.
func (l *loop) show(p *person) {
	now := l.presence(p)
	if _, waits := l.changed[p]; now == p.shown && !waits {
		return
	}
	l.hub.here.show(p.id, now)
	if now == p.shown {
		delete(l.changed, p)
		return
	}
	l.changed[p] = struct{}{}
	l.arm()
}

func (l *loop) arm() {
	if !l.pulsing {
		l.pulsing = true
		l.pulse.Reset(pulseEvery)
	}
}

// saysPresence is a person's own word on it: away and busy hold until they say otherwise,
// away also until they do something.
func (l *loop) saysPresence(p *person, said Presence) {
	p.input = time.Now()
	if p.said = said; said == Online {
		p.said = ""
	}
	l.show(p)
}

// acted notes that a person did something.
func (l *loop) acted(p *person) {
	p.input = time.Now()
	if p.said == Away {
		p.said = ""
	}
	l.show(p)
}

// beats is the length of a heartbeat in seconds.
func (l *loop) beats() int { return max(1, int(l.hub.options.Heartbeat/time.Second)) }

// beatSecond pings the sessions whose second it is, and notices who is idle or gone.
func (l *loop) beatSecond() {
	l.second = (l.second + 1) % l.beats()
	var gone []*person
	for _, p := range l.people {
		if len(p.sessions) == 0 {
			if time.Since(p.left) >= l.hub.options.LeaveAfter {
				gone = append(gone, p)
			}
			continue
		}
		l.show(p)
		for s := range p.sessions {
			if s.beat == l.second {
				l.tellOne(s, job{frames: [][]byte{pingFrame}})
				l.hub.checks.put(s)
			}
		}
	}
	for _, p := range gone {
		delete(l.people, p.id)
		delete(l.changed, p)
		l.hub.here.show(p.id, Offline)
		l.hub.here.count(-1, p.rooms)
		p.shown = Offline
	}
	l.tellPresence(gone)
}

// beatPulse tells what changed since the last pulse.
func (l *loop) beatPulse() {
	l.pulsing = false
	var told []*person
	for p := range l.changed {
		if len(told) == maxPresences {
			break
		}
		p.shown = l.presence(p)
		told = append(told, p)
		delete(l.changed, p)
	}
	l.tellPresence(told)
	l.tellTyping()
	if len(l.changed) > 0 || len(l.typing) > 0 {
		l.arm()
	}
}

// tellPresence tells people's presence to those who share a room with them. People of the
// same rooms are told together: after a restart everybody comes at once.
func (l *loop) tellPresence(people []*person) {
	alike := map[string][]*person{}
	for _, p := range people {
		key := roomsKey(p.rooms)
		alike[key] = append(alike[key], p)
	}
	for _, some := range alike {
		var frames bytes.Buffer
		for _, p := range some {
			frames.Write(encode(presenceFrame{"presence_change", p.id, p.name, p.shown, Time(l.hub.options.Now())}))
		}
		j := job{frames: [][]byte{frames.Bytes()}}
		rooms := make([]store.RoomID, 0, len(some[0].rooms))
		for room := range some[0].rooms {
			rooms = append(rooms, room)
		}
		l.tellPeople(nil, rooms, j)
	}
}

func roomsKey(rooms map[store.RoomID]bool) string {
	ids := make([]string, 0, len(rooms))
	for room := range rooms {
		ids = append(ids, string(room))
	}
	slices.Sort(ids)
	return strings.Join(ids, "\x00")
}

// setTyping notes who types in a room that somebody hears.
func (l *loop) setTyping(user store.UserID, room store.RoomID, typing bool) {
	a := l.audiences[room]
	if a == nil {
		return
	}
	_, was := a.typing[user]
	switch {
	case typing:
		if a.typing == nil {
			a.typing = map[store.UserID]time.Time{}
		}
		a.typing[user] = time.Now().Add(l.hub.options.TypingFor)
	case was:
		delete(a.typing, user)
	}
	if typing != was {
		a.typed = true
	}
	if typing || was {
		l.typing[room] = struct{}{}
		l.arm()
	}
}

// stopTyping ends a person's typing because of what they did.
func (l *loop) stopTyping(a *audience, e *event) {
	if a != nil && len(a.typing) > 0 && (e.kind == store.MessagePosted || e.kind == store.MemberLeft) {
		l.setTyping(e.user, e.room, false)
	}
}

// silence ends all typing of a person who is gone.
func (l *loop) silence(p *person) {
	for room := range l.typing {
		l.setTyping(p.id, room, false)
	}
}

// tellTyping tells each room in which it changed who types there.
func (l *loop) tellTyping() {
	now := time.Now()
	for room := range l.typing {
		a := l.audiences[room]
		for user, until := range a.typing {
			if !now.Before(until) {
				delete(a.typing, user)
				a.typed = true
			}
		}
		if a.typed {
			a.typed = false
			users := make([]store.UserID, 0, len(a.typing))
			for user := range a.typing {
				users = append(users, user)
			}
			slices.Sort(users)
			j := job{frames: [][]byte{encode(typingFrame{"typing_update", room, users, Time(l.hub.options.Now())})}}
			l.tell(&a.members, j)
			l.tell(&a.watchers, j)
		}
		if len(a.typing) == 0 {
			delete(l.typing, room)
		}
	}
}
