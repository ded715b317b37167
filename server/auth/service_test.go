package auth

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/bolt"
)

// desk is a service over a real store, with a clock of its own.
type desk struct {
	*Service
	t        *testing.T
	ctx      context.Context
	clock    *testClock
	accounts *bolt.Store
	file     string // of accounts
}

func newDesk(t *testing.T, o Options) *desk {
	t.Helper()
	d := &desk{t: t, ctx: t.Context(), clock: newClock()}
	folder := t.TempDir()
	d.file = filepath.Join(folder, "accounts")
	accounts, err := bolt.Open(d.file, bolt.Options{Now: d.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := accounts.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, _, err := OpenKeys(folder, testWorkspace, KeyOptions{Now: d.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	o.Now = d.clock.Now
	d.accounts = accounts
	d.Service = New(accounts, keys, NewPasswords(PasswordOptions{Cost: testCost}), o)
	return d
}

func account(name string) NewAccount {
	return NewAccount{Username: name, Email: name + "@example.org", Password: "password123"}
}

// register makes an account and returns its first sign-in.
func (d *desk) register(name string) SignIn {
	d.t.Helper()
	r, err := d.Register(d.ctx, account(name), home1)
	if err != nil {
		d.t.Fatal(err)
	}
	return r.SignIn
}

func (d *desk) login(name, password string) (SignIn, error) {
	return d.Login(d.ctx, name, password, false, home1)
}

func (d *desk) viewer(in SignIn) Viewer {
	d.t.Helper()
	v, err := d.Authenticate(d.ctx, in.Access)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func wantFault(t *testing.T, what string, err error, kind error, code string) {
	t.Helper()
	var f *store.Fault
	if !errors.Is(err, kind) || !errors.As(err, &f) || f.Code != code {
		t.Errorf("%s: %v, want %v %s", what, err, kind, code)
	}
}

func (d *desk) wantSignedIn(what string, in SignIn, id store.UserID) {
	d.t.Helper()
	v, err := d.Authenticate(d.ctx, in.Access)
	if err != nil || v.User.ID != id || v.Session != in.Session.ID || in.User.ID != id {
		d.t.Errorf("%s: %+v, %v, want account %d signed in", what, v, err, id)
	}
}

func (d *desk) wantEnded(what string, in SignIn) {
	d.t.Helper()
	_, err := d.Authenticate(d.ctx, in.Access)
	wantFault(d.t, what, err, store.ErrUnauthorized, "session_ended")
	_, err = d.Refresh(d.ctx, in.Refresh)
	wantFault(d.t, what+", refreshed", err, store.ErrUnauthorized, "refresh_token_invalid")
}

func TestRegister(t *testing.T) {
	d := newDesk(t, Options{})
	n := account("Ann")
	n.FirstName, n.LastName, n.Cookie = "Ann", "Smith", true
	r, err := d.Register(d.ctx, n, home1)
	if err != nil {
		t.Fatal(err)
	}
	u := r.User
	if u.Role != store.RoleMember || !u.Active || !u.EmailVerified || u.FirstName != "Ann" || u.LastName != "Smith" || u.LastLogin != testStart || r.Room != "" {
		t.Errorf("registered %+v", r)
	}
	if s := r.Session; !s.Cookie || s.User != u.ID || len(s.ID) != 32 || s.ExpiresAt != testStart.Add(30*24*time.Hour) {
		t.Errorf("session = %+v", s)
	}
	if len(r.Refresh) < 43 {
		t.Errorf("refresh token %q has less than 256 bits", r.Refresh)
	}
	d.wantSignedIn("registered", r.SignIn, u.ID)
	stored, err := d.accounts.User(d.ctx, u.ID)
	if err != nil || stored != u || strings.Contains(stored.PasswordHash, "password123") {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

func TestRegisterRefuses(t *testing.T) {
	d := newDesk(t, Options{})
	d.register("ann")
	tests := []struct {
		name   string
		change func(*NewAccount)
		kind   error
		code   string
	}{
		{"no name", func(n *NewAccount) { n.Username = "" }, store.ErrInvalid, "invalid_username"},
		{"a short name", func(n *NewAccount) { n.Username = "ab" }, store.ErrInvalid, "invalid_username"},
		{"a reserved name", func(n *NewAccount) { n.Username = "System" }, store.ErrInvalid, "invalid_username"},
		{"a closed account's name", func(n *NewAccount) { n.Username = "deleted-7" }, store.ErrInvalid, "invalid_username"},
		{"a taken name", func(n *NewAccount) { n.Username = "ANN" }, store.ErrExists, "username_taken"},
		{"no address", func(n *NewAccount) { n.Email = "" }, store.ErrInvalid, "invalid_email"},
		{"no address at all", func(n *NewAccount) { n.Email = "bob" }, store.ErrInvalid, "invalid_email"},
		{"a taken address", func(n *NewAccount) { n.Email = "Ann@Example.ORG" }, store.ErrExists, "email_taken"},
		{"a short password", func(n *NewAccount) { n.Password = "1234567" }, store.ErrInvalid, "invalid_password"},
		{"a long password", func(n *NewAccount) { n.Password = strings.Repeat("é", 37) }, store.ErrInvalid, "invalid_password"},
		{"a long first name", func(n *NewAccount) { n.FirstName = strings.Repeat("x", 51) }, store.ErrInvalid, "invalid_firstName"},
		{"a last name with NUL", func(n *NewAccount) { n.LastName = "a\x00b" }, store.ErrInvalid, "invalid_lastName"},
		{"a wrong setup code", func(n *NewAccount) { n.SetupCode = "guess" }, store.ErrForbidden, "wrong_setup_code"},
		{"an unknown invite", func(n *NewAccount) { n.Invite = "guess" }, store.ErrForbidden, "invite_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := account("bob")
			tt.change(&n)
			_, err := d.Register(d.ctx, n, away)
			wantFault(t, "Register", err, tt.kind, tt.code)
			if _, err := d.accounts.User(d.ctx, 2); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("there is a second account: %v", err)
			}
		})
	}
}

func TestRegistrationModes(t *testing.T) {
	for _, mode := range []store.Registration{store.RegistrationOpen, store.RegistrationInvite, store.RegistrationClosed} {
		t.Run(string(mode), func(t *testing.T) {
			d := newDesk(t, Options{Registration: mode})
			setup, err := d.accounts.SetupCode(d.ctx)
			if err != nil {
				t.Fatal(err)
			}
			boss := account("boss")
			boss.SetupCode = setup
			admin, err := d.Register(d.ctx, boss, home1)
			if err != nil || !admin.User.IsAdmin() {
				t.Fatalf("with the setup code: %+v, %v", admin.User, err)
			}
			second := account("second")
			second.SetupCode = setup
			_, err = d.Register(d.ctx, second, home1)
			wantFault(t, "a spent setup code", err, store.ErrForbidden, "wrong_setup_code")

			_, err = d.Register(d.ctx, account("ann"), home1)
			switch mode {
			case store.RegistrationOpen:
				if err != nil {
					t.Errorf("anybody: %v", err)
				}
			case store.RegistrationInvite:
				wantFault(t, "anybody", err, store.ErrForbidden, "invite_required")
			case store.RegistrationClosed:
				wantFault(t, "anybody", err, store.ErrForbidden, "registration_closed")
			}

			invite, err := d.MakeInvite(d.ctx, admin.User.ID, "lobby")
			if err != nil || invite.Expires != testStart.Add(7*24*time.Hour) || len(invite.Code) < 32 {
				t.Fatalf("invite = %+v, %v", invite, err)
			}
			bring := func(name string) (Registered, error) {
				n := account(name)
				n.Invite = invite.Code
				return d.Register(d.ctx, n, home1)
			}
			for _, name := range []string{"bob", "cyd"} {
				r, err := bring(name)
				if mode == store.RegistrationClosed {
					wantFault(t, "invited", err, store.ErrForbidden, "registration_closed")
				} else if err != nil || r.Room != "lobby" || r.User.Role != store.RoleMember {
					t.Errorf("invited: %+v, %v", r, err)
				}
			}
			d.clock.advance(7 * 24 * time.Hour)
			if _, err = bring("dan"); mode != store.RegistrationClosed {
				wantFault(t, "an expired invite", err, store.ErrForbidden, "invite_invalid")
			}
			if d.Service.Registration() != mode {
				t.Errorf("registration is %s", d.Service.Registration())
			}
		})
	}
}

func TestSetupAttemptsAreThrottledByAddress(t *testing.T) {
	d := newDesk(t, Options{})
	n := account("boss")
	n.SetupCode = "guess"
	for range accountFailures {
		_, err := d.Register(d.ctx, n, away)
		wantFault(t, "a guess", err, store.ErrForbidden, "wrong_setup_code")
	}
	_, err := d.Register(d.ctx, n, away)
	wantLimited(t, "one more", err, time.Minute)
	if n.SetupCode, err = d.accounts.SetupCode(d.ctx); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Register(d.ctx, n, home1); err != nil || !r.User.IsAdmin() {
		t.Errorf("the first administrator: %+v, %v", r.User, err)
	}
}

func TestOfTwoWithTheSetupCodeOneWins(t *testing.T) {
	d := newDesk(t, Options{})
	setup, err := d.accounts.SetupCode(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error)
	for i := range 8 {
		go func() {
			n := account("boss" + strconv.Itoa(i))
			n.SetupCode = setup
			_, err := d.Register(d.ctx, n, address(i))
			results <- err
		}()
	}
	won := 0
	for range 8 {
		if err := <-results; err == nil {
			won++
		} else {
			wantFault(t, "who lost", err, store.ErrForbidden, "wrong_setup_code")
		}
	}
	if admins, err := d.accounts.Admins(d.ctx); err != nil || won != 1 || len(admins) != 1 {
		t.Errorf("%d won, %d administrators, %v", won, len(admins), err)
	}
}

func TestLogin(t *testing.T) {
	d := newDesk(t, Options{})
	ann := d.register("Ann").User
	d.clock.advance(time.Hour)
	for _, name := range []string{"Ann", "ANN", "ann@example.org", "Ann@EXAMPLE.org"} {
		in, err := d.login(name, "password123")
		if err != nil || in.User.LastLogin != d.clock.Now() || in.Session.Cookie {
			t.Fatalf("Login(%s) = %+v, %v", name, in, err)
		}
		d.wantSignedIn(name, in, ann.ID)
	}
	// Everything that can be wrong is the same answer.
	if _, _, err := d.accounts.ImportUsers(d.ctx, []store.User{
		{Alias: "irc:bob", Username: "bob", Role: store.RoleMember, Active: true},
		{Alias: "irc:x", Username: "ann@example.org", Role: store.RoleMember, Active: true},
	}); err != nil {
		t.Fatal(err)
	}
	if in, err := d.login("ann@example.org", "password123"); err != nil || in.User.ID != ann.ID {
		t.Errorf("an address that somebody else is called: %+v, %v", in.User, err)
	}
	off := d.register("off").User
	if _, err := d.accounts.EditUser(d.ctx, off.ID, func(u *store.User) error { u.Active = false; return nil }); err != nil {
		t.Fatal(err)
	}
	var words string
	for name, try := range map[string][2]string{
		"a wrong password":         {"Ann", "password124"},
		"nobody":                   {"zoe", "password123"},
		"a closed imported person": {"bob", ""},
		"a deactivated account":    {"off", "password123"},
		"no name":                  {"", "password123"},
		"a name without end":       {strings.Repeat("x", 100_000), "password123"},
	} {
		_, err := d.login(try[0], try[1])
		wantFault(t, name, err, store.ErrUnauthorized, "invalid_credentials")
		if words == "" {
			words = err.Error()
		}
		if err.Error() != words || !strings.HasPrefix(words, "Invalid credentials: ") {
			t.Errorf("%s: %q, others %q", name, err, words)
		}
	}
}

func TestLoginIsThrottledByAccountUnderEveryName(t *testing.T) {
	d := newDesk(t, Options{})
	d.register("ann")
	for i, name := range []string{"ann", "ann@example.org", "ANN", "Ann@example.org", "ann"} {
		_, err := d.Login(d.ctx, name, "wrong", false, address(i))
		wantFault(t, name, err, store.ErrUnauthorized, "invalid_credentials")
	}
	_, err := d.Login(d.ctx, "ann", "password123", false, address(9))
	wantLimited(t, "the right password in the pause", err, time.Minute)
	d.clock.advance(time.Minute)
	if _, err := d.Login(d.ctx, "ann", "password123", false, address(9)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	for range accountFailures {
		_, err = d.Login(d.ctx, "Nobody", "wrong", false, away)
		wantFault(t, "nobody", err, store.ErrUnauthorized, "invalid_credentials")
	}
	_, err = d.Login(d.ctx, "NOBODY", "wrong", false, away)
	wantLimited(t, "a name that nobody has", err, time.Minute)
}

func TestSignInsOfAnAddressAreLimited(t *testing.T) {
	d := newDesk(t, Options{})
	for range attemptsPerMinute / 3 {
		for _, err := range []error{d.ForgotPassword(d.ctx, "ann@example.org", away), d.VerifyEmail(d.ctx, "x", away), d.ResetPassword(d.ctx, "x", "password123", away)} {
			if errors.Is(err, store.ErrLimited) {
				t.Fatal(err)
			}
		}
	}
	_, errLogin := d.Login(d.ctx, "ann", "x", false, away)
	_, errRegister := d.Register(d.ctx, account("ann"), away)
	for what, err := range map[string]error{
		"login": errLogin, "register": errRegister, "forgot": d.ForgotPassword(d.ctx, "ann@example.org", away),
		"verify": d.VerifyEmail(d.ctx, "x", away), "reset": d.ResetPassword(d.ctx, "x", "password123", away),
	} {
		wantLimited(t, what, err, time.Minute)
	}
	d.register("bob")
}

func TestCheapHashesAreReplaced(t *testing.T) {
	d := newDesk(t, Options{})
	d.passwords = NewPasswords(PasswordOptions{Cost: testCost + 1})
	old := "$2b$" + hashed(t, "imported", testCost)[4:]
	all, _, err := d.accounts.ImportUsers(d.ctx, []store.User{{Alias: "x:ann", Username: "ann", PasswordHash: old, Role: store.RoleMember, Active: true}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if in, err := d.login("ann", "imported"); err != nil {
				t.Errorf("Login: %v", err)
			} else {
				d.wantSignedIn("imported", in, all[0].ID)
			}
		})
	}
	wg.Wait()
	u, err := d.accounts.User(d.ctx, all[0].ID)
	if cost, _ := bcrypt.Cost([]byte(u.PasswordHash)); err != nil || cost != testCost+1 {
		t.Errorf("hash = %q, %v", u.PasswordHash, err)
	}
	if _, err := d.login("ann", "imported"); err != nil {
		t.Errorf("with the new hash: %v", err)
	}
}

// TestPasswordChangedDuringLogin changes the password while bcrypt compares the old one.
func TestPasswordChangedDuringLogin(t *testing.T) {
	for _, rehash := range []bool{false, true} {
		d := newDesk(t, Options{})
		ann := d.register("ann").User
		if rehash {
			d.passwords = NewPasswords(PasswordOptions{Cost: testCost + 1})
		}
		compare, changed := d.passwords.compare, false
		d.passwords.compare = func(hash, password []byte) error {
			if !changed {
				changed = true
				if _, err := d.accounts.EditUser(d.ctx, ann.ID, func(u *store.User) error {
					u.PasswordHash = hashed(t, "another one", testCost+1)
					return nil
				}); err != nil {
					t.Error(err)
				}
				if err := d.accounts.EndSessions(d.ctx, ann.ID, ""); err != nil {
					t.Error(err)
				}
			}
			return compare(hash, password)
		}
		_, err := d.login("ann", "password123")
		wantFault(t, "the old password", err, store.ErrUnauthorized, "invalid_credentials")
		removed, err := d.accounts.SweepSessions(d.ctx, d.clock.Now().Add(365*24*time.Hour), 10)
		if err != nil || removed != 0 {
			t.Errorf("rehash %t: %d sessions are open, %v", rehash, removed, err)
		}
	}
}

func TestRefresh(t *testing.T) {
	d := newDesk(t, Options{RefreshTTL: time.Hour})
	first := d.register("ann")
	d.clock.advance(50 * time.Minute)
	_, err := d.Authenticate(d.ctx, first.Access)
	wantFault(t, "an old access token", err, store.ErrUnauthorized, "token_expired")
	second, err := d.Refresh(d.ctx, first.Refresh)
	if err != nil || second.Session.ID != first.Session.ID || second.Refresh == first.Refresh || second.Session.ExpiresAt != d.clock.Now().Add(time.Hour) {
		t.Fatalf("Refresh = %+v, %v", second, err)
	}
	d.wantSignedIn("refreshed", second, first.User.ID)
	d.clock.advance(store.ReuseGrace - time.Millisecond)
	tab, err := d.Refresh(d.ctx, first.Refresh)
	if err != nil {
		t.Fatalf("a second tab: %v", err)
	}
	d.wantSignedIn("a second tab", tab, first.User.ID)
	d.clock.advance(time.Millisecond)
	_, err = d.Refresh(d.ctx, first.Refresh)
	wantFault(t, "a stolen token", err, store.ErrUnauthorized, "refresh_token_invalid")
	d.wantEnded("after a theft", second)
	d.wantEnded("after a theft, the tab", tab)
	for _, token := range []string{"", "x", strings.Repeat("x", 100_000), second.Access} {
		_, err = d.Refresh(d.ctx, token)
		wantFault(t, "no token", err, store.ErrUnauthorized, "refresh_token_invalid")
	}
	late, err := d.login("ann", "password123")
	if err != nil {
		t.Fatal(err)
	}
	d.clock.advance(time.Hour)
	_, err = d.Refresh(d.ctx, late.Refresh)
	wantFault(t, "an expired session", err, store.ErrUnauthorized, "refresh_token_invalid")
}

func TestDeactivatedAccountsAreOut(t *testing.T) {
	d := newDesk(t, Options{})
	in := d.register("ann")
	set := func(active bool) {
		if _, err := d.accounts.EditUser(d.ctx, in.User.ID, func(u *store.User) error { u.Active = active; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set(false)
	_, err := d.Authenticate(d.ctx, in.Access)
	wantFault(t, "a deactivated account", err, store.ErrUnauthorized, "session_ended")
	_, err = d.Refresh(d.ctx, in.Refresh)
	wantFault(t, "a deactivated account, refreshed", err, store.ErrUnauthorized, "session_ended")
	set(true)
	d.wantEnded("the session of before", in)
	if _, err := d.login("ann", "password123"); err != nil {
		t.Errorf("active again: %v", err)
	}
}

func TestLogout(t *testing.T) {
	d := newDesk(t, Options{})
	d.register("ann")
	for name, logout := range map[string]func(in SignIn) error{
		"by access token":       func(in SignIn) error { return d.Logout(d.ctx, in.Access, "") },
		"by refresh token":      func(in SignIn) error { return d.Logout(d.ctx, "", in.Refresh) },
		"by both":               func(in SignIn) error { return d.Logout(d.ctx, in.Access, in.Refresh) },
		"with a bad access":     func(in SignIn) error { return d.Logout(d.ctx, "x", in.Refresh) },
		"with an unknown token": func(in SignIn) error { return d.Logout(d.ctx, in.Access, "x") },
	} {
		in, err := d.login("ann", "password123")
		if err != nil {
			t.Fatal(err)
		}
		other, err := d.login("ann", "password123")
		if err != nil {
			t.Fatal(err)
		}
		if err := logout(in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		d.wantEnded(name, in)
		d.wantSignedIn(name+", another session", other, in.User.ID)
		if err := d.Logout(d.ctx, in.Access, ""); err != nil {
			t.Errorf("%s, again: %v", name, err)
		}
	}
	wantFault(t, "nothing", d.Logout(d.ctx, "", ""), store.ErrUnauthorized, "token_missing")
	wantFault(t, "a bad token", d.Logout(d.ctx, "x", ""), store.ErrUnauthorized, "token_invalid")
	wantFault(t, "two bad tokens", d.Logout(d.ctx, "x", "x"), store.ErrUnauthorized, "refresh_token_invalid")
}

func TestAuthenticateWantsThePersonOfTheSession(t *testing.T) {
	d := newDesk(t, Options{})
	ann, bob := d.register("ann"), d.register("bob")
	token, err := d.keys.Issue(bob.User, ann.Session.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Authenticate(d.ctx, token)
	wantFault(t, "a session of somebody else", err, store.ErrUnauthorized, "token_invalid")
	_, err = d.Authenticate(d.ctx, "")
	wantFault(t, "no token", err, store.ErrUnauthorized, "token_missing")
}
