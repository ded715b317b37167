package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

var simRoles = []store.Role{store.RoleMember, store.RoleMember, store.RoleGuest, store.RoleAdmin}

// stepCreate makes an account with at most one reason to refuse it beside a taken name.
func (s *accountsSimulation) stepCreate() {
	n := store.NewUser{User: store.User{Username: s.anyUsername(), Email: s.anyEmail(), Role: simRoles[s.rnd.IntN(len(simRoles))], Active: s.chance(90)}}
	if s.chance(80) {
		n.PasswordHash = "$2a$04$x"
	}
	_, nameTaken := s.byName(n.Username)
	_, emailTaken := s.byEmail(n.Email)
	want := error(nil)
	if nameTaken || emailTaken {
		want = store.ErrExists
	} else {
		want = s.anyKey(&n)
	}
	s.note("%s %s %s, setup %q, invite %q", n.Username, n.Email, n.Role, n.SetupCode, n.Invite)
	got, err := s.CreateUser(s.ctx, n)
	if !s.wantError(err, want) {
		if want == store.ErrExists && nameTaken != emailTaken {
			wantCode(s.t, "create", err, want, map[bool]string{true: "username_taken", false: "email_taken"}[nameTaken])
		}
		return
	}
	u := n.User
	if n.SetupCode != "" {
		u.Role, u.Active = store.RoleAdmin, true
	}
	s.made(u, got)
}

// anyKey puts a setup code or an invite into n and returns what must come of it.
func (s *accountsSimulation) anyKey(n *store.NewUser) error {
	switch s.rnd.IntN(12) {
	case 0:
		n.SetupCode, n.PasswordHash = s.setup, "$2a$04$x"
		if s.settled {
			return store.ErrForbidden
		}
	case 1:
		n.SetupCode = "guess"
		return store.ErrForbidden
	case 2:
		n.Invite = fmt.Sprint("i", s.rnd.IntN(5))
		if i, ok := s.invites[n.Invite]; !ok || !s.clock.Now().Before(i.Expires) {
			return store.ErrForbidden
		}
	}
	return nil
}

// made takes a new account into the model.
func (s *accountsSimulation) made(u, got store.User) {
	s.t.Helper()
	if n := len(s.users); n > 0 && got.ID <= s.users[n-1].ID || got.ID < 1 {
		s.t.Fatalf("new account has the number %d after %d", got.ID, n)
	}
	u.ID, u.CreatedAt, u.UpdatedAt = got.ID, s.clock.Now(), s.clock.Now()
	if u.Object == (store.ObjectID{}) {
		u.Object = store.NewObjectID(u.CreatedAt, s.accountsModel.settings.Tag(), u.ID)
	}
	wantSame(s.t, "new account", got, u)
	s.set(u)
	s.edited(u.ID)
	s.checkPerson(u)
}

func (s *accountsSimulation) stepImport() {
	var users []store.User
	for range 1 + s.rnd.IntN(4) {
		name := s.anyUsername()
		u := store.User{Alias: "irc:" + store.Fold(name) + fmt.Sprint(s.rnd.IntN(3)), Username: name, Role: store.RoleMember, Active: true}
		if s.chance(20) {
			u.Object = store.ObjectID{0: 0x77, 10: byte(s.count >> 8), 11: byte(s.next())}
		}
		users = append(users, u)
		s.note("%s", u.Alias)
	}
	all, added, err := s.ImportUsers(s.ctx, users)
	s.fatal("import", err)
	fresh := 0
	for i, u := range users {
		if old, ok := s.find(func(o store.User) bool { return o.Alias == u.Alias }); ok {
			wantSame(s.t, "account imported before", all[i], old)
			continue
		}
		u.Username = s.free(u.Username)
		s.made(u, all[i])
		fresh++
	}
	if added != fresh {
		s.t.Errorf("added %d, want %d", added, fresh)
	}
}

// stepEdit changes one thing about an account.
func (s *accountsSimulation) stepEdit() {
	old, ok := s.anyUser(everyUser)
	if !ok {
		return
	}
	u, want := old, error(nil)
	switch s.rnd.IntN(8) {
	case 0:
		u.Username = s.anyUsername()
		if other, taken := s.byName(u.Username); taken && other.ID != u.ID {
			want = store.ErrExists
		}
	case 1:
		u.Email = s.anyEmail()
		if other, taken := s.byEmail(u.Email); taken && other.ID != u.ID {
			want = store.ErrExists
		}
	case 2:
		u.Role = simRoles[s.rnd.IntN(len(simRoles))]
	case 3:
		u.Active = !u.Active
	case 4:
		u.PasswordHash = []string{"", "$2a$04$y", "$2a$04$z"}[s.rnd.IntN(3)]
	case 5:
		u.Bio, u.DisplayName = fmt.Sprint("bio ", s.rnd.IntN(3)), fmt.Sprint("name ", s.rnd.IntN(3))
	case 6:
		u.Bio, want = "half", errors.New("a reason of the caller's own")
	}
	if !u.Active {
		s.endAll(u.ID, "")
	}
	s.change(old, u, want)
}

// change edits an account in the engine and, when it should work, in the model.
func (s *accountsSimulation) change(old, u store.User, want error) {
	s.t.Helper()
	if want == nil && s.leavesNoAdmin(old, u) {
		want = store.ErrLastAdmin
	}
	s.note("%d: %q %q %s active %v closed %v: %v", u.ID, u.Username, u.Email, u.Role, u.Active, u.Closed, want)
	fail := want
	if errors.Is(want, store.ErrExists) {
		fail = nil
	}
	u.LastLogin = s.user(u.ID).LastLogin
	got, err := s.EditUser(s.ctx, u.ID, func(e *store.User) error { *e = u; return fail })
	if s.wantError(err, want) && !same(old, u) {
		u.UpdatedAt = s.clock.Now()
		s.set(u)
		s.edited(u.ID)
		if u.Closed && !old.Closed {
			maps.DeleteFunc(s.codes, func(_ int, c store.Code) bool { return c.User == u.ID })
		}
		wantSame(s.t, "edited account", got, u)
	}
	now, _ := s.find(func(o store.User) bool { return o.ID == u.ID })
	s.checkPerson(now)
}

func (s *accountsSimulation) stepClose() {
	old, ok := s.anyUser(everyUser)
	if !ok {
		return
	}
	s.endAll(old.ID, "")
	u := old
	u.Close()
	s.change(old, u, nil)
}

func (s *accountsSimulation) stepSignIn() {
	u, ok := s.anyUser(store.User.CanSignIn)
	if !ok {
		return
	}
	n, now := s.next(), s.clock.Now()
	session := store.Session{ID: sessionID(n), User: u.ID, CreatedAt: now, ExpiresAt: now.Add(s.anyLife()), Cookie: s.chance(50)}
	s.note("%d with token %d", u.ID, n)
	s.fatal("open session", s.OpenSession(s.ctx, session, token(n)))
	s.sessions[session.ID], s.tokens[n] = session, &modelToken{session: session.ID, expires: session.ExpiresAt}
	u.LastLogin = now
	s.users[slices.IndexFunc(s.users, func(o store.User) bool { return o.ID == u.ID })] = u
	s.checkSession(session)
	s.checkPerson(u)
}

func (s *accountsSimulation) anyLife() time.Duration {
	return time.Duration(1+s.rnd.IntN(20)) * time.Minute
}

// stepRotate spends a token of a session that lives, more often a new one, or one that is
// not known.
func (s *accountsSimulation) stepRotate() {
	now := s.clock.Now()
	keys := slices.DeleteFunc(sorted(s.tokens), func(n int) bool {
		return !now.Before(s.sessions[s.tokens[n].session].ExpiresAt) || !now.Before(s.tokens[n].expires)
	})
	if len(keys) > 3 && s.chance(70) {
		keys = keys[len(keys)-3:]
	}
	spent, ok := pick(s.rnd, keys)
	if !ok || s.chance(5) {
		spent = 1_000_000
	}
	next, expires := s.next(), now.Add(s.anyLife())
	s.note("token %d for %d", spent, next)
	got, err := s.RotateSession(s.ctx, token(spent), token(next), now, expires)
	t := s.tokens[spent]
	switch {
	case t == nil:
		s.wantError(err, store.ErrUnauthorized)
	case !t.spent.IsZero() && now.Sub(t.spent) >= store.ReuseGrace:
		s.wantError(err, store.ErrUnauthorized)
		session := s.sessions[t.session]
		s.ended(session)
		s.end(session.ID)
		_, err = s.Session(s.ctx, session.ID, now)
		wantErr(s.t, "a session whose token was stolen", err, store.ErrNotFound)
	default:
		s.fatal("rotate", err)
		if t.spent.IsZero() {
			t.spent = now
		}
		session := s.sessions[t.session]
		session.ExpiresAt = expires
		s.sessions[session.ID], s.tokens[next] = session, &modelToken{session: session.ID, expires: expires}
		wantSame(s.t, "rotated session", got, session)
		s.checkSession(session)
	}
}

func (s *accountsSimulation) stepEndOne() {
	id := sessionID(1 + s.rnd.IntN(s.count+1))
	s.note("%s", id)
	s.fatal("end session", s.EndSession(s.ctx, id))
	if session, ok := s.sessions[id]; ok {
		s.ended(session)
		s.end(id)
	}
	_, err := s.Session(s.ctx, id, s.clock.Now())
	wantErr(s.t, "a session that ended", err, store.ErrNotFound)
}

func (s *accountsSimulation) stepEndAll() {
	u, ok := pick(s.rnd, s.users)
	if !ok {
		return
	}
	except := store.SessionID("")
	if session, ok := pick(s.rnd, s.sessionsWhere(func(e store.Session) bool { return e.User == u.ID })); ok && s.chance(60) {
		except = session.ID
	}
	s.note("%d but %q", u.ID, except)
	s.endAll(u.ID, except)
}

func (s *accountsSimulation) endAll(user store.UserID, except store.SessionID) {
	s.t.Helper()
	s.fatal("end sessions", s.EndSessions(s.ctx, user, except))
	for _, session := range s.sessionsWhere(func(e store.Session) bool { return e.User == user && e.ID != except }) {
		s.ended(session)
		s.end(session.ID)
		_, err := s.Session(s.ctx, session.ID, s.clock.Now())
		wantErr(s.t, "a session that ended", err, store.ErrNotFound)
	}
}

// stepSweep removes everything that expired, in portions.
func (s *accountsSimulation) stepSweep() {
	now, limit := s.clock.Now(), 1+s.rnd.IntN(4)
	old := s.sessionsWhere(func(e store.Session) bool { return e.ExpiresAt.Before(now) })
	codes := slices.DeleteFunc(sorted(s.codes), func(n int) bool { return !s.codes[n].Expires.Before(now) })
	s.note("%d sessions and %d codes, %d at a time", len(old), len(codes), limit)
	for sessions, left := len(old), len(codes); ; {
		want := min(sessions, limit) + min(left, limit)
		removed, err := s.SweepSessions(s.ctx, now, limit)
		if err != nil || removed != want {
			s.t.Fatalf("swept %d, %v, want %d", removed, err, want)
		}
		if removed == 0 {
			break
		}
		sessions, left = max(0, sessions-limit), max(0, left-limit)
	}
	for _, session := range old {
		s.ended(session)
		s.end(session.ID)
	}
	for _, n := range codes {
		delete(s.codes, n)
	}
}

var simPurposes = []store.Purpose{store.PurposeVerify, store.PurposeReset}

func (s *accountsSimulation) stepAddCode() {
	u, ok := s.anyUser(everyUser)
	if !ok {
		return
	}
	n := s.next()
	c := store.Code{Hash: token(n), Purpose: simPurposes[n%2], User: u.ID, Email: u.Email, Expires: s.clock.Now().Add(s.anyLife())}
	s.fatal("add code", s.AddCode(s.ctx, c))
	s.codes[n] = c
}

func (s *accountsSimulation) stepTakeCode() {
	n, ok := pick(s.rnd, sorted(s.codes))
	if !ok || s.chance(10) {
		n = 1 + s.rnd.IntN(s.count+1)
	}
	purpose, now := simPurposes[s.rnd.IntN(2)], s.clock.Now()
	c, ok := s.codes[n]
	want := error(nil)
	if !ok || c.Purpose != purpose || !now.Before(c.Expires) {
		want = store.ErrNotFound
	}
	s.note("%d for %s: %v", n, purpose, want)
	got, err := s.TakeCode(s.ctx, token(n), purpose, now)
	if s.wantError(err, want) {
		wantSame(s.t, "code", got, c)
		delete(s.codes, n)
	}
}

func (s *accountsSimulation) stepInvite() {
	u, ok := s.anyUser(everyUser)
	if !ok {
		return
	}
	code := fmt.Sprint("i", s.rnd.IntN(5))
	if _, there := s.invites[code]; there {
		return
	}
	i := store.Invite{Code: code, By: u.ID, Room: "lobby", Expires: s.clock.Now().Add(s.anyLife())}
	s.fatal("add invite", s.AddInvite(s.ctx, i))
	s.invites[code] = i
}
