package badger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/store"
)

// traces returns the keys outside of the log that have to do with a room.
func traces(t *testing.T, s *Store, room store.RoomID) (keys []string) {
	t.Helper()
	for k, value := range contents(t, s) {
		if k[0] != tagLog && strings.Contains(k+value, string(room)) {
			keys = append(keys, fmt.Sprintf("%x", k))
		}
	}
	return keys
}

func TestDeletedRoomIsErasedAlsoAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := openT(t, dir)
	ctx := t.Context()
	other := newRoom(t, s, 1, 2)
	kept := post(t, s, store.Draft{Room: other, Author: 1, Content: "kept", ClientID: "kept"})
	room := newRoom(t, s, 1, 2, 3)
	fill(t, s, room, 1, 3*eraseStep)
	root := post(t, s, store.Draft{Room: room, Author: 1, Content: "x", ClientID: "a", MentionsRoom: true})
	last := post(t, s, store.Draft{Room: room, Author: 2, Content: "x", ClientID: "b", Parent: root.ID, Mentions: []store.UserID{3}})
	if _, err := s.Read(ctx, room, 3, root.ID, s.now()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadOne(ctx, last.ID, 2, s.now()); err != nil {
		t.Fatal(err)
	}
	// The janitor gets no further than Close lets it.
	if err := s.DeleteRoom(ctx, room, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openT(t, dir)
	for _, p := range problems(t, s) {
		t.Errorf("while it is erased: %s", p)
	}
	if all, err := s.RoomsOf(ctx, 1); err != nil || len(all) != 1 || all[0].Room != other {
		t.Errorf("RoomsOf = %v, %v", all, err)
	}
	if err := s.waitErased(ctx, room); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, s, room); len(left) > 0 {
		t.Errorf("%d keys are left: %v", len(left), left[:min(5, len(left))])
	}
	if left := traces(t, s, store.RoomID(root.ID[:])); len(left) > 0 {
		t.Errorf("the message's id is left in %v", left)
	}
	for _, p := range problems(t, s) {
		t.Errorf("afterwards: %s", p)
	}
	if _, repeated, err := s.Append(ctx, store.Draft{Room: other, Author: 1, Content: "kept", ClientID: "kept"}); err != nil || !repeated {
		t.Errorf("the other room's client id: repeated %v, %v", repeated, err)
	}
	if m, err := s.Message(ctx, kept.ID); err != nil || m.Content != "kept" {
		t.Errorf("the other room's message: %v, %v", m, err)
	}
}

func TestRoomIDCanBeUsedAgain(t *testing.T) {
	s := openT(t, t.TempDir())
	room := newRoom(t, s, 1, 2)
	fill(t, s, room, 1, 2*eraseStep)
	if err := s.DeleteRoom(t.Context(), room, 1); err != nil {
		t.Fatal(err)
	}
	r, err := s.CreateRoom(t.Context(), store.Room{ID: room, Kind: store.KindOpen, Name: "again", Creator: 1}, []store.Member{{User: 1}})
	if err != nil || r.Head != 1 {
		t.Fatalf("the room made again: %+v, %v", r, err)
	}
	if page, err := s.Page(t.Context(), room, store.Span{Limit: 10}); err != nil || len(page) != 1 {
		t.Errorf("it holds %v, %v", page, err)
	}
	for _, p := range problems(t, s) {
		t.Error(p)
	}
}
