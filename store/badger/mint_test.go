package badger

import (
	"bytes"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

func TestNewIDs(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	m := &mint{now: func() time.Time { return now }}
	var last store.MessageID
	for i := range 10_000 { // more than there are counters in a millisecond
		if i == 9_000 {
			now = now.Add(-time.Hour)
		}
		id := m.newID()
		if bytes.Compare(last[:], id[:]) >= 0 {
			t.Fatalf("id %d: %s follows %s", i, id, last)
		}
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("%s is no UUID of version 7", id)
		}
		if i == 0 && id.String()[:13] != "018bcfe5-6800" {
			t.Errorf("%s does not begin with the time", id)
		}
		last = id
	}
	if a, b := m.newID(), (&mint{now: m.now}).newID(); bytes.Equal(a[8:], b[8:]) {
		t.Errorf("two mints make %s and %s", a, b)
	}
}
