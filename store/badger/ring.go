package badger

import (
	"sync"

	"github.com/hearthchat/hearth/store"
)

const maxRecent = 4096

// changeLog knows the ends of the log and keeps its newest part, with records, in memory.
type changeLog struct {
	mu     sync.Mutex
	epoch  uint64
	low    uint64         // oldest entry there is, or one past head when there is none
	head   uint64         // newest entry
	recent []store.Change // ends with head
	bytes  int
	limit  int
	more   chan struct{} // closed and replaced when head moves
	closed bool
}

func (l *changeLog) open(epoch, low, head uint64, limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.low, l.head, l.limit = epoch, low, head, limit
	l.more = make(chan struct{})
}

func (l *changeLog) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// publish makes committed changes visible and wakes who waits for them.
func (l *changeLog) publish(changes []store.Change) {
	if len(changes) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head = changes[len(changes)-1].Position.Seq
	for _, c := range changes {
		l.bytes += recentSize(c)
	}
	l.recent = append(l.recent, changes...)
	drop := 0
	for drop < len(l.recent) && (len(l.recent)-drop > maxRecent || l.bytes > l.limit) {
		l.bytes -= recentSize(l.recent[drop])
		drop++
	}
	if drop > 0 {
		clear(l.recent[:drop]) // lets go of their records; append moves the rest in time
		l.recent = l.recent[drop:]
	}
	if l.more != nil {
		close(l.more)
		l.more = make(chan struct{})
	}
}

// recentSize is about how much memory a change holds.
func recentSize(c store.Change) int {
	size := 160
	if c.RecordMessage != nil {
		size += 256 + len(c.RecordMessage.Content)
	}
	if c.RecordRoom != nil {
		size += 256 + len(c.RecordRoom.Description)
	}
	return size
}

// after returns up to limit changes from memory; ok is false when it does not reach back
// that far.
func (l *changeLog) after(seq uint64, limit int) (changes []store.Change, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq >= l.head {
		return nil, true
	}
	first := l.head - uint64(len(l.recent)) + 1
	if seq+1 < first {
		return nil, false
	}
	from := l.recent[seq+1-first:]
	from = from[:min(limit, len(from))]
	return append(make([]store.Change, 0, len(from)), from...), true
}

// check refuses positions that cannot be continued from.
func (l *changeLog) check(p store.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Epoch != l.epoch || p.Seq+1 < l.low || p.Seq > l.head {
		return &store.Fault{Kind: store.ErrExpired, Code: "cursor_expired", Text: "Cursor expired", Details: "start again from the present state"}
	}
	return nil
}

func (l *changeLog) trimmed(low uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.low = low
}

// wait returns a channel that is closed when something follows p, nil if it does already.
func (l *changeLog) wait(p store.Position) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, store.ErrClosed
	}
	if p.Epoch != l.epoch || p.Seq != l.head {
		return nil, nil
	}
	return l.more, nil
}

func (l *changeLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}
