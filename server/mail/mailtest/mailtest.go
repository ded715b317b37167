// Package mailtest is a mail server for tests: it takes mails over real connections and
// hands them to the test.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// patience is how long a test waits for a mail that must come.
const patience = 30 * time.Second

// Options adjust a Server. The zero value speaks in the clear and takes everything.
type Options struct {
	StartTLS bool // offers STARTTLS
	TLS      bool // TLS from the first byte
	User     string
	Password string // required of who sends, if there is a User
}

// Mail is one that arrived.
type Mail struct {
	Sender, Recipient string // of the envelope
	From, Subject     string // decoded
	Text, HTML        string
	Raw               string
	Encrypted         bool
	User              string // who signed in
}

var links = regexp.MustCompile(`https?://\S+`)

// Link returns the first address in the text.
func (m Mail) Link() string { return links.FindString(m.Text) }

// Token returns what stands behind the # of the link.
func (m Mail) Token() string {
	_, token, _ := strings.Cut(m.Link(), "#")
	return token
}

// Server is a mail server at Host and Port.
type Server struct {
	Host  string
	Port  int
	Roots *x509.CertPool // in which its certificate counts, for Host

	options Options
	smtp    *smtp.Server
	mails   chan Mail

	mu     sync.Mutex
	answer func(recipient string) error
}

// Start runs a mail server until the test ends.
func Start(t *testing.T, o Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, options: o, mails: make(chan Mail, 100),
		answer: func(string) error { return nil },
	}
	certificate := s.certify(t)
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	s.smtp.Domain, s.smtp.AllowInsecureAuth, s.smtp.EnableSMTPUTF8 = "mail.example.org", true, true
	s.smtp.ErrorLog = silent{}
	switch secure := (&tls.Config{Certificates: []tls.Certificate{certificate}}); {
	case o.TLS:
		listener = tls.NewListener(listener, secure)
	case o.StartTLS:
		s.smtp.TLSConfig = secure
	}
	ended := make(chan struct{})
	go func() {
		_ = s.smtp.Serve(listener) // until closed
		close(ended)
	}()
	t.Cleanup(func() {
		_ = s.smtp.Close()
		<-ended
	})
	return s
}

// silent keeps handshakes that tests break off out of their output.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// certify makes a certificate for this machine.
func (s *Server) certify(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mailtest"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(s.Host)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if about, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(about)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// Answer sets what is said to each recipient from now on; nil takes the mail. It may block.
func (s *Server) Answer(answer func(recipient string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// Refusal is an answer with a code and words.
func Refusal(code int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: words}
}

// Next returns the next mail that arrives.
func (s *Server) Next(t *testing.T) Mail {
	t.Helper()
	select {
	case m := <-s.mails:
		return m
	case <-time.After(patience):
		t.Fatal("no mail came")
		return Mail{}
	}
}

// Waiting returns how many mails arrived and were not asked for.
func (s *Server) Waiting() int { return len(s.mails) }

// session is one connection.
type session struct {
	server *Server
	conn   *smtp.Conn
	mail   Mail
	user   string
}

// AuthMechanisms lists what is offered to sign in with.
func (s *session) AuthMechanisms() []string {
	if s.server.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks who signs in.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if o := s.server.options; user != o.User || password != o.Password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no such account: " + user + " " + password}
		}
		s.user = user
		return nil
	}), nil
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.user != s.server.options.User {
		return smtp.ErrAuthRequired
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.mail = Mail{Sender: from, User: s.user, Encrypted: encrypted}
	return nil
}

// Rcpt takes a recipient or refuses it.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	answer := s.server.answer
	s.server.mu.Unlock()
	s.mail.Recipient = to
	return answer(to)
}

// Data takes the mail.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Raw = string(raw)
	if err := s.mail.read(); err != nil {
		return err
	}
	select {
	case s.server.mails <- s.mail:
		return nil
	default:
		return errors.New("nobody asks for these mails")
	}
}

// Reset forgets a mail that was begun.
func (s *session) Reset() { s.mail = Mail{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// read takes a mail apart.
func (m *Mail) read() error {
	whole, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		return err
	}
	var words mime.WordDecoder
	if m.Subject, err = words.DecodeHeader(whole.Header.Get("Subject")); err != nil {
		return err
	}
	if m.From, err = words.DecodeHeader(whole.Header.Get("From")); err != nil {
		return err
	}
	_, parameters, err := mime.ParseMediaType(whole.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(whole.Body, parameters["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var body io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = string(text)
		} else {
			m.Text = string(text)
		}
	}
}
