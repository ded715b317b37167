package badger

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"github.com/hearthchat/hearth/store"
)

// mint makes UUIDs of version 7: milliseconds, a counter within them, and 62 bits that are
// random once in the life of a mint. That is as unique as 74 random bits in each, but ids
// are in order, and compress: each is stored four times, and random ones would take a
// quarter of a short message's place on disk. Nothing may rely on ids not being guessed.
type mint struct {
	now func() time.Time

	mu   sync.Mutex
	tail [8]byte // zero: not made yet
	last uint64  // milliseconds, and 12 bits of counter below
}

func (m *mint) newID() (id store.MessageID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tail == [8]byte{} {
		rand.Read(m.tail[:])
		m.tail[0] = m.tail[0]&0x3F | 0x80
	}
	// A full counter, and a clock that stands still or goes back, borrow from the next millisecond.
	m.last = max(uint64(m.now().UnixMilli())<<12, m.last+1)
	ms, counter := m.last>>12, uint16(m.last&0xFFF)
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	binary.BigEndian.PutUint16(id[6:], 0x7000|counter)
	copy(id[8:], m.tail[:])
	return id
}
