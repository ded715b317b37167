package badger

import (
	"fmt"
	"testing"

	"github.com/hearthchat/hearth/store"
)

// TestPostCostsTheSameInALargeRoom counts what a post writes: nothing for each member.
func TestPostCostsTheSameInALargeRoom(t *testing.T) {
	s := openT(t, t.TempDir())
	type cost struct{ keys, bytes int }
	sent := 0
	posting := func(people int, d store.Draft) (c cost) {
		var members []store.UserID
		for user := range people {
			members = append(members, store.UserID(1+user))
		}
		d.Room, d.Author, d.Content = newRoom(t, s, members...), 1, body
		for range 2 {
			sent++
			d.ClientID = fmt.Sprintf("client %04d", sent)
			err := s.write(t.Context(), func(t *tx) error {
				_, _, err := appendDraft(t, d, fingerprint(d))
				c = cost{t.keys, t.bytes}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	for _, tt := range []struct {
		name string
		d    store.Draft
	}{
		{"a plain message", store.Draft{}},
		{"naming everybody", store.Draft{MentionsRoom: true}},
		{"naming two", store.Draft{Mentions: []store.UserID{2, 3}}},
	} {
		small, large := posting(5, tt.d), posting(5000, tt.d)
		// The room's count of members takes a byte more.
		if small.keys != large.keys || large.bytes-small.bytes > 1 {
			t.Errorf("%s: %+v in a room of 5, %+v in one of 5000", tt.name, small, large)
		}
		if small.keys > 11 || small.bytes > 1200 {
			t.Errorf("%s writes %d keys, %d bytes", tt.name, small.keys, small.bytes)
		}
		t.Logf("%s: %d keys, %d bytes", tt.name, large.keys, large.bytes)
	}
}
