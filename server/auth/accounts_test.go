package auth

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

func TestChangePassword(t *testing.T) {
	d := newDesk(t, Options{})
	other := d.register("ann")
	in, err := d.login("ann", "password123")
	if err != nil {
		t.Fatal(err)
	}
	v := d.viewer(in)
	wantFault(t, "a short one", d.ChangePassword(d.ctx, v, "password123", "short", home1), store.ErrInvalid, "invalid_newPassword")
	wantFault(t, "a wrong present one", d.ChangePassword(d.ctx, v, "wrong", "new password", home1), store.ErrForbidden, "wrong_password")
	d.wantSignedIn("after a refusal", other, v.User.ID)
	if err := d.ChangePassword(d.ctx, v, "password123", "new password", home1); err != nil {
		t.Fatal(err)
	}
	d.wantSignedIn("who changed it", in, v.User.ID)
	d.wantEnded("the other session", other)
	_, err = d.login("ann", "password123")
	wantFault(t, "the old password", err, store.ErrUnauthorized, "invalid_credentials")
	if _, err := d.login("ann", "new password"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestConfirmingIsThrottled(t *testing.T) {
	d := newDesk(t, Options{})
	v := d.viewer(d.register("ann"))
	for range accountFailures {
		wantFault(t, "a guess", d.ChangePassword(d.ctx, v, "wrong", "new password", away), store.ErrForbidden, "wrong_password")
	}
	wantLimited(t, "one more", d.ChangePassword(d.ctx, v, "password123", "new password", away), time.Minute)
	_, _, err := d.ChangeEmail(d.ctx, v, "new@example.org", "password123", away)
	wantLimited(t, "another way", err, time.Minute)
	_, err = d.Login(d.ctx, "ann", "password123", false, away)
	wantLimited(t, "signing in", err, time.Minute)
}

func TestChangeEmail(t *testing.T) {
	d := newDesk(t, Options{})
	d.register("bob")
	v := d.viewer(d.register("ann"))
	change := func(email, password string) (store.User, error) {
		u, waits, err := d.ChangeEmail(d.ctx, v, email, password, home1)
		if waits {
			t.Error("ChangeEmail waits for a mail, and none is sent")
		}
		return u, err
	}
	_, err := change("nowhere", "password123")
	wantFault(t, "no address", err, store.ErrInvalid, "invalid_email")
	_, err = change("new@example.org", "wrong")
	wantFault(t, "a wrong password", err, store.ErrForbidden, "wrong_password")
	_, err = change("BOB@example.org", "password123")
	wantFault(t, "a taken address", err, store.ErrExists, "email_taken")
	u, err := change("new@example.org", "password123")
	if err != nil || u.Email != "new@example.org" || !u.EmailVerified {
		t.Errorf("ChangeEmail = %+v, %v", u, err)
	}
	if _, err := d.login("new@example.org", "password123"); err != nil {
		t.Errorf("the new address: %v", err)
	}
}

func TestResetPassword(t *testing.T) {
	d := newDesk(t, Options{})
	in := d.register("ann")
	link := func() string {
		t.Helper()
		token, expires, err := d.MakeResetLink(d.ctx, in.User.ID)
		if err != nil || !expires.Equal(d.clock.Now().Add(time.Hour)) || len(token) < 43 {
			t.Fatalf("MakeResetLink = %q, %v, %v", token, expires, err)
		}
		return token
	}
	reset := func(token, password string) error { return d.ResetPassword(d.ctx, token, password, home1) }
	token, older := link(), link()
	wantFault(t, "a short password", reset(token, "short"), store.ErrInvalid, "invalid_newPassword")
	for _, wrong := range []string{"", "x", "1.x", "zzz.x", token[:len(token)-1], "2" + token[1:], token + "x", strings.Repeat("9", 1000) + "." + token} {
		wantFault(t, "token "+wrong, reset(wrong, "new password"), store.ErrInvalid, "invalid_token")
	}
	if err := reset(token, "new password"); err != nil {
		t.Fatal(err)
	}
	d.wantEnded("a session from before", in)
	if _, err := d.login("ann", "new password"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	wantFault(t, "a spent token", reset(token, "another one"), store.ErrInvalid, "invalid_token")
	wantFault(t, "a link from before the new password", reset(older, "another one"), store.ErrInvalid, "invalid_token")
	late := link()
	d.clock.advance(time.Hour)
	wantFault(t, "an expired token", reset(late, "another one"), store.ErrInvalid, "invalid_token")

	_, _, err := d.MakeResetLink(d.ctx, 77)
	wantFault(t, "nobody", err, store.ErrNotFound, "user_not_found")
	if _, err := d.accounts.EditUser(d.ctx, in.User.ID, func(u *store.User) error { u.Close(); return nil }); err != nil {
		t.Fatal(err)
	}
	_, _, err = d.MakeResetLink(d.ctx, in.User.ID)
	wantFault(t, "a closed account", err, store.ErrNotFound, "user_not_found")
}

func TestImportedPeopleSignInAfterAReset(t *testing.T) {
	d := newDesk(t, Options{})
	all, _, err := d.accounts.ImportUsers(d.ctx, []store.User{{Alias: "irc:bob", Username: "bob[away]", Role: store.RoleMember, Active: true}})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.MakeResetLink(d.ctx, all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ResetPassword(d.ctx, token, "my own now", home1); err != nil {
		t.Fatal(err)
	}
	in, err := d.login("BOB[away]", "my own now")
	if err != nil {
		t.Fatal(err)
	}
	d.wantSignedIn("bob", in, all[0].ID)
}

func TestSecretsAreNotInTheFile(t *testing.T) {
	d := newDesk(t, Options{})
	in := d.register("ann")
	next, err := d.Refresh(d.ctx, in.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.MakeResetLink(d.ctx, in.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte("ann@example.org")) {
		t.Error("the file does not hold what it ought to")
	}
	for what, secret := range map[string]string{
		"password": "password123", "refresh token": in.Refresh, "next refresh token": next.Refresh, "access token": in.Access,
		"reset token": token, "part of it": strings.TrimPrefix(token, "1."),
	} {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("the %s is in the file", what)
		}
	}
}

func TestVerifyEmail(t *testing.T) {
	d := newDesk(t, Options{})
	u := d.register("ann").User
	if _, err := d.accounts.EditUser(d.ctx, u.ID, func(u *store.User) error { u.EmailVerified = false; return nil }); err != nil {
		t.Fatal(err)
	}
	send := func(token, email string) {
		t.Helper()
		if err := d.accounts.AddCode(d.ctx, store.Code{
			Hash: hashOf(token), Purpose: store.PurposeVerify, User: u.ID, Email: email, Expires: d.clock.Now().Add(24 * time.Hour),
		}); err != nil {
			t.Fatal(err)
		}
	}
	send("one", "ann@example.org")
	send("old", "another@example.org")
	verify := func(token string) error { return d.VerifyEmail(d.ctx, token, home1) }
	wantFault(t, "an unknown token", verify("x"), store.ErrInvalid, "invalid_token")
	wantFault(t, "a token for another address", verify("old"), store.ErrInvalid, "invalid_token")
	if err := verify("one"); err != nil {
		t.Fatal(err)
	}
	if got, err := d.accounts.User(d.ctx, u.ID); err != nil || !got.EmailVerified {
		t.Errorf("verified %+v, %v", got, err)
	}
	wantFault(t, "a spent token", verify("one"), store.ErrInvalid, "invalid_token")
	send("late", "ann@example.org")
	d.clock.advance(24 * time.Hour)
	wantFault(t, "an expired token", verify("late"), store.ErrInvalid, "invalid_token")
}

func TestAddUser(t *testing.T) {
	d := newDesk(t, Options{Registration: store.RegistrationClosed})
	n := account("boss")
	n.Email = ""
	u, err := d.AddUser(d.ctx, n, store.RoleAdmin)
	if err != nil || !u.IsAdmin() || u.Email != "" || u.EmailVerified {
		t.Fatalf("AddUser = %+v, %v", u, err)
	}
	if code, err := d.accounts.SetupCode(d.ctx); err != nil || code != "" {
		t.Errorf("setup code beside an administrator = %q, %v", code, err)
	}
	_, err = d.AddUser(d.ctx, account("ann"), "owner")
	wantFault(t, "no role", err, store.ErrInvalid, "invalid_role")
	_, err = d.AddUser(d.ctx, account("me"), store.RoleMember)
	wantFault(t, "a reserved name", err, store.ErrInvalid, "invalid_username")
	_, err = d.AddUser(d.ctx, account("BOSS"), store.RoleMember)
	wantFault(t, "a taken name", err, store.ErrExists, "username_taken")
	if _, err := d.AddUser(d.ctx, account("guest1"), store.RoleGuest); err != nil {
		t.Error(err)
	}
	in, err := d.login("guest1", "password123")
	if err != nil || in.User.Role != store.RoleGuest {
		t.Fatalf("a guest: %+v, %v", in.User, err)
	}
	if err := d.SetPassword(d.ctx, in.User.ID, "set by the boss"); err != nil {
		t.Fatal(err)
	}
	d.wantEnded("after a new password", in)
	wantFault(t, "nobody", d.SetPassword(d.ctx, 77, "set by the boss"), store.ErrNotFound, "user_not_found")
	wantFault(t, "a short one", d.SetPassword(d.ctx, in.User.ID, "short"), store.ErrInvalid, "invalid_password")
}
