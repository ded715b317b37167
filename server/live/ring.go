package live

import (
	"cmp"
	"slices"
)

// ring is the newest events, for sessions that are about to be admitted.
type ring struct {
	events []*event
	bytes  int
}

// What a ring holds at most.
const (
	ringEvents = 4096
	ringBytes  = 4 << 20
)

func (r *ring) add(e *event) {
	r.events = append(r.events, e)
	r.bytes += len(e.frame) + len(e.mine)
	drop := 0
	for drop < len(r.events)-1 && (len(r.events)-drop > ringEvents || r.bytes > ringBytes) {
		r.bytes -= len(r.events[drop].frame) + len(r.events[drop].mine)
		drop++
	}
	clear(r.events[:drop])
	r.events = r.events[drop:]
}

// after returns the events after a place in the log, up to the newest at head; ok is false
// when the ring does not reach back that far.
func (r *ring) after(at, head uint64) (events []*event, ok bool) {
	if at >= head {
		return nil, true
	}
	if len(r.events) == 0 || r.events[0].at.Seq > at+1 {
		return nil, false
	}
	first, _ := slices.BinarySearchFunc(r.events, at+1, func(e *event, at uint64) int { return cmp.Compare(e.at.Seq, at) })
	return r.events[first:], true
}
