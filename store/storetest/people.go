package storetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

var importUserCases = []accountsCase{
	{"people are imported in order", usersImported},
	{"an alias again is the same account", usersImportedAgain},
	{"a taken name gets a number", usersImportedTaken},
	{"people keep the object id they bring", usersImportedObject},
	{"a name of more than a hundred characters imports nobody", usersImportedBad},
}

func foreigner(nick string) store.User {
	return store.User{Alias: "irc:" + strings.ToLower(nick), Username: nick, Role: store.RoleMember, Active: true}
}

func (o *office) bring(users ...store.User) ([]store.User, int) {
	o.t.Helper()
	all, added, err := o.ImportUsers(o.ctx, users)
	o.fatal("import", err)
	if len(all) != len(users) {
		o.t.Fatalf("import of %d gave %d", len(users), len(all))
	}
	return all, added
}

func usersImported(o *office) {
	long := strings.Repeat("ä", 100)
	all, added := o.bring(foreigner("[Zed]"), foreigner("a"), foreigner("me"), foreigner(long), store.User{
		Alias: "mongo:1", Username: "Full", Email: "full@example.org", PasswordHash: "$2b$10$x", FirstName: "F", LastName: "L", Role: store.RoleGuest, Active: true,
	})
	if added != 5 {
		o.t.Errorf("added %d, want 5", added)
	}
	o.reopen()
	for i, u := range all {
		wantSame(o.t, "account", o.user(u.ID), u)
		if i > 0 && u.ID <= all[i-1].ID {
			o.t.Errorf("number %d after %d, want the order of the import", u.ID, all[i-1].ID)
		}
		byAlias, err := o.UserByAlias(o.ctx, u.Alias)
		o.fatal("by alias", err)
		wantSame(o.t, "account by alias", byAlias, u)
		if u.Object == (store.ObjectID{}) {
			o.t.Errorf("account %+v has no object id", u)
		}
		if got, err := o.UserByObject(o.ctx, u.Object); err != nil || got.ID != u.ID {
			o.t.Errorf("account by object id = %+v, %v", got, err)
		}
	}
	if all[0].Username != "[Zed]" || all[3].Username != long || all[0].CanSignIn() {
		o.t.Errorf("imported = %+v, want names kept and no sign-in", all)
	}
	if u := all[4]; u.Email != "full@example.org" || u.PasswordHash != "$2b$10$x" || u.FirstName != "F" || u.Role != store.RoleGuest {
		o.t.Errorf("imported = %+v, want what it brought", u)
	}
	if got, err := o.UserByName(o.ctx, "[zed]"); err != nil || got.ID != all[0].ID {
		o.t.Errorf("account by name = %+v, %v", got, err)
	}
}

func usersImportedAgain(o *office) {
	first, _ := o.bring(foreigner("ann"), foreigner("bob"))
	o.edit(first[0].ID, func(u *store.User) { u.Username = "renamed" })
	_, before := o.changed(0)
	all, added := o.bring(foreigner("bob"), foreigner("ann"))
	if added != 0 || all[0].ID != first[1].ID || all[1].ID != first[0].ID || all[1].Username != "renamed" {
		o.t.Errorf("imported again = %+v, added %d, want the same accounts as they are now", all, added)
	}
	if changes, _ := o.changed(before); len(changes) != 0 {
		o.t.Errorf("changes = %+v, want none", changes)
	}
	all, added = o.bring(foreigner("cyd"), foreigner("ann"), foreigner("CYD"))
	if added != 1 || all[0].ID != all[2].ID || all[0].Username != "cyd" || all[1].ID != first[0].ID {
		o.t.Errorf("imported = %+v, added %d, want one new account", all, added)
	}
}

func usersImportedTaken(o *office) {
	o.hire(person("Ann"))
	o.hire(person("ann-3"))
	u := foreigner("ann")
	v, w := u, u
	v.Alias, w.Alias = "irc:other", "irc:third"
	all, added := o.bring(u, v, w)
	if added != 3 {
		o.t.Errorf("added %d, want 3", added)
	}
	got := []string{all[0].Username, all[1].Username, all[2].Username}
	wantSame(o.t, "names", got, []string{"ann-2", "ann-4", "ann-5"})
	for i, name := range got {
		if found, err := o.UserByName(o.ctx, name); err != nil || found.ID != all[i].ID {
			o.t.Errorf("account %s = %+v, %v", name, found, err)
		}
	}
}

func usersImportedObject(o *office) {
	o.hire(person("first"))
	settings, err := o.Settings(o.ctx)
	o.fatal("settings", err)
	kept := store.ObjectID{0x5f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	looksOurs := store.NewObjectID(o.clock.Now(), settings.Tag(), 1)
	u, v := foreigner("ann"), foreigner("bob")
	u.Object, v.Object = kept, looksOurs
	all, _ := o.bring(u, v)
	o.reopen()
	for i, id := range []store.ObjectID{kept, looksOurs} {
		if all[i].Object != id {
			o.t.Errorf("object id = %s, want %s", all[i].Object, id)
		}
		got, err := o.UserByObject(o.ctx, id)
		o.fatal("by object id", err)
		wantSame(o.t, "account by object id", got, all[i])
		_, err = o.UserByObject(o.ctx, store.NewObjectID(all[i].CreatedAt, settings.Tag(), all[i].ID))
		wantErr(o.t, "the object id they would have been given", err, store.ErrNotFound)
	}
}

func usersImportedBad(o *office) {
	_, before := o.changed(0)
	_, added, err := o.ImportUsers(o.ctx, []store.User{foreigner("ann"), foreigner(strings.Repeat("x", 101)), foreigner("bob")})
	wantErr(o.t, "import", err, store.ErrInvalid)
	all, lerr := o.ListUsers(o.ctx, "", 0, 10)
	o.fatal("list", lerr)
	if changes, _ := o.changed(before); added != 0 || len(all) != 0 || len(changes) != 0 {
		o.t.Errorf("added %d, %d accounts, changes %v, want none", added, len(all), changes)
	}
	_, err = o.UserByAlias(o.ctx, "irc:ann")
	wantErr(o.t, "account of a failed import", err, store.ErrNotFound)
}

var revisionCases = []accountsCase{
	{"every account made or edited is a change", revisions},
	{"of one account's edits the newest remains", revisionsCoalesced},
	{"changes come in pages", revisionsPaged},
	{"sessions that end are changes", revisionsOfSessions},
	{"a sign-in is no change", revisionsNotOfSignIn},
	{"waiting ends when something changes", revisionsWait},
	{"a closed store says so", accountsClosed},
}

func revisions(o *office) {
	a := o.hire(person("ann"))
	_, first := o.changed(0)
	all, _ := o.bring(foreigner("bob"), foreigner("cyd"))
	o.edit(a.ID, func(u *store.User) { u.Active = false })
	changes, last := o.changed(first)
	var got []store.UserID
	for _, c := range changes {
		if !c.Edited {
			o.t.Errorf("change = %+v, want an edit", c)
		}
		got = append(got, c.User)
	}
	wantSame(o.t, "changed", got, []store.UserID{all[0].ID, all[1].ID, a.ID})
	if more, _ := o.changed(last); len(more) != 0 {
		o.t.Errorf("changes after the newest = %+v", more)
	}
}

func revisionsCoalesced(o *office) {
	a, b := o.hire(person("ann")), o.hire(person("bob"))
	for i := range 5 {
		o.edit(a.ID, func(u *store.User) { u.Bio = fmt.Sprint(i) })
	}
	for range 2 {
		changes, _ := o.changed(0)
		if len(changes) != 2 || changes[0].User != b.ID || changes[1].User != a.ID {
			o.t.Errorf("changes = %+v, want one of each, the newest last", changes)
		}
		o.reopen()
	}
}

func revisionsPaged(o *office) {
	for i := range 7 {
		o.hire(person(fmt.Sprintf("user%d", i)))
	}
	want, _ := o.changed(0)
	for limit := 1; limit <= 8; limit++ {
		var got []store.UserChange
		after := store.Revision(0)
		for {
			page, err := o.ChangedUsers(o.ctx, after, limit)
			o.fatal("changed users", err)
			if len(page) > limit {
				o.t.Fatalf("%d changes, want at most %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].Revision
		}
		wantSame(o.t, fmt.Sprintf("changes in pages of %d", limit), got, want)
	}
}

// wantEnded requires that one change says that sessions of a person ended, or none.
func (o *office) wantEnded(what string, after store.Revision, want ...store.UserID) store.Revision {
	o.t.Helper()
	changes, last := o.changed(after)
	var got []store.UserID
	for _, c := range changes {
		if !c.Edited {
			got = append(got, c.User)
		}
	}
	wantSame(o.t, what+": sessions ended of", got, want)
	return last
}

func revisionsOfSessions(o *office) {
	a, b := o.hire(person("ann")), o.hire(person("bob"))
	for i, user := range []store.UserID{a.ID, a.ID, a.ID, b.ID} {
		o.signIn(user, i)
	}
	_, at := o.changed(0)
	o.fatal("end", o.EndSession(o.ctx, sessionID(0)))
	at = o.wantEnded("one", at, a.ID)
	o.fatal("end again", o.EndSession(o.ctx, sessionID(0)))
	o.fatal("end unknown", o.EndSession(o.ctx, sessionID(77)))
	at = o.wantEnded("none", at)
	o.fatal("end all but one", o.EndSessions(o.ctx, a.ID, sessionID(1)))
	at = o.wantEnded("the others", at, a.ID)
	o.fatal("end all but one again", o.EndSessions(o.ctx, a.ID, sessionID(1)))
	at = o.wantEnded("no others", at)
	o.fatal("end all", o.EndSessions(o.ctx, a.ID, ""))
	at = o.wantEnded("the last", at, a.ID)
	o.edit(b.ID, func(u *store.User) { u.Bio = "x" })
	o.fatal("end", o.EndSession(o.ctx, sessionID(3)))
	o.edit(b.ID, func(u *store.User) { u.Bio = "y" })
	o.reopen()
	o.wantEnded("beside edits", at, b.ID)
}

func revisionsNotOfSignIn(o *office) {
	a := o.hire(person("ann"))
	_, at := o.changed(0)
	when := o.clock.advance(time.Hour)
	o.signIn(a.ID, 1)
	got := o.user(a.ID)
	want := a
	want.LastLogin = when
	wantSame(o.t, "account after a sign-in", got, want)
	if changes, _ := o.changed(at); len(changes) != 0 {
		o.t.Errorf("changes = %+v, want none", changes)
	}
}

func revisionsWait(o *office) {
	a := o.hire(person("ann"))
	o.fatal("wait for what is there", o.WaitUsers(o.ctx, 0))
	o.signIn(a.ID, 1)
	for i, change := range []func(){
		func() { o.edit(a.ID, func(u *store.User) { u.Bio = "x" }) },
		func() { o.hire(person("bob")) },
		func() { o.fatal("end", o.EndSession(o.ctx, sessionID(1))) },
	} {
		_, at := o.changed(0)
		done := make(chan error, 2)
		for range cap(done) {
			go func() { done <- o.WaitUsers(o.ctx, at) }()
		}
		change()
		for range cap(done) {
			o.fatal("wait", <-done)
		}
		if changes, _ := o.changed(at); len(changes) == 0 {
			o.t.Errorf("waiting ended after change %d but nothing follows", i)
		}
	}
	_, at := o.changed(0)
	ctx, cancel := context.WithCancel(o.ctx)
	done := make(chan error)
	go func() { done <- o.WaitUsers(ctx, at) }()
	cancel()
	wantErr(o.t, "wait", <-done, context.Canceled)
}

func accountsClosed(o *office) {
	a := o.hire(person("ann"))
	_, at := o.changed(0)
	waiting := make(chan error)
	go func() { waiting <- o.WaitUsers(o.ctx, at) }()
	closeEngine(o.t, o.Accounts)
	wantErr(o.t, "wait", <-waiting, store.ErrClosed)
	_, err := o.User(o.ctx, a.ID)
	wantErr(o.t, "user", err, store.ErrClosed)
	_, err = o.CreateUser(o.ctx, store.NewUser{User: person("bob")})
	wantErr(o.t, "create", err, store.ErrClosed)
	o.Accounts = o.open(o.t, Options{Dir: o.dir, Now: o.clock.Now})
	wantSame(o.t, "account after a restart", o.user(a.ID), a)
}
