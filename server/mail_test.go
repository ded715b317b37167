package server_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server/mail/mailtest"
)

// postal is a server with mail, and the mail server.
func postal(t *testing.T, o options) (*hearth, *mailtest.Server) {
	o.Mail = mailtest.Start(t, mailtest.Options{})
	return start(t, o), o.Mail
}

// token reads the token from a mail that must be to somebody about something.
func token(t *testing.T, post *mailtest.Server, to, subject, page string) string {
	t.Helper()
	m := post.Next(t)
	if m.Recipient != to || !strings.HasPrefix(m.Subject, subject) || !strings.HasPrefix(m.Link(), frontend+page+"#") {
		t.Fatalf("the mail to %s is %q with %q, want %q to %s with %s", m.Recipient, m.Subject, m.Link(), subject, to, page)
	}
	return m.Token()
}

// settles registers a person and opens the link they get.
func settles(t *testing.T, h *hearth, post *mailtest.Server, name string) *actor {
	t.Helper()
	nobody := h.Nobody(t)
	nobody.Do("POST", "/api/auth/register", registration(name)).Must(201)
	nobody.Do("POST", "/api/auth/verify-email", object{"token": token(t, post, name+"@example.com", "Confirm", "/verify")}).Must(200)
	return nobody.signedIn(nobody.Do("POST", "/api/auth/login", object{"username": name, "password": password}).Must(200))
}

func TestMailedVerification(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	nobody := h.Nobody(t)
	if said, _ := nobody.Do("GET", "/api/workspace", nil).Must(200).At("email"); said != true {
		t.Error("the workspace does not say that mail is configured")
	}
	body := registration("ann")
	body["cookie"] = true
	got := nobody.Do("POST", "/api/users/register", body).Must(201)
	if bytes.Contains(got.Body, []byte("oken")) || got.Header.Get("Set-Cookie") != "" || got.String("user.username") != "ann" {
		t.Errorf("registering answers %s and sets the cookie %q", got.Body, got.Header.Get("Set-Cookie"))
	}
	login := func() answer {
		return nobody.Do("POST", "/api/auth/login", object{"username": "ann", "password": password})
	}
	first := token(t, post, "ann@example.com", "Confirm", "/verify")
	if code := login().Must(403).String("code"); code != "email_unverified" {
		t.Errorf("signing in before the link: %s", code)
	}
	again := token(t, post, "ann@example.com", "Confirm", "/verify")
	accept := http.Header{"Accept": {"text/html"}}
	nobody.Send(request{Method: "GET", Path: "/api/auth/verify-email?token=" + first, Header: accept}).Must(200)
	login().Must(403) // looking at a page confirms nothing
	token(t, post, "ann@example.com", "Confirm", "/verify")
	nobody.Do("GET", "/api/users/verify-email?token="+again, nil).Must(200)
	nobody.Do("POST", "/api/auth/verify-email", object{"token": again}).Must(400)
	login().Must(200)
}

func TestSetupDoesNotWaitForMail(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	if ada := h.SetsUp(t, "ada"); ada.Token == "" {
		t.Error("the first administrator has no token")
	}
	if n := post.Waiting(); n != 0 {
		t.Errorf("%d mails came", n)
	}
}

func TestMailedReset(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	ann := settles(t, h, post, "ann")
	nobody := h.Nobody(t)
	known := nobody.Do("POST", "/api/auth/forgot-password", object{"email": "Ann@Example.com"}).Must(200)
	unknown := nobody.Do("POST", "/api/auth/forgot-password", object{"email": "nobody@example.com"}).Must(200)
	if !bytes.Equal(known.Body, unknown.Body) {
		t.Errorf("one with an account hears %s, one without %s", known.Body, unknown.Body)
	}
	link := token(t, post, "ann@example.com", "Choose a new password", "/reset")
	reset := func(to string) answer {
		return nobody.Do("POST", "/api/auth/reset-password", object{"token": link, "newPassword": to})
	}
	reset("new password").Must(200)
	reset("newer password").Must(400)
	ann.Do("GET", "/api/auth/me", nil).Must(401)
	nobody.Do("POST", "/api/auth/refresh-token", object{"refreshToken": ann.Refresh}).Must(401)
	nobody.Do("POST", "/api/auth/login", object{"username": "ann", "password": password}).Must(401)
	nobody.Do("POST", "/api/auth/login", object{"email": "ann@example.com", "password": "new password"}).Must(200)
	if n := post.Waiting(); n != 0 {
		t.Errorf("%d mails too many", n)
	}
}

func TestMailedChange(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	ann, bob := settles(t, h, post, "ann"), settles(t, h, post, "bob")
	address := func() string { return ann.Do("GET", "/api/auth/me", nil).Must(200).String("user.email") }
	ann.Do("PUT", "/api/auth/email", object{"email": "BOB@example.com", "password": password}).Must(409)
	if got := ann.Do("PUT", "/api/auth/email", object{"email": "new@example.com", "password": password}).Must(200).String("user.email"); got != "ann@example.com" {
		t.Errorf("before the link the address is %s", got)
	}
	link := token(t, post, "new@example.com", "Confirm your new", "/verify")
	if got := address(); got != "ann@example.com" {
		t.Errorf("the address changed to %s by itself", got)
	}
	h.Nobody(t).Do("POST", "/api/auth/verify-email", object{"token": link}).Must(200)
	if got := address(); got != "new@example.com" {
		t.Errorf("after the link the address is %s", got)
	}
	bob.Do("PUT", "/api/auth/email", object{"email": "ann@example.com", "password": password}).Must(200)
	token(t, post, "ann@example.com", "Confirm your new", "/verify")
}

// TestNobodyWaitsForTheMailServer keeps the mail server silent while people ask for mails.
func TestNobodyWaitsForTheMailServer(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	asked, over := make(chan struct{}, 10), make(chan struct{})
	post.Answer(func(string) error { asked <- struct{}{}; <-over; return nil })
	nobody := h.Nobody(t)
	nobody.Do("POST", "/api/auth/register", registration("ann")).Must(201)
	<-asked // and now the mail server says nothing
	nobody.Do("POST", "/api/auth/register", registration("bob")).Must(201)
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		nobody.Do("POST", "/api/auth/forgot-password", object{"email": email}).Must(200)
	}
	if n := post.Waiting(); n != 0 {
		t.Errorf("%d mails came from a silent server", n)
	}
	post.Answer(func(string) error { return nil })
	close(over)
	for _, want := range []string{"Confirm", "Confirm", "Choose"} {
		if m := post.Next(t); !strings.HasPrefix(m.Subject, want) {
			t.Errorf("%q came, want %q", m.Subject, want)
		}
	}
}

// TestMailOnAFullDisk asks for mails that cannot be kept.
func TestMailOnAFullDisk(t *testing.T) {
	t.Parallel()
	h, post := postal(t, options{})
	ann := settles(t, h, post, "ann")
	h.disk.set(diskFull)
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		h.Nobody(t).Do("POST", "/api/auth/forgot-password", object{"email": email}).Must(200)
	}
	ann.Do("PUT", "/api/auth/email", object{"email": "new@example.com", "password": password}).Must(503)
	h.disk.set(diskFine)
	h.Nobody(t).Do("POST", "/api/auth/forgot-password", object{"email": "ann@example.com"}).Must(200)
	token(t, post, "ann@example.com", "Choose", "/reset")
}
