package badger

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hearthchat/hearth/store"
)

// body is a message of ordinary length.
var body = strings.Repeat("what people say to each other ", 4)[:100]

// openT opens a workspace that the test closes at its end, if it has not by itself.
func openT(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newRoom makes an open room; the first member owns it.
func newRoom(t testing.TB, s *Store, people ...store.UserID) store.RoomID {
	t.Helper()
	var members []store.Member
	for i, user := range people {
		members = append(members, store.Member{User: user})
		if i == 0 {
			members[0].Role = store.RoomOwner
		}
	}
	r, err := s.CreateRoom(t.Context(), store.Room{Kind: store.KindOpen, Name: "Lobby", Creator: people[0]}, members)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func post(t testing.TB, s *Store, d store.Draft) store.Message {
	t.Helper()
	m, _, err := s.Append(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fill posts n messages as fast as batches allow.
func fill(t testing.TB, s *Store, room store.RoomID, author store.UserID, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, _, err := s.Append(t.Context(), store.Draft{Room: room, Author: author, Content: fmt.Sprint("message ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
