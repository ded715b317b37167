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

// counting counts the keys that are walked over.
type counting struct {
	reader
	walked *int
}

func (c counting) ascend(prefix, from key, visit func(k, value []byte) (bool, error)) error {
	return c.reader.ascend(prefix, from, func(k, value []byte) (bool, error) {
		*c.walked++
		return visit(k, value)
	})
}

// TestPostDoesNotCountWhatWasDeleted is about somebody who writes but never reads, in a
// room where much is deleted.
func TestPostDoesNotCountWhatWasDeleted(t *testing.T) {
	s := openT(t, t.TempDir())
	room := newRoom(t, s, 1, 2)
	const many = 200
	fill(t, s, room, 1, many)
	page, err := s.Page(t.Context(), room, store.Span{Limit: many})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page {
		if _, err := s.EditMessage(t.Context(), m.ID, 1, func(m *store.Message) error { m.Deleted = true; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	post(t, s, store.Draft{Room: room, Author: 1, Content: "waits"})
	for i := range 3 {
		walked := 0
		err := s.write(t.Context(), func(tx *tx) error {
			of, err := stateOf(tx, room, 2)
			if err != nil {
				return err
			}
			of.r = counting{tx, &walked}
			waiting, err := of.skip(tx)
			if err == nil && !waiting {
				t.Error("nothing waits")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if first := i == 0; first != (walked > many) || !first && walked > 0 {
			t.Errorf("post %d walks over %d keys", i, walked)
		}
		post(t, s, store.Draft{Room: room, Author: 2, Content: "hello?"})
	}
	if u, err := s.UnreadIn(t.Context(), room, 2); err != nil || u.Count != 1 {
		t.Errorf("unread = %+v, %v", u, err)
	}
}
