package mail

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/mail/mailtest"
	"github.com/hearthchat/hearth/store"
)

// towards is how to reach a mail server under test.
func towards(s *mailtest.Server, security Security) Server {
	return Server{
		Host: s.Host, Port: s.Port, Security: security, roots: s.Roots, Timeout: 10 * time.Second,
		From: &mail.Address{Address: "hearth@example.org"},
	}
}

func aLetter() letter {
	return compose(store.PurposeReset, store.User{Username: "ann", Email: "ann@example.org"}, "1.token", "Bücher & Söhne", "https://chat.example.org")
}

func TestSend(t *testing.T) {
	tests := []struct {
		name      string
		there     mailtest.Options
		security  Security
		encrypted bool
	}{
		{"STARTTLS", mailtest.Options{StartTLS: true}, SecurityStartTLS, true},
		{"STARTTLS without asking for it", mailtest.Options{StartTLS: true}, "", true},
		{"STARTTLS with sign-in", mailtest.Options{StartTLS: true, User: "hearth", Password: "s3cret"}, SecurityAuto, true},
		{"TLS from the start", mailtest.Options{TLS: true}, SecurityTLS, true},
		{"TLS from the start with sign-in", mailtest.Options{TLS: true, User: "hearth", Password: "s3cret"}, SecurityTLS, true},
		{"in the clear", mailtest.Options{}, SecurityNone, false},
		{"in the clear with sign-in to this machine", mailtest.Options{User: "hearth", Password: "s3cret"}, SecurityNone, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			there := mailtest.Start(t, tt.there)
			s := towards(there, tt.security)
			s.User, s.Password = tt.there.User, tt.there.Password
			if err := s.send(t.Context(), aLetter()); err != nil {
				t.Fatal(err)
			}
			m := there.Next(t)
			if m.Encrypted != tt.encrypted || m.User != tt.there.User || m.Sender != "hearth@example.org" || m.Recipient != "ann@example.org" {
				t.Errorf("the mail came as %+v", m)
			}
		})
	}
}

func TestWhatAMailSays(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	if err := towards(there, SecurityNone).send(t.Context(), aLetter()); err != nil {
		t.Fatal(err)
	}
	m := there.Next(t)
	if m.Subject != "Choose a new password for Bücher & Söhne" {
		t.Errorf("subject %q", m.Subject)
	}
	if !strings.Contains(m.From, "Bücher & Söhne") || !strings.Contains(m.From, "<hearth@example.org>") {
		t.Errorf("from %q", m.From)
	}
	head, _, _ := strings.Cut(m.Raw, "\r\n\r\n")
	for _, c := range head {
		if c > 127 {
			t.Errorf("the head has a bare %q:\n%s", c, head)
			break
		}
	}
	const link = "https://chat.example.org/reset#1.token"
	if m.Link() != link || !strings.Contains(m.HTML, `href="`+link+`"`) || !strings.Contains(m.HTML, "Bücher &amp; Söhne") || !strings.Contains(m.Text, "Hello ann,") {
		t.Errorf("text\n%s\nHTML\n%s", m.Text, m.HTML)
	}
	for _, want := range []string{"Auto-Submitted: auto-generated", "Message-ID: <", "Date: "} {
		if !strings.Contains(head, want) {
			t.Errorf("the head lacks %q:\n%s", want, head)
		}
	}
}

// TestNamesStayInTheirPlace gives a letter names that mean something in a head and in HTML.
func TestNamesStayInTheirPlace(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	l := compose(store.PurposeVerify, store.User{Username: "<b>ann", Email: "ann@example.org"}, "token", "Den\r\nBcc: eve@example.org\r\n\r\n<script>", "https://chat.example.org")
	if err := towards(there, SecurityNone).send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	m := there.Next(t)
	if m.Subject != "Confirm your e-mail address for Den Bcc: eve@example.org <script>" || strings.Contains(m.Raw, "\nBcc:") {
		t.Errorf("the mail came as\n%s", m.Raw)
	}
	if strings.Contains(m.HTML, "<script>") || strings.Contains(m.HTML, "<b>ann") {
		t.Errorf("HTML\n%s", m.HTML)
	}
}

func TestSendRefused(t *testing.T) {
	const words = "who is ann@example.org"
	tests := []struct {
		name      string
		there     mailtest.Options
		adjust    func(*mailtest.Server, *Server)
		forGood   bool
		thisAlone bool
		said      string
	}{
		{"no such person", mailtest.Options{}, func(there *mailtest.Server, _ *Server) {
			there.Answer(func(string) error { return mailtest.Refusal(550, words) })
		}, true, true, "code 550"},
		{"not now", mailtest.Options{}, func(there *mailtest.Server, _ *Server) {
			there.Answer(func(string) error { return mailtest.Refusal(451, words) })
		}, false, true, "code 451"},
		{"a wrong password", mailtest.Options{StartTLS: true, User: "hearth", Password: "s3cret"}, func(_ *mailtest.Server, s *Server) {
			s.Security, s.User, s.Password = SecurityStartTLS, "hearth", "hunter2"
		}, false, false, "code 535"},
		{"a sign-in left out", mailtest.Options{User: "hearth", Password: "s3cret"}, func(*mailtest.Server, *Server) {}, false, false, "code 502"},
		{"no STARTTLS there", mailtest.Options{}, func(_ *mailtest.Server, s *Server) { s.Security = SecurityStartTLS }, false, false, "does not offer"},
		{"no TLS there", mailtest.Options{}, func(_ *mailtest.Server, s *Server) { s.Security = SecurityTLS }, false, false, "does not begin with TLS"},
		{"a certificate of a stranger", mailtest.Options{StartTLS: true}, func(_ *mailtest.Server, s *Server) {
			s.Security, s.roots = SecurityStartTLS, x509.NewCertPool()
		}, false, false, "certificate"},
		{"a certificate of a stranger, from the start", mailtest.Options{TLS: true}, func(_ *mailtest.Server, s *Server) {
			s.Security, s.roots = SecurityTLS, x509.NewCertPool()
		}, false, false, "certificate"},
		{"nobody there", mailtest.Options{}, func(_ *mailtest.Server, s *Server) { s.Port = closedPort(t) }, false, false, "connection refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			there := mailtest.Start(t, tt.there)
			s := towards(there, SecurityNone)
			tt.adjust(there, &s)
			err := s.send(t.Context(), aLetter())
			if err == nil {
				t.Fatal("it was sent")
			}
			forGood, thisAlone, said := trouble(err)
			if forGood != tt.forGood || thisAlone != tt.thisAlone || !strings.Contains(said, tt.said) {
				t.Errorf("%v: for good %t, this alone %t, said %q", err, forGood, thisAlone, said)
			}
			for _, secret := range []string{"ann@", "hunter2", "s3cret", "who is", "1.token"} {
				if strings.Contains(said, secret) {
					t.Errorf("%q is said in %q", secret, said)
				}
			}
			if n := there.Waiting(); n != 0 {
				t.Errorf("%d mails came", n)
			}
		})
	}
}

// closedPort is one where nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// TestSilentServer never gets an answer, at each point where there may be none.
func TestSilentServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	mute := listener.Addr().(*net.TCPAddr).Port
	half := mailtest.Start(t, mailtest.Options{})
	over := make(chan struct{})
	half.Answer(func(string) error { <-over; return nil })
	t.Cleanup(func() { close(over) })
	for name, s := range map[string]Server{
		"before the greeting": {Port: mute, Security: SecurityNone}, "before TLS": {Port: mute, Security: SecurityTLS},
		"before the mail": {Port: half.Port, Security: SecurityNone},
	} {
		t.Run(name, func(t *testing.T) {
			s.Host, s.From, s.Timeout = "127.0.0.1", &mail.Address{Address: "hearth@example.org"}, 100*time.Millisecond
			err := s.send(t.Context(), aLetter())
			if err == nil {
				t.Fatal("it was sent")
			}
			if forGood, thisAlone, said := trouble(err); forGood || thisAlone || !strings.Contains(said, "in time") {
				t.Errorf("%v: for good %t, this alone %t, said %q", err, forGood, thisAlone, said)
			}
		})
	}
}

func TestServerCheck(t *testing.T) {
	for _, tt := range []struct {
		s  Server
		ok bool
	}{
		{Server{Host: "mail.example.org", User: "u"}, true},
		{Server{Host: "mail.example.org", Security: SecurityNone}, true},
		{Server{Host: "mail.example.org", Security: SecurityNone, User: "u"}, false},
		{Server{Host: "localhost", Security: SecurityNone, User: "u"}, true},
		{Server{Host: "::1", Security: SecurityNone, User: "u"}, true},
		{Server{Host: "192.0.2.1", Security: SecurityNone, User: "u"}, false},
		{Server{Host: "mail.example.org", Port: 70000}, false},
	} {
		t.Run(fmt.Sprint(tt.s.Host, tt.s.Security, tt.s.Port), func(t *testing.T) {
			if err := tt.s.Check(); (err == nil) != tt.ok {
				t.Errorf("Check = %v", err)
			}
		})
	}
}
