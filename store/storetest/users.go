package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

type openAccounts = func(t *testing.T, o Options) store.Accounts

// office is one store of accounts under test, as fixture is for workspaces.
type office struct {
	store.Accounts
	t     *testing.T
	ctx   context.Context
	clock *clock
	dir   string
	open  openAccounts
}

func newOffice(t *testing.T, open openAccounts) *office {
	o := &office{t: t, ctx: t.Context(), clock: newClock(), dir: t.TempDir(), open: open}
	o.Accounts = open(t, Options{Dir: o.dir, Now: o.clock.Now})
	t.Cleanup(func() { closeEngine(t, o.Accounts) })
	return o
}

func (o *office) reopen() {
	o.t.Helper()
	closeEngine(o.t, o.Accounts)
	o.Accounts = o.open(o.t, Options{Dir: o.dir, Now: o.clock.Now})
}

func (o *office) fatal(doing string, err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatalf("%s: %v", doing, err)
	}
}

// person is an account about to be made that can sign in.
func person(name string) store.User {
	return store.User{Username: name, Email: name + "@example.org", PasswordHash: "$2a$04$" + name, Role: store.RoleMember, Active: true}
}

func (o *office) hire(u store.User) store.User {
	o.t.Helper()
	made, err := o.CreateUser(o.ctx, store.NewUser{User: u})
	o.fatal("create "+u.Username, err)
	o.clock.advance(time.Second)
	return made
}

func (o *office) user(id store.UserID) store.User {
	o.t.Helper()
	u, err := o.User(o.ctx, id)
	o.fatal("user", err)
	return u
}

func (o *office) edit(id store.UserID, edit func(*store.User)) store.User {
	o.t.Helper()
	u, err := o.EditUser(o.ctx, id, func(u *store.User) error { edit(u); return nil })
	o.fatal("edit", err)
	return u
}

// changed returns the changes after a revision and the newest revision, and requires that
// revisions only grow.
func (o *office) changed(after store.Revision) ([]store.UserChange, store.Revision) {
	o.t.Helper()
	changes, err := o.ChangedUsers(o.ctx, after, 1_000_000)
	o.fatal("changed users", err)
	for _, c := range changes {
		if c.Revision <= after {
			o.t.Fatalf("revision %d after %d", c.Revision, after)
		}
		after = c.Revision
	}
	return changes, after
}

// wantUsers requires people in this order.
func (o *office) wantUsers(what string, got []store.User, want ...store.UserID) {
	o.t.Helper()
	var is []store.UserID
	for _, u := range got {
		is = append(is, u.ID)
	}
	wantSame(o.t, what, is, want)
}

type accountsCase struct {
	name string
	run  func(o *office)
}

var userCases = []accountsCase{
	{"an account is made with a number, an object id and times", userIsMade},
	{"accounts survive a restart", usersDurable},
	{"there is no account that was never made", userMissing},
	{"names and addresses are unique whatever the case", userTaken},
	{"addresses may be missing", userWithoutEmail},
	{"numbers are never reused", userNumbers},
	{"accounts are found by every name they have", userFound},
	{"two at once cannot take one name", userTakenAtOnce},
	{"an edit changes an account", userEdited},
	{"an edit cannot take a name that is taken", userEditTaken},
	{"an edit that fails or changes nothing leaves no trace", userEditFails},
	{"edits at once are all made", userEditsAtOnce},
	{"a closed account frees its names", userClosed},
	{"the last administrator cannot go", lastAdmin},
	{"an administrator alone may go", lonelyAdmin},
	{"without an administrator nothing is in the way", noAdmin},
	{"administrators come by id", admins},
	{"accounts come by id in pages", usersListed},
	{"accounts come by the beginning of their name", usersByPrefix},
	{"accounts are the caller's to change", userOwnership},
}

func userIsMade(o *office) {
	now := o.clock.Now()
	n := person("Ann.Smith")
	n.FirstName, n.LastName, n.DisplayName, n.Bio, n.Avatar, n.EmailVerified = "Ann", "Smith", "Annie", "né 👍", "https://example.org/a.png", true
	n.Role = store.RoleGuest
	u, err := o.CreateUser(o.ctx, store.NewUser{User: n})
	o.fatal("create", err)
	settings, err := o.Settings(o.ctx)
	o.fatal("settings", err)
	want := n
	want.ID, want.CreatedAt, want.UpdatedAt, want.Object = 1, now, now, store.NewObjectID(now, settings.Tag(), 1)
	wantSame(o.t, "account made", u, want)
	wantSame(o.t, "account read", o.user(1), want)
}

func usersDurable(o *office) {
	var all []store.User
	for i := range 5 {
		all = append(all, o.hire(person(fmt.Sprintf("user%d", i))))
	}
	o.edit(2, func(u *store.User) { u.Bio = "new" })
	all[1] = o.user(2)
	_, was := o.changed(0)
	o.reopen()
	for _, u := range all {
		wantSame(o.t, "account after a restart", o.user(u.ID), u)
	}
	if _, revision := o.changed(0); revision != was {
		o.t.Errorf("revision after a restart = %d, want %d", revision, was)
	}
	if u := o.hire(person("next")); u.ID <= 5 {
		o.t.Errorf("next number = %d, want a new one", u.ID)
	}
}

func userMissing(o *office) {
	o.hire(person("ann"))
	for name, get := range map[string]func() (store.User, error){
		"id":       func() (store.User, error) { return o.User(o.ctx, 2) },
		"id 0":     func() (store.User, error) { return o.User(o.ctx, 0) },
		"id -1":    func() (store.User, error) { return o.User(o.ctx, -1) },
		"object":   func() (store.User, error) { return o.UserByObject(o.ctx, store.ObjectID{1}) },
		"alias":    func() (store.User, error) { return o.UserByAlias(o.ctx, "irc:ann") },
		"no alias": func() (store.User, error) { return o.UserByAlias(o.ctx, "") },
		"name":     func() (store.User, error) { return o.UserByName(o.ctx, "bob") },
		"no name":  func() (store.User, error) { return o.UserByName(o.ctx, "") },
		"email":    func() (store.User, error) { return o.UserByEmail(o.ctx, "bob@example.org") },
		"no email": func() (store.User, error) { return o.UserByEmail(o.ctx, "") },
		"edit": func() (store.User, error) {
			return o.EditUser(o.ctx, 2, func(*store.User) error { return nil })
		},
	} {
		_, err := get()
		wantErr(o.t, "account by "+name, err, store.ErrNotFound)
	}
}

func userTaken(o *office) {
	o.hire(person("Ann"))
	_, was := o.changed(0)
	_, err := o.CreateUser(o.ctx, store.NewUser{User: store.User{Username: "aNN", Email: "other@example.org", Active: true, Role: store.RoleMember}})
	wantCode(o.t, "a taken name", err, store.ErrExists, "username_taken")
	_, err = o.CreateUser(o.ctx, store.NewUser{User: store.User{Username: "other", Email: "ANN@Example.org", Active: true, Role: store.RoleMember}})
	wantCode(o.t, "a taken address", err, store.ErrExists, "email_taken")
	_, err = o.UserByName(o.ctx, "other")
	wantErr(o.t, "a refused account", err, store.ErrNotFound)
	_, err = o.UserByEmail(o.ctx, "other@example.org")
	wantErr(o.t, "a refused account", err, store.ErrNotFound)
	if _, revision := o.changed(0); revision != was {
		o.t.Error("a refused account is a change")
	}
	o.hire(person("other"))
}

func userWithoutEmail(o *office) {
	for _, name := range []string{"ann", "bob", "cyd"} {
		u := person(name)
		u.Email = ""
		o.hire(u)
	}
	_, err := o.UserByEmail(o.ctx, "")
	wantErr(o.t, "account without address", err, store.ErrNotFound)
}

func userNumbers(o *office) {
	a := o.hire(person("ann"))
	b := o.hire(person("bob"))
	o.edit(b.ID, func(u *store.User) { u.Close() })
	o.reopen()
	c := o.hire(person("bob"))
	if a.ID != 1 || b.ID <= a.ID || c.ID <= b.ID {
		o.t.Errorf("numbers = %d, %d, %d, want growing ones from 1", a.ID, b.ID, c.ID)
	}
}

func userFound(o *office) {
	u := o.hire(person("Ann"))
	for name, get := range map[string]func() (store.User, error){
		"name":   func() (store.User, error) { return o.UserByName(o.ctx, "ANN") },
		"email":  func() (store.User, error) { return o.UserByEmail(o.ctx, "aNN@EXAMPLE.ORG") },
		"object": func() (store.User, error) { return o.UserByObject(o.ctx, u.Object) },
	} {
		got, err := get()
		o.fatal(name, err)
		wantSame(o.t, "account by "+name, got, u)
	}
	settings, err := o.Settings(o.ctx)
	o.fatal("settings", err)
	for name, id := range map[string]store.ObjectID{
		"with another time":   store.NewObjectID(u.CreatedAt.Add(time.Minute), settings.Tag(), u.ID),
		"with another number": store.NewObjectID(u.CreatedAt, settings.Tag(), u.ID+1),
		"of elsewhere":        store.NewObjectID(u.CreatedAt, [4]byte{1, 2, 3, 4}, u.ID),
	} {
		_, err := o.UserByObject(o.ctx, id)
		wantErr(o.t, "an object id "+name, err, store.ErrNotFound)
	}
}

func userTakenAtOnce(o *office) {
	var made atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			u := person("ann")
			u.Email = fmt.Sprintf("%d@example.org", i)
			_, err := o.CreateUser(o.ctx, store.NewUser{User: u})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, store.ErrExists) {
				o.t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	all, err := o.ListUsers(o.ctx, "", 0, 100)
	if err != nil || made.Load() != 1 || len(all) != 1 {
		o.t.Errorf("%d were made and %d are there, %v, want one", made.Load(), len(all), err)
	}
}

func userEdited(o *office) {
	was := o.hire(person("Ann"))
	_, before := o.changed(0)
	now := o.clock.Now()
	edited := o.edit(was.ID, func(u *store.User) {
		u.Username, u.Email, u.Bio, u.Role, u.PasswordHash, u.EmailVerified = "ANN2", "new@example.org", "Hi", store.RoleGuest, "$2a$other", true
	})
	want := was
	want.Username, want.Email, want.Bio, want.Role, want.PasswordHash, want.EmailVerified = "ANN2", "new@example.org", "Hi", store.RoleGuest, "$2a$other", true
	want.UpdatedAt = now
	wantSame(o.t, "edited", edited, want)
	o.reopen()
	wantSame(o.t, "edited, read", o.user(was.ID), want)
	if changes, _ := o.changed(before); len(changes) != 1 || changes[0].User != was.ID || !changes[0].Edited {
		o.t.Errorf("changes = %+v, want one edit", changes)
	}
	if got, err := o.UserByName(o.ctx, "ann2"); err != nil || got.ID != was.ID {
		o.t.Errorf("account by its new name = %+v, %v", got, err)
	}
	o.hire(person("Ann"))
	recased := o.edit(was.ID, func(u *store.User) { u.Username, u.Email = "ann2", "NEW@example.org" })
	if recased.Username != "ann2" || recased.Email != "NEW@example.org" {
		o.t.Errorf("account in another case = %+v", recased)
	}
}

func userEditTaken(o *office) {
	o.hire(person("ann"))
	was := o.hire(person("bob"))
	_, before := o.changed(0)
	_, err := o.EditUser(o.ctx, was.ID, func(u *store.User) error { u.Username, u.Bio = "ANN", "x"; return nil })
	wantCode(o.t, "a taken name", err, store.ErrExists, "username_taken")
	_, err = o.EditUser(o.ctx, was.ID, func(u *store.User) error { u.Email, u.Bio = "ANN@example.org", "x"; return nil })
	wantCode(o.t, "a taken address", err, store.ErrExists, "email_taken")
	wantSame(o.t, "account", o.user(was.ID), was)
	if changes, _ := o.changed(before); len(changes) != 0 {
		o.t.Errorf("changes = %+v, want none", changes)
	}
}

func userEditFails(o *office) {
	was := o.hire(person("ann"))
	_, before := o.changed(0)
	own := errors.New("a reason of the caller's own")
	_, err := o.EditUser(o.ctx, was.ID, func(u *store.User) error { u.Username = "half"; return own })
	wantErr(o.t, "edit that fails", err, own)
	got, err := o.EditUser(o.ctx, was.ID, func(u *store.User) error { return nil })
	o.fatal("edit that changes nothing", err)
	wantSame(o.t, "account", got, was)
	wantSame(o.t, "account read", o.user(was.ID), was)
	if changes, _ := o.changed(before); len(changes) != 0 {
		o.t.Errorf("changes = %+v, want none", changes)
	}
}

func userEditsAtOnce(o *office) {
	u := o.hire(person("ann"))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := o.EditUser(o.ctx, u.ID, func(u *store.User) error { u.Bio += "x"; return nil })
			if err != nil {
				o.t.Errorf("edit: %v", err)
			}
		})
	}
	wg.Wait()
	if bio := o.user(u.ID).Bio; bio != strings.Repeat("x", 16) {
		o.t.Errorf("bio = %q, want 16 edits", bio)
	}
}

func userClosed(o *office) {
	u := o.hire(person("ann"))
	o.hire(person("bob"))
	closed := o.edit(u.ID, func(u *store.User) { u.Close() })
	if !closed.Closed || closed.Username != store.DeletedName(u.ID) || closed.Email != "" || closed.PasswordHash != "" || closed.Object != u.Object || !closed.CreatedAt.Equal(u.CreatedAt) {
		o.t.Errorf("closed account = %+v, want its number and neutral name", closed)
	}
	_, err := o.UserByName(o.ctx, "ann")
	wantErr(o.t, "a closed account by name", err, store.ErrNotFound)
	_, err = o.UserByEmail(o.ctx, "ann@example.org")
	wantErr(o.t, "a closed account by address", err, store.ErrNotFound)
	if got, err := o.UserByObject(o.ctx, u.Object); err != nil || got.ID != u.ID {
		o.t.Errorf("closed account by object id = %+v, %v", got, err)
	}
	next := o.hire(person("ann"))
	if got, err := o.UserByName(o.ctx, "Ann"); err != nil || got.ID != next.ID {
		o.t.Errorf("account of a freed name = %+v, %v, want %d", got, err, next.ID)
	}
	all, err := o.ListUsers(o.ctx, "", 0, 10)
	o.fatal("list", err)
	o.wantUsers("accounts that are not closed", all, 2, next.ID)
}
