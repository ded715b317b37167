package live

import (
	"slices"
	"sync"
	"time"

	"github.com/hearthchat/hearth/store"
)

// audience is who hears a room now.
type audience struct {
	members  group
	watchers group // of public rooms, without being in them: they hear no receipts
	sessions int

	rate   rate
	last   uint64 // newest place in the log that can change what is unread
	typing map[store.UserID]time.Time
	typed  bool // typing changed since it was last told
}

// group is some sessions, a list for each flusher. Flushers read lists while the loop goes
// on, so a list that was shared is copied before something is taken out of it.
type group struct {
	lists  [][]*session
	shared []bool
}

func newGroup(flushers int) group {
	return group{lists: make([][]*session, flushers), shared: make([]bool, flushers)}
}

// add puts s at the end of its list, where no reader of a shared list looks, and returns its place.
func (g *group) add(s *session) int {
	n := s.flusher.number
	g.lists[n] = append(g.lists[n], s)
	return len(g.lists[n]) - 1
}

// remove takes s out and returns the session that now has its place, if any.
func (g *group) remove(s *session, place int) *session {
	n := s.flusher.number
	if g.shared[n] {
		g.lists[n], g.shared[n] = slices.Clone(g.lists[n]), false
	}
	list := g.lists[n]
	end := len(list) - 1
	moved := list[end]
	list[place], list[end] = moved, nil
	g.lists[n] = list[:end]
	if moved == s {
		return nil
	}
	return moved
}

func (g *group) all(yield func(*session) bool) {
	for _, list := range g.lists {
		for _, s := range slices.Clone(list) {
			if !yield(s) {
				return
			}
		}
	}
}

// place is where in a room's audience a session stands.
type place struct {
	watcher bool
	index   int32
}

// busyRate is how many frames a second make a room busy: its frames are then gathered.
const busyRate = 50

// rate counts what happens in a room by the second.
type rate struct {
	second int64
	count  int
	before int // count of the second before
}

// hot counts one more and reports whether the room is busy.
func (r *rate) hot(now time.Time) bool {
	switch second := now.Unix(); second {
	case r.second:
	case r.second + 1:
		r.second, r.before, r.count = second, r.count, 0
	default:
		r.second, r.before, r.count = second, 0, 0
	}
	r.count++
	return r.count > busyRate || r.before > busyRate
}

// directory is what others may ask about who is here without waiting for the loop.
type directory struct {
	mu     sync.RWMutex
	people map[store.UserID]Presence
	rooms  map[store.RoomID]int // members who are here
}

func (d *directory) online(room store.RoomID) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rooms[room]
}

func (d *directory) presence(user store.UserID) Presence {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if p, ok := d.people[user]; ok {
		return p
	}
	return Offline
}

// show sets a person's presence.
func (d *directory) show(user store.UserID, p Presence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p == Offline {
		delete(d.people, user)
	} else {
		d.people[user] = p
	}
}

// count adds n to the people who are here of each room.
func (d *directory) count(n int, rooms map[store.RoomID]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for room := range rooms {
		d.add(room, n)
	}
}

func (d *directory) countOne(n int, room store.RoomID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(room, n)
}

func (d *directory) add(room store.RoomID, n int) {
	if d.rooms[room] += n; d.rooms[room] <= 0 {
		delete(d.rooms, room)
	}
}
