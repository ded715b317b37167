package badger

import (
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// TestImportNeverWaits follows what two members have to read while an import runs, is cut
// off by the end of the process, and after.
func TestImportNeverWaits(t *testing.T) {
	dir := t.TempDir()
	s := openT(t, dir)
	room := newRoom(t, s, 1, 2)
	waiting := post(t, s, store.Draft{Room: room, Author: 1, Content: "waits for 2"})
	if err := s.BeginImport(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	var in []store.Message
	for i := range 3000 {
		author := store.UserID(1 + i%5) // members among them
		in = append(in, store.Message{ID: s.options.NewID(), Author: author, Type: store.TypeText, Content: "old", At: time.Unix(int64(i), 0)})
	}
	added, err := s.ImportMessages(t.Context(), room, in, true)
	if err != nil || added != len(in) {
		t.Fatalf("imported %d, %v", added, err)
	}
	check := func(when string) {
		t.Helper()
		for user, want := range map[store.UserID]int{1: 0, 2: 1} {
			u, err := s.UnreadIn(t.Context(), room, user)
			if err != nil || u.Count != want || want == 1 && u.First != waiting.ID {
				t.Errorf("%s %d has %+v to read, want %d: %v", when, user, u, want, err)
			}
		}
		for _, p := range problems(t, s) {
			t.Errorf("%s: %s", when, p)
		}
	}
	check("while it runs")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openT(t, dir)
	if r, err := s.Room(t.Context(), room); err != nil || r.Importing {
		t.Errorf("after a restart: %+v, %v", r, err)
	}
	check("after a restart")
	if err := s.BeginImport(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	if added, err := s.ImportMessages(t.Context(), room, in, false); err != nil || added != 0 {
		t.Errorf("the same again adds %d, %v", added, err)
	}
	if err := s.EndImport(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	check("after the import")
	// A person's own part of the import counts for them from now on.
	fresh := post(t, s, store.Draft{Room: room, Author: 2, Content: "new"})
	if u, err := s.Read(t.Context(), room, 1, fresh.ID, s.now()); err != nil || u.Count != 0 {
		t.Errorf("after reading: %+v, %v", u, err)
	}
	check("after posting")
}
