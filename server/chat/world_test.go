package chat_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/badger"
	"github.com/hearthchat/hearth/store/bolt"
)

// world is a workspace on disk with people in it and a clock that moves when told to.
type world struct {
	*chat.Service
	t     *testing.T
	rooms store.Workspace
	users store.Accounts

	mu  sync.Mutex
	now time.Time

	ada, ann, bob, cyd, gus store.User // an administrator, three members, a guest
}

func newWorld(t *testing.T, o chat.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}
	dir := t.TempDir()
	users, err := bolt.Open(filepath.Join(dir, "people.db"), bolt.Options{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.must(users.Close()) })
	rooms, err := badger.Open(filepath.Join(dir, "rooms"), badger.Options{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.must(rooms.Close()) })
	o.Now = w.clock
	w.rooms, w.users, w.Service = rooms, users, chat.New(rooms, users, o)
	w.ada = w.person("ada", store.RoleAdmin)
	w.ann, w.bob, w.cyd = w.person("ann", store.RoleMember), w.person("bob", store.RoleMember), w.person("cyd", store.RoleMember)
	w.gus = w.person("gus", store.RoleGuest)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) passes(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) person(name string, role store.Role) store.User {
	w.t.Helper()
	u, err := w.users.CreateUser(context.Background(), store.NewUser{User: store.User{
		Username: name, Email: name + "@example.com", PasswordHash: "x", Role: role, Active: true,
	}})
	w.must(err)
	return u
}

// room makes a room that by owns, with people in it.
func (w *world) room(by store.User, private bool, people ...store.User) store.RoomID {
	w.t.Helper()
	v, err := w.CreateRoom(w.ctx(), by, chat.NewRoom{Name: "Lobby", Private: private})
	w.must(err)
	for _, u := range people {
		_, err := w.rooms.Join(w.ctx(), store.Member{Room: v.ID, User: u.ID}, by.ID, store.LineAdded(u.Username))
		w.must(err)
	}
	return v.ID
}

func (w *world) says(by store.User, room store.RoomID, content string) store.Message {
	w.t.Helper()
	m, _, err := w.Post(w.ctx(), by, store.Draft{Room: room, Content: content})
	w.must(err)
	return m
}

// kindOf names the kind of an error, for tables.
func kindOf(err error) error {
	for _, kind := range []error{store.ErrJoinFirst, store.ErrNotFound, store.ErrForbidden, store.ErrInvalid, store.ErrLimited, store.ErrExists, store.ErrBusy} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return err
}
