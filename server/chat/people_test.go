package chat_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

func TestDirectRooms(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	v, made, err := w.Direct(w.ctx(), w.ann, []store.UserID{w.bob.ID, w.cyd.ID})
	if err != nil || !made || v.Name != "bob, cyd" || v.Kind != store.KindDirect {
		t.Fatalf("direct room: %+v, made %v, %v", v, made, err)
	}
	if again, made, err := w.Direct(w.ctx(), w.cyd, []store.UserID{w.ann.ID, w.bob.ID, w.cyd.ID}); err != nil || made || again.ID != v.ID || again.Name != "ann, bob" {
		t.Errorf("the same people: %+v, made %v, %v", again, made, err)
	}
	if self, _, err := w.Direct(w.ctx(), w.ann, nil); err != nil || self.Name != "ann" || self.Members != 1 {
		t.Errorf("notes to self: %+v, %v", self, err)
	}
	name := "Den"
	for what, err := range map[string]error{
		"renamed":       func() error { _, err := w.EditRoom(w.ctx(), w.ann, v.ID, chat.RoomEdit{Name: &name}); return err }(),
		"deleted":       w.DeleteRoom(w.ctx(), w.ann, v.ID),
		"added to":      func() error { _, err := w.AddMembers(w.ctx(), w.ann, v.ID, []store.UserID{w.ada.ID}); return err }(),
		"removed from":  w.RemoveMember(w.ctx(), w.ann, v.ID, w.bob.ID),
		"left for good": w.RemoveMember(w.ctx(), w.ann, v.ID, w.ann.ID),
	} {
		if kindOf(err) != store.ErrForbidden {
			t.Errorf("a direct room can be %s: %v", what, err)
		}
	}
	if _, err := w.AddMembers(w.ctx(), w.ada, v.ID, []store.UserID{w.ada.ID}); kindOf(err) != store.ErrNotFound {
		t.Errorf("an administrator adds themselves: %v, want not found", err)
	}
	if _, _, err := w.Direct(w.ctx(), w.ann, []store.UserID{4242}); kindOf(err) != store.ErrInvalid {
		t.Errorf("with nobody: %v, want invalid", err)
	}
}

func TestLeavingADirectRoomHidesIt(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	v, _, err := w.Direct(w.ctx(), w.ann, []store.UserID{w.bob.ID})
	w.must(err)
	listed := func(by store.User) bool {
		t.Helper()
		views, err := w.Rooms(w.ctx(), by, "", 100)
		w.must(err)
		for _, r := range views {
			if r.ID == v.ID {
				return true
			}
		}
		return false
	}
	w.must(w.Leave(w.ctx(), w.ann, v.ID))
	if listed(w.ann) || !listed(w.bob) {
		t.Errorf("after Ann left it is listed for her %v, for Bob %v", listed(w.ann), listed(w.bob))
	}
	w.says(w.bob, v.ID, "still there?")
	if !listed(w.ann) {
		t.Error("a message does not bring it back")
	}
	w.must(w.Leave(w.ctx(), w.ann, v.ID))
	if _, err := w.Join(w.ctx(), w.ann, v.ID); err != nil || !listed(w.ann) {
		t.Errorf("joining does not bring it back: %v", err)
	}
}

func TestCloseAccount(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.bob, false, w.ann, w.cyd)
	m := w.says(w.bob, room, "remember me")
	w.must(w.users.OpenSession(w.ctx(), store.Session{ID: "0123456789abcdef0123456789abcdef", User: w.bob.ID, CreatedAt: w.clock(), ExpiresAt: w.clock().Add(time.Hour)}, store.Hash{1}))
	w.must(w.CloseAccount(w.ctx(), w.bob.ID))

	if u, err := w.User(w.ctx(), w.bob.ID); err != nil || u.Username != store.DeletedName(w.bob.ID) || u.Email != "" || u.Active {
		t.Errorf("what remains: %+v, %v", u, err)
	}
	if _, err := w.users.Session(w.ctx(), "0123456789abcdef0123456789abcdef", w.clock()); kindOf(err) != store.ErrNotFound {
		t.Errorf("the session: %v, want ended", err)
	}
	if got, err := w.Message(w.ctx(), w.ann, m.ID); err != nil || got.Content != "remember me" || w.Name(w.ctx(), got.Author) != store.DeletedName(w.bob.ID) {
		t.Errorf("the message: %+v, %v", got, err)
	}
	if owner, err := w.rooms.Member(w.ctx(), room, w.ann.ID); err != nil || owner.Role != store.RoomOwner {
		t.Errorf("the longest-standing member: %+v, %v; want owner", owner, err)
	}
	if _, err := w.rooms.Member(w.ctx(), room, w.bob.ID); kindOf(err) != store.ErrNotFound {
		t.Errorf("the membership: %v, want ended", err)
	}
	w.person("bob", store.RoleMember) // the name is free
	if err := w.CloseAccount(w.ctx(), w.ada.ID); !errors.Is(err, store.ErrLastAdmin) {
		t.Errorf("the last administrator: %v", err)
	}
}

// A crash between the closing of an account and the leaving of its rooms is healed when
// the account's change is relayed.
func TestSettle(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.bob, false, w.ann)
	busy := w.room(w.bob, false, w.ann)
	w.must(w.rooms.BeginImport(w.ctx(), busy))
	w.must(w.Settle(w.ctx(), store.UserChange{User: w.bob.ID, Edited: true}))
	if _, err := w.rooms.Member(w.ctx(), room, w.bob.ID); err != nil {
		t.Fatalf("an open account lost its membership: %v", err)
	}
	_, err := w.users.EditUser(w.ctx(), w.bob.ID, func(u *store.User) error { u.Close(); return nil })
	w.must(err)
	w.must(w.Settle(w.ctx(), store.UserChange{User: w.bob.ID, Edited: true}))
	for _, id := range []store.RoomID{room, busy} {
		if _, err := w.rooms.Member(w.ctx(), id, w.bob.ID); kindOf(err) != store.ErrNotFound {
			t.Errorf("the membership of a closed account: %v, want ended", err)
		}
		if owner, err := w.rooms.Member(w.ctx(), id, w.ann.ID); err != nil || owner.Role != store.RoomOwner {
			t.Errorf("the longest-standing member: %+v, %v; want owner", owner, err)
		}
	}
}

func TestUnreadLeavesOutHiddenRooms(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	v, _, err := w.Direct(w.ctx(), w.ann, []store.UserID{w.bob.ID})
	w.must(err)
	w.says(w.bob, v.ID, "are you there?")
	counted := func() int {
		all, err := w.Unread(w.ctx(), w.ann)
		w.must(err)
		n := 0
		for _, u := range all {
			n += u.Count
		}
		return n
	}
	if n := counted(); n != 1 {
		t.Fatalf("%d unread, want 1", n)
	}
	w.must(w.Leave(w.ctx(), w.ann, v.ID))
	if n := counted(); n != 0 {
		t.Errorf("%d unread in a conversation that was left, want none", n)
	}
}

func TestEditProfile(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		name string
		edit chat.ProfileEdit
		want error
	}{
		{"nothing", chat.ProfileEdit{}, nil},
		{"names", chat.ProfileEdit{FirstName: text("Ann"), LastName: text(strings.Repeat("é", 50))}, nil},
		{"a long name", chat.ProfileEdit{FirstName: text(strings.Repeat("é", 51))}, store.ErrInvalid},
		{"NUL", chat.ProfileEdit{Bio: text("a\x00")}, store.ErrInvalid},
		{"a free username", chat.ProfileEdit{Username: text("annabel")}, nil},
		{"a taken username", chat.ProfileEdit{Username: text("BOB")}, store.ErrExists},
		{"a reserved username", chat.ProfileEdit{Username: text("system")}, store.ErrInvalid},
		{"an avatar", chat.ProfileEdit{Avatar: text("https://example.com/a.png")}, nil},
		{"no avatar", chat.ProfileEdit{Avatar: text("")}, nil},
		{"an avatar over http", chat.ProfileEdit{Avatar: text("http://example.com/a.png")}, store.ErrInvalid},
		{"an avatar that is a script", chat.ProfileEdit{Avatar: text("javascript:alert(1)")}, store.ErrInvalid},
		{"an avatar that ends an attribute", chat.ProfileEdit{Avatar: text(`https://example.com/"onerror="x`)}, store.ErrInvalid},
		{"a long avatar", chat.ProfileEdit{Avatar: text("https://example.com/" + strings.Repeat("a", 500))}, store.ErrInvalid},
	} {
		if _, err := w.EditProfile(w.ctx(), w.ann, tt.edit); kindOf(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if u, err := w.User(w.ctx(), w.ann.ID); err != nil || u.Username != "annabel" || u.FirstName != "Ann" {
		t.Errorf("afterwards: %+v, %v", u, err)
	}
}

func TestAdministrators(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	if _, err := w.RenameWorkspace(w.ctx(), w.ann, "Den"); kindOf(err) != store.ErrForbidden {
		t.Errorf("a member renames the workspace: %v", err)
	}
	if s, err := w.RenameWorkspace(w.ctx(), w.ada, "Den"); err != nil || s.Name != "Den" {
		t.Errorf("an administrator renames the workspace: %+v, %v", s, err)
	}
	hidden, public := w.room(w.ann, true), w.room(w.ann, false)
	direct, _, err := w.Direct(w.ctx(), w.ada, []store.UserID{w.ann.ID})
	w.must(err)
	for _, tt := range []struct {
		name string
		by   store.User
		room store.RoomID
		want error
	}{
		{"a member", w.ann, public, store.ErrForbidden}, {"to nowhere", w.ada, "", nil}, {"to a public room", w.ada, public, nil},
		{"to a room they cannot see", w.ada, hidden, store.ErrNotFound}, {"to a direct room", w.ada, direct.ID, store.ErrForbidden},
	} {
		if err := w.Inviting(w.ctx(), tt.by, tt.room); kindOf(err) != tt.want {
			t.Errorf("invite, %s: %v, want %v", tt.name, err, tt.want)
		}
	}
	w.must(w.Admit(w.ctx(), w.gus, hidden))
	if _, err := w.Room(w.ctx(), w.gus, hidden); err != nil {
		t.Errorf("a guest with an invite: %v", err)
	}
}

func TestAdministratorHidesARoomFromThemselves(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room, private := w.room(w.ann, false), true
	if v, err := w.EditRoom(w.ctx(), w.ada, room, chat.RoomEdit{Private: &private}); err != nil || v.Kind != store.KindClosed || v.Joined {
		t.Errorf("the edit: %+v, %v", v, err)
	}
	if _, err := w.Room(w.ctx(), w.ada, room); kindOf(err) != store.ErrNotFound {
		t.Errorf("afterwards: %v, want not found", err)
	}
}

func TestRatesPerAccount(t *testing.T) {
	w := newWorld(t, chat.Options{})
	room := w.room(w.ann, false, w.bob)
	post := func(by store.User) error {
		_, _, err := w.Post(w.ctx(), by, store.Draft{Room: room, Content: "hello"})
		return err
	}
	for range 200 {
		w.must(post(w.ann))
	}
	err := post(w.ann)
	fault := (*store.Fault)(nil)
	if !errors.As(err, &fault) || fault.Kind != store.ErrLimited || fault.RetryAfter <= 0 {
		t.Fatalf("the 201st post at once: %v, want a refusal that says when", err)
	}
	w.must(post(w.bob))                    // counted apart
	w.must(w.Typing(w.ctx(), w.ann, room)) // another allowance
	w.must(w.Leave(w.ctx(), w.ann, room))  // and so is this
	if _, err := w.Join(w.ctx(), w.ann, room); err != nil {
		t.Fatal(err)
	}
	w.passes(time.Second)
	for range 20 {
		w.must(post(w.ann))
	}
	if err := post(w.ann); kindOf(err) != store.ErrLimited {
		t.Errorf("the 21st post within a second: %v", err)
	}
	for range 250 {
		if err = w.Typing(w.ctx(), w.ann, room); err != nil {
			break
		}
	}
	if kindOf(err) != store.ErrLimited {
		t.Errorf("250 writes at once: %v", err)
	}
}
