package bolt

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hearthchat/hearth/store"
)

func nicks(n int) []store.User {
	users := make([]store.User, n)
	for i := range users {
		name := fmt.Sprintf("nick%d", (i*7919)%n) // in no order
		users[i] = store.User{Alias: "irc:" + name, Username: name, Role: store.RoleMember, Active: true}
	}
	return users
}

func TestImportOfMany(t *testing.T) {
	s := newStore(t)
	add(t, s, person("Nick7"))
	users := nicks(5000)
	all, added, err := s.ImportUsers(t.Context(), users)
	if err != nil || added != len(users) {
		t.Fatalf("imported %d, %v, want %d", added, err, len(users))
	}
	for i, u := range all {
		want := users[i].Username
		if want == "nick7" {
			want = "nick7-2"
		}
		if u.Username != want || u.ID != store.UserID(i+2) {
			t.Fatalf("account %d is %d %q, want %q", i, u.ID, u.Username, want)
		}
	}
	if _, added, err := s.ImportUsers(t.Context(), users); err != nil || added != 0 {
		t.Errorf("imported again: %d, %v", added, err)
	}
	verified(t, s)
}

// BenchmarkImport brings the people of the sample conversations, about 24,000, at once.
func BenchmarkImport(b *testing.B) {
	users := nicks(24_000)
	for b.Loop() {
		s, err := Open(filepath.Join(b.TempDir(), "accounts"), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, added, err := s.ImportUsers(b.Context(), users); err != nil || added != len(users) {
			b.Fatalf("imported %d, %v", added, err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNeutralNamesAreNeverImported(t *testing.T) {
	s := newStore(t)
	all, _, err := s.ImportUsers(t.Context(), []store.User{
		{Alias: "irc:deleted-2", Username: "Deleted-2", Role: store.RoleMember, Active: true},
		{Alias: "irc:x", Username: "x", Role: store.RoleMember, Active: true},
		{Alias: "irc:deleted-x", Username: "deleted-x", Role: store.RoleMember, Active: true},
	})
	if err != nil || all[0].Username != "Deleted-2-2" || all[2].Username != "deleted-x" {
		t.Fatalf("imported %+v, %v", all, err)
	}
	if _, err := s.EditUser(t.Context(), 2, func(u *store.User) error { u.Close(); return nil }); err != nil {
		t.Errorf("close account 2: %v", err)
	}
}
