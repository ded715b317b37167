package storetest

import (
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

// goings are the ways in which an administrator stops being one.
var goings = map[string]func(*store.User){
	"demoted":     func(u *store.User) { u.Role = store.RoleMember },
	"deactivated": func(u *store.User) { u.Active = false },
	"closed":      func(u *store.User) { u.Close() },
}

func admin(name string) store.User {
	u := person(name)
	u.Role = store.RoleAdmin
	return u
}

func (o *office) tryGoing(id store.UserID, way string) error {
	_, err := o.EditUser(o.ctx, id, func(u *store.User) error { goings[way](u); return nil })
	return err
}

func lastAdmin(o *office) {
	boss := o.hire(admin("boss"))
	o.hire(person("ann"))
	was := o.user(boss.ID)
	for way := range goings {
		wantErr(o.t, "the last administrator "+way, o.tryGoing(boss.ID, way), store.ErrLastAdmin)
	}
	wantSame(o.t, "the last administrator", o.user(boss.ID), was)
	o.edit(boss.ID, func(u *store.User) { u.Bio = "still here" })
	second := o.hire(admin("second"))
	for way := range goings {
		o.fatal("the first of two "+way, o.tryGoing(boss.ID, way))
		wantErr(o.t, "then the other demoted", o.tryGoing(second.ID, "demoted"), store.ErrLastAdmin)
		if way == "closed" {
			boss = o.hire(admin("boss"))
			continue
		}
		o.edit(boss.ID, func(u *store.User) { u.Role, u.Active = store.RoleAdmin, true })
	}
}

func lonelyAdmin(o *office) {
	boss := o.hire(admin("boss"))
	idle := person("idle")
	idle.Active = false
	idle = o.hire(idle)
	gone := o.hire(person("gone"))
	o.edit(gone.ID, func(u *store.User) { u.Close() })
	_, _, err := o.ImportUsers(o.ctx, []store.User{{Alias: "irc:x", Username: "x", Role: store.RoleMember, Active: true}})
	o.fatal("import", err)
	o.fatal("an administrator alone demoted", o.tryGoing(boss.ID, "demoted"))
	o.edit(boss.ID, func(u *store.User) { u.Role = store.RoleAdmin })
	o.edit(idle.ID, func(u *store.User) { u.Active = true })
	wantErr(o.t, "no longer alone", o.tryGoing(boss.ID, "closed"), store.ErrLastAdmin)
	o.edit(idle.ID, func(u *store.User) { u.PasswordHash = "" })
	o.fatal("alone again, closed", o.tryGoing(boss.ID, "closed"))
}

func noAdmin(o *office) {
	ann, bob := o.hire(person("ann")), o.hire(person("bob"))
	o.edit(ann.ID, func(u *store.User) { u.Bio = "x" })
	for _, way := range []string{"deactivated", "closed"} {
		o.fatal("a member "+way, o.tryGoing(bob.ID, way))
	}
}

func admins(o *office) {
	o.hire(person("ann"))
	b, c, d := o.hire(admin("bob")), o.hire(admin("cyd")), o.hire(admin("dan"))
	all, err := o.Admins(o.ctx)
	o.fatal("admins", err)
	o.wantUsers("administrators", all, b.ID, c.ID, d.ID)
	o.edit(b.ID, func(u *store.User) { u.Active = false })
	o.edit(c.ID, func(u *store.User) { u.Role = store.RoleMember })
	all, err = o.Admins(o.ctx)
	o.fatal("admins", err)
	o.wantUsers("administrators", all, d.ID)
	wantSame(o.t, "administrator", all[0], o.user(d.ID))
}

func usersListed(o *office) {
	var want []store.UserID
	for i := range 9 {
		want = append(want, o.hire(person(fmt.Sprintf("user%d", 9-i))).ID)
	}
	o.edit(want[4], func(u *store.User) { u.Close() })
	o.edit(want[6], func(u *store.User) { u.Active = false })
	want = append(want[:4], want[5:]...)
	listInPages(o, "", want)
}

func usersByPrefix(o *office) {
	made := map[string]store.UserID{}
	for _, name := range []string{"bob", "Anna", "ann", "annb", "ANN_C", "Ann-a", "andy", "ann.d", "Bobby", "annz"} {
		made[name] = o.hire(person(name)).ID
	}
	o.edit(made["annb"], func(u *store.User) { u.Close() })
	var want []store.UserID
	for _, name := range []string{"ann", "Ann-a", "ann.d", "ANN_C", "Anna", "annz"} {
		want = append(want, made[name])
	}
	for _, prefix := range []string{"ann", "ANN", "aNn"} {
		listInPages(o, prefix, want)
	}
	listInPages(o, "bob", []store.UserID{made["bob"], made["Bobby"]})
	listInPages(o, "annz", []store.UserID{made["annz"]})
	listInPages(o, "annzz", nil)
	listInPages(o, "%", nil)
}

func listInPages(o *office, prefix string, want []store.UserID) {
	o.t.Helper()
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []store.User
		after := store.UserID(0)
		for {
			page, err := o.ListUsers(o.ctx, prefix, after, limit)
			o.fatal("list", err)
			if len(page) > limit {
				o.t.Fatalf("%d accounts, want at most %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].ID
		}
		o.wantUsers(fmt.Sprintf("accounts %q in pages of %d", prefix, limit), got, want...)
	}
}

func userOwnership(o *office) {
	u := o.hire(person("ann"))
	all, err := o.ListUsers(o.ctx, "", 0, 10)
	o.fatal("list", err)
	all[0].Bio, u.Bio = "changed behind its back", "too"
	if bio := o.user(u.ID).Bio; bio != "" {
		o.t.Errorf("bio = %q, want none", bio)
	}
}

var setupCases = []accountsCase{
	{"the setup code makes the first administrator, once", setupOnce},
	{"a wrong setup code makes no account", setupWrong},
	{"of two with the setup code at once one wins", setupAtOnce},
	{"any administrator who can sign in ends setup", setupEnds},
	{"an imported administrator does not end setup", setupImported},
	{"an invite lets people in until it expires", invites},
	{"settings are there from the first start on", settings},
	{"changed settings stay", settingsEdited},
}

func setupOnce(o *office) {
	code, err := o.SetupCode(o.ctx)
	o.fatal("setup code", err)
	if len(code) < 16 {
		o.t.Errorf("setup code %q is short", code)
	}
	o.hire(person("early"))
	o.reopen()
	if again, err := o.SetupCode(o.ctx); err != nil || again != code {
		o.t.Errorf("setup code after a restart = %q, %v, want %q", again, err, code)
	}
	n := person("boss")
	n.Role, n.Active = store.RoleGuest, false
	boss, err := o.CreateUser(o.ctx, store.NewUser{User: n, SetupCode: code})
	if err != nil || boss.Role != store.RoleAdmin || !boss.Active {
		o.t.Fatalf("account made with the setup code = %+v, %v, want an active administrator", boss, err)
	}
	wantSame(o.t, "administrator", o.user(boss.ID), boss)
	for range 2 {
		if spent, err := o.SetupCode(o.ctx); err != nil || spent != "" {
			o.t.Errorf("setup code afterwards = %q, %v, want none", spent, err)
		}
		_, err = o.CreateUser(o.ctx, store.NewUser{User: person("second"), SetupCode: code})
		wantErr(o.t, "a spent setup code", err, store.ErrForbidden)
		_, err = o.UserByName(o.ctx, "second")
		wantErr(o.t, "the account refused", err, store.ErrNotFound)
		o.reopen()
	}
	o.edit(1, func(u *store.User) { u.Close() })
	o.edit(boss.ID, func(u *store.User) { u.Close() })
	if next, err := o.SetupCode(o.ctx); err != nil || next == "" || next == code {
		o.t.Errorf("setup code when the administrator is gone = %q, %v, want a new one", next, err)
	}
}

func setupWrong(o *office) {
	for range 2 {
		_, err := o.CreateUser(o.ctx, store.NewUser{User: person("ann"), SetupCode: "guess"})
		wantErr(o.t, "a wrong setup code", err, store.ErrForbidden)
		_, err = o.UserByName(o.ctx, "ann")
		wantErr(o.t, "the account refused", err, store.ErrNotFound)
		_, err = o.SetupCode(o.ctx)
		o.fatal("setup code", err)
	}
	code, err := o.SetupCode(o.ctx)
	o.fatal("setup code", err)
	o.hire(person("taken"))
	_, err = o.CreateUser(o.ctx, store.NewUser{User: person("taken"), SetupCode: code})
	wantCode(o.t, "a taken name with the setup code", err, store.ErrExists, "username_taken")
	if again, err := o.SetupCode(o.ctx); err != nil || again != code {
		o.t.Errorf("setup code after a refused account = %q, %v, want it unspent", again, err)
	}
}

func setupAtOnce(o *office) {
	code, err := o.SetupCode(o.ctx)
	o.fatal("setup code", err)
	const people = 12
	results := make(chan error, people)
	for i := range people {
		go func() {
			_, err := o.CreateUser(o.ctx, store.NewUser{User: person(fmt.Sprintf("boss%d", i)), SetupCode: code})
			results <- err
		}()
	}
	won := 0
	for range people {
		if err := <-results; err == nil {
			won++
		} else {
			wantErr(o.t, "a setup code that was spent meanwhile", err, store.ErrForbidden)
		}
	}
	all, err := o.ListUsers(o.ctx, "", 0, 100)
	if err != nil || won != 1 || len(all) != 1 {
		o.t.Errorf("%d won and %d accounts are there, %v, want one", won, len(all), err)
	}
}

func setupEnds(o *office) {
	code, err := o.SetupCode(o.ctx)
	o.fatal("setup code", err)
	u := o.hire(person("ann"))
	o.edit(u.ID, func(u *store.User) { u.Role = store.RoleAdmin })
	if left, err := o.SetupCode(o.ctx); err != nil || left != "" {
		o.t.Errorf("setup code with an administrator = %q, %v, want none", left, err)
	}
	_, err = o.CreateUser(o.ctx, store.NewUser{User: person("bob"), SetupCode: code})
	wantErr(o.t, "a setup code when there is an administrator", err, store.ErrForbidden)
	o.edit(u.ID, func(u *store.User) { u.Role = store.RoleMember })
	if next, err := o.SetupCode(o.ctx); err != nil || next == "" || next == code {
		o.t.Errorf("setup code after an administrator = %q, %v, want a new one", next, err)
	}
}

func setupImported(o *office) {
	_, _, err := o.ImportUsers(o.ctx, []store.User{{Alias: "irc:op", Username: "op", Role: store.RoleAdmin, Active: true}})
	o.fatal("import", err)
	code, err := o.SetupCode(o.ctx)
	if err != nil || code == "" {
		o.t.Fatalf("setup code beside an imported administrator = %q, %v, want one", code, err)
	}
	if _, err := o.CreateUser(o.ctx, store.NewUser{User: person("boss"), SetupCode: code}); err != nil {
		o.t.Errorf("create: %v", err)
	}
}

func invites(o *office) {
	boss := o.hire(admin("boss"))
	now := o.clock.Now()
	invite := store.Invite{Code: "welcome", By: boss.ID, Room: "lobby", Expires: now.Add(time.Hour)}
	o.fatal("add invite", o.AddInvite(o.ctx, invite))
	o.reopen()
	got, err := o.Invite(o.ctx, "welcome", now.Add(59*time.Minute))
	o.fatal("invite", err)
	wantSame(o.t, "invite", got, invite)
	_, err = o.Invite(o.ctx, "welcome", now.Add(61*time.Minute))
	wantErr(o.t, "an expired invite", err, store.ErrNotFound)
	_, err = o.Invite(o.ctx, "Welcome", now)
	wantErr(o.t, "an unknown invite", err, store.ErrNotFound)
	for _, name := range []string{"ann", "bob"} {
		if u, err := o.CreateUser(o.ctx, store.NewUser{User: person(name), Invite: "welcome"}); err != nil || u.Role != store.RoleMember {
			o.t.Errorf("invited = %+v, %v", u, err)
		}
	}
	_, err = o.CreateUser(o.ctx, store.NewUser{User: person("cyd"), Invite: "welcome!"})
	wantErr(o.t, "an unknown invite", err, store.ErrForbidden)
	o.clock.advance(61 * time.Minute)
	_, err = o.CreateUser(o.ctx, store.NewUser{User: person("cyd"), Invite: "welcome"})
	wantErr(o.t, "an expired invite", err, store.ErrForbidden)
	_, err = o.UserByName(o.ctx, "cyd")
	wantErr(o.t, "the account refused", err, store.ErrNotFound)
}

func settings(o *office) {
	s, err := o.Settings(o.ctx)
	if err != nil || s.Name != "Hearth" || s.ID == (store.ObjectID{}) || s.Tag() == ([4]byte{}) {
		o.t.Errorf("settings = %+v, %v, want the name Hearth and an id", s, err)
	}
	o.reopen()
	again, err := o.Settings(o.ctx)
	o.fatal("settings", err)
	wantSame(o.t, "settings after a restart", again, s)
	other := newOffice(o.t, o.open)
	if s2, err := other.Settings(other.ctx); err != nil || s2.ID == s.ID {
		o.t.Errorf("settings of another store = %+v, %v, want another id", s2, err)
	}
}

func settingsEdited(o *office) {
	was, err := o.Settings(o.ctx)
	o.fatal("settings", err)
	s, err := o.EditSettings(o.ctx, func(s *store.Settings) error { s.Name = "Büro"; return nil })
	o.fatal("edit settings", err)
	want := store.Settings{ID: was.ID, Name: "Büro"}
	wantSame(o.t, "edited", s, want)
	_, err = o.EditSettings(o.ctx, func(s *store.Settings) error { s.Name = "x"; return store.ErrInvalid })
	wantErr(o.t, "edit that fails", err, store.ErrInvalid)
	o.reopen()
	s, err = o.Settings(o.ctx)
	o.fatal("settings", err)
	wantSame(o.t, "settings after a restart", s, want)
}
