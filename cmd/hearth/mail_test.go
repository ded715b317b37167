package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server/mail/mailtest"
)

// TestServeSendsMail registers people while the mail server is away. Their mails go out
// after a restart, and the log tells nothing about them.
func TestServeSendsMail(t *testing.T) {
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	open := func(port int) (s *served, url string) {
		s = serving(t, folder, "--public-url", "https://chat.example.org", "--smtp-host", "127.0.0.1", "--smtp-port", fmt.Sprint(port),
			"--smtp-tls", "none", "--log-level", "debug", "--log-format", "json")
		return s, "http://" + s.log.await(t, `"listen":"([^"]+)"`)
	}
	s, url := open(away.Addr().(*net.TCPAddr).Port)
	for _, name := range []string{"ann", "bob"} {
		body := words("username", name, "email", name+"@example.org", "password", testPassword)
		if status := fetch(t, "POST", url+"/api/auth/register", "", body, nil); status != 201 {
			t.Fatalf("register %s: %d", name, status)
		}
	}
	s.log.await(t, "will be tried again")
	if code := s.stop(); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, s.log)
	}

	there := mailtest.Start(t, mailtest.Options{})
	after, url := open(there.Port)
	m := there.Next(t) // ann's was tried, and is not to be tried again yet
	if m.Recipient != "bob@example.org" || m.Sender != "hearth@chat.example.org" || !strings.HasPrefix(m.Link(), "https://chat.example.org/verify#") {
		t.Errorf("the mail came as %+v", m)
	}
	if status := fetch(t, "POST", url+"/api/auth/verify-email", "", words("token", m.Token()), nil); status != 200 {
		t.Errorf("verify: %d", status)
	}
	if status := fetch(t, "POST", url+"/api/auth/login", "", words("username", "bob", "password", testPassword), nil); status != 200 {
		t.Errorf("sign in: %d", status)
	}
	after.log.await(t, "mail sent")
	for _, hidden := range []string{"@", m.Token(), testPassword} {
		if log := s.log.String() + after.log.String(); strings.Contains(log, hidden) {
			t.Errorf("the log has %q in it:\n%s", hidden, log)
		}
	}
}
