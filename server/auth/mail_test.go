package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// box keeps mails among the accounts, where the test takes them out.
type box struct{ d *desk }

func (b box) Post(ctx context.Context, m store.Mail) error {
	_, err := b.d.accounts.AddMail(ctx, m, 100)
	return err
}

// newMailDesk is a desk with mail.
func newMailDesk(t *testing.T) *desk {
	d := newDesk(t, Options{})
	d.options.Mail = box{d}
	return d
}

// mailed takes out the mails that wait, oldest first.
func (d *desk) mailed() []store.Mail {
	d.t.Helper()
	mails, err := d.accounts.Mails(d.ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range mails {
		if err := d.accounts.RemoveMail(d.ctx, m.ID); err != nil {
			d.t.Fatal(err)
		}
	}
	return mails
}

// link is the address and the token of the one mail that waits.
func (d *desk) link(p store.Purpose) (string, string) {
	d.t.Helper()
	mails := d.mailed()
	if len(mails) != 1 || mails[0].Purpose != p {
		d.t.Fatalf("mails = %+v, want one to %s", mails, p)
	}
	to, token, err := d.Address(d.ctx, mails[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return to.Email, token
}

// wantNoReader asks for the letter of each mail that waits, and nobody is to get one.
func (d *desk) wantNoReader(what string) {
	d.t.Helper()
	mails := d.mailed()
	if len(mails) == 0 {
		d.t.Errorf("%s: no mail", what)
	}
	for _, m := range mails {
		if to, _, err := d.Address(d.ctx, m); !errors.Is(err, store.ErrNotFound) {
			d.t.Errorf("%s: goes to %q, %v", what, to.Email, err)
		}
	}
}

// waiting registers somebody who waits for a mail.
func (d *desk) waiting(name string) store.User {
	d.t.Helper()
	r, err := d.Register(d.ctx, account(name), home1)
	if err != nil || !r.Waits || r.Access != "" || r.Refresh != "" || r.User.EmailVerified {
		d.t.Fatalf("Register = %+v, %v", r, err)
	}
	return r.User
}

func TestRegisterWithMail(t *testing.T) {
	d := newMailDesk(t)
	u := d.waiting("ann")
	_, err := d.login("ann", "wrong password")
	wantFault(t, "a wrong password", err, store.ErrUnauthorized, "invalid_credentials")
	first, token := d.link(store.PurposeVerify)
	_, err = d.login("ann@example.org", "password123")
	wantFault(t, "before the link", err, store.ErrForbidden, "email_unverified")
	second, again := d.link(store.PurposeVerify)
	if first != "ann@example.org" || second != first {
		t.Errorf("the mails go to %q and %q", first, second)
	}
	wantFault(t, "a wrong token", d.VerifyEmail(d.ctx, token+"x", home1), store.ErrInvalid, "invalid_token")
	if err := d.VerifyEmail(d.ctx, token, home1); err != nil {
		t.Fatal(err)
	}
	in, err := d.login("ann", "password123")
	if err != nil {
		t.Fatal(err)
	}
	d.wantSignedIn("after the link", in, u.ID)
	wantFault(t, "the same link", d.VerifyEmail(d.ctx, token, home1), store.ErrInvalid, "invalid_token")
	d.clock.advance(verifyTTL)
	wantFault(t, "a link after a day", d.VerifyEmail(d.ctx, again, home1), store.ErrInvalid, "invalid_token")
}

func TestWhoDoesNotWaitForMail(t *testing.T) {
	d := newMailDesk(t)
	code, err := d.accounts.SetupCode(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := account("ada")
	n.SetupCode = code
	r, err := d.Register(d.ctx, n, home1)
	if err != nil || r.Waits || r.Access == "" || !r.User.EmailVerified {
		t.Fatalf("the first administrator: %+v, %v", r, err)
	}
	nameless := account("bob")
	nameless.Email = ""
	for _, n := range []NewAccount{nameless, account("cyd")} {
		if _, err := d.AddUser(d.ctx, n, store.RoleMember); err != nil {
			t.Fatal(err)
		}
		if _, err := d.login(n.Username, n.Password); err != nil {
			t.Errorf("%s, made by an administrator: %v", n.Username, err)
		}
	}
	if mails := d.mailed(); len(mails) != 0 {
		t.Errorf("mails = %+v", mails)
	}
}

func TestForgottenPassword(t *testing.T) {
	d := newMailDesk(t)
	d.waiting("ann")
	_, verify := d.link(store.PurposeVerify)
	if err := d.VerifyEmail(d.ctx, verify, home1); err != nil {
		t.Fatal(err)
	}
	in, err := d.login("ann", "password123")
	if err != nil {
		t.Fatal(err)
	}
	forgot := func(email string) {
		t.Helper()
		if err := d.ForgotPassword(d.ctx, email, away); err != nil {
			t.Errorf("forgot %q: %v", email, err)
		}
	}
	forgot("nobody@example.org")
	d.wantNoReader("an address of nobody")
	forgot("not an address")
	if mails := d.mailed(); len(mails) != 0 {
		t.Errorf("mails to no address: %+v", mails)
	}
	forgot("ANN@example.org")
	to, token := d.link(store.PurposeReset)
	if to != "ann@example.org" {
		t.Errorf("the mail goes to %q, want the address as the account has it", to)
	}
	if err := d.ResetPassword(d.ctx, token, "new password", away); err != nil {
		t.Fatal(err)
	}
	d.wantEnded("a session from before", in)
	wantFault(t, "a spent token", d.ResetPassword(d.ctx, token, "newer password", away), store.ErrInvalid, "invalid_token")
	if _, err := d.login("ann", "new password"); err != nil {
		t.Error(err)
	}
	forgot("ann@example.org")
	_, late := d.link(store.PurposeReset)
	d.clock.advance(resetTTL)
	wantFault(t, "an expired token", d.ResetPassword(d.ctx, late, "newer password", away), store.ErrInvalid, "invalid_token")
}

// TestResetTakesAnAddressBack is somebody whose address a stranger registered.
func TestResetTakesAnAddressBack(t *testing.T) {
	d := newMailDesk(t)
	u := d.waiting("ann")
	d.mailed()
	if err := d.ForgotPassword(d.ctx, "ann@example.org", home1); err != nil {
		t.Fatal(err)
	}
	_, token := d.link(store.PurposeReset)
	if err := d.ResetPassword(d.ctx, token, "the owner's", home1); err != nil {
		t.Fatal(err)
	}
	in, err := d.login("ann", "the owner's")
	if err != nil {
		t.Fatalf("who read the mail has the address: %v", err)
	}
	d.wantSignedIn("the owner", in, u.ID)
}

// TestAdministratorsWord lets people in whose mail does not arrive.
func TestAdministratorsWord(t *testing.T) {
	d := newMailDesk(t)
	ann, bob := d.waiting("ann"), d.waiting("bob")
	token, _, err := d.MakeResetLink(d.ctx, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ResetPassword(d.ctx, token, "new password", home1); err != nil {
		t.Fatal(err)
	}
	if err := d.SetPassword(d.ctx, bob.ID, "new password"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		if _, err := d.login(name, "new password"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangeEmailWithMail(t *testing.T) {
	d := newMailDesk(t)
	u := d.waiting("ann")
	_, verify := d.link(store.PurposeVerify)
	if err := d.VerifyEmail(d.ctx, verify, home1); err != nil {
		t.Fatal(err)
	}
	in, err := d.login("ann", "password123")
	if err != nil {
		t.Fatal(err)
	}
	v := d.viewer(in)
	change := func(email string) string {
		t.Helper()
		got, waits, err := d.ChangeEmail(d.ctx, v, email, "password123", home1)
		if err != nil || !waits || got.Email != "ann@example.org" {
			t.Fatalf("ChangeEmail = %+v, %v, %v", got, waits, err)
		}
		to, token := d.link(store.PurposeChange)
		if to != email {
			t.Errorf("the mail goes to %q, want %q", to, email)
		}
		return token
	}
	want := func(what, email string) {
		t.Helper()
		if got, err := d.accounts.User(d.ctx, u.ID); err != nil || got.Email != email || !got.EmailVerified {
			t.Errorf("%s: %+v, %v, want %s", what, got, err, email)
		}
	}
	token, older := change("new@example.org"), change("other@example.org")
	want("before the link", "ann@example.org")
	if err := d.ForgotPassword(d.ctx, "ann@example.org", home1); err != nil {
		t.Fatal(err)
	}
	_, reset := d.link(store.PurposeReset)
	if err := d.VerifyEmail(d.ctx, token, home1); err != nil {
		t.Fatal(err)
	}
	want("after the link", "new@example.org")
	wantFault(t, "a reset that went to the old address", d.ResetPassword(d.ctx, reset, "new password", home1), store.ErrInvalid, "invalid_token")
	if err := d.ChangePassword(d.ctx, v, "password123", "new password", home1); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "a link from before a new password", d.VerifyEmail(d.ctx, older, home1), store.ErrInvalid, "invalid_token")
	want("after a link too late", "new@example.org")
}

func TestTwoWantOneAddress(t *testing.T) {
	d := newMailDesk(t)
	var tokens []string
	for _, name := range []string{"ann", "bob"} {
		if _, err := d.AddUser(d.ctx, account(name), store.RoleMember); err != nil {
			t.Fatal(err)
		}
		in, err := d.login(name, "password123")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.ChangeEmail(d.ctx, d.viewer(in), "both@example.org", "password123", home1); err != nil {
			t.Fatal(err)
		}
		_, token := d.link(store.PurposeChange)
		tokens = append(tokens, token)
	}
	if err := d.VerifyEmail(d.ctx, tokens[0], home1); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "the slower one", d.VerifyEmail(d.ctx, tokens[1], home1), store.ErrInvalid, "invalid_token")
	bob, err := d.login("bob", "password123")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = d.ChangeEmail(d.ctx, d.viewer(bob), "both@example.org", "password123", home1)
	wantFault(t, "a taken address", err, store.ErrExists, "email_taken")
}

func TestMailsToOneAddressAreFew(t *testing.T) {
	d := newMailDesk(t)
	for range 3 * mailsPerWindow {
		if err := d.ForgotPassword(d.ctx, "Ann@example.org", away); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.mailed()); n != mailsPerWindow {
		t.Errorf("%d mails to one address, want %d", n, mailsPerWindow)
	}
	d.clock.advance(mailWindow - time.Second)
	_ = d.ForgotPassword(d.ctx, "ann@example.org", away)
	if n := len(d.mailed()); n != 0 {
		t.Errorf("%d more within the hour", n)
	}
	d.clock.advance(time.Second)
	_ = d.ForgotPassword(d.ctx, "ann@example.org", away)
	if n := len(d.mailed()); n != 1 {
		t.Errorf("%d mails after an hour, want 1", n)
	}
}

func TestMailsForNobody(t *testing.T) {
	d := newMailDesk(t)
	u := d.waiting("ann")
	if err := d.ForgotPassword(d.ctx, "ann@example.org", home1); err != nil {
		t.Fatal(err)
	}
	if _, err := d.accounts.EditUser(d.ctx, u.ID, func(u *store.User) error { u.Active = false; return nil }); err != nil {
		t.Fatal(err)
	}
	d.wantNoReader("a deactivated account")
	v := d.waiting("bob")
	if _, err := d.accounts.EditUser(d.ctx, v.ID, func(u *store.User) error { u.EmailVerified = true; return nil }); err != nil {
		t.Fatal(err)
	}
	d.wantNoReader("an account that needs no mail any more")
}
