package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Security is how a connection to a mail server is protected.
type Security string

// The ways of protection.
const (
	SecurityAuto     Security = "auto"     // as SecurityTLS on port 465, else as SecurityStartTLS
	SecurityStartTLS Security = "starttls" // begins in the clear and must become TLS before anything is said
	SecurityTLS      Security = "tls"      // TLS from the first byte
	SecurityNone     Security = "none"     // in the clear; passwords only to this machine
)

// Ports of mail servers.
const (
	submissionPort = 587
	implicitPort   = 465
)

// sendTimeout is how long one mail may take, from looking the server up to its last word.
const sendTimeout = 30 * time.Second

// Server says how to reach a mail server. Host and From are required.
type Server struct {
	Host     string
	Port     int           // 0 means 587
	User     string        // empty: no sign-in
	Password string        // of User
	Security Security      // empty means SecurityAuto
	From     *mail.Address // who the mails are from; without a Name, the workspace
	Timeout  time.Duration // for one mail; 0 means 30 s

	roots *x509.CertPool // whose certificates count; nil: the machine's own
}

// Check reports what cannot work.
func (s Server) Check() error {
	if s.Port < 0 || s.Port > 65535 {
		return errors.New("a port is a number from 1 to 65535")
	}
	if s.Security == SecurityNone && s.User != "" && !loopback(s.Host) {
		return errors.New("without TLS the password would cross the network in the clear")
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// send hands one letter over.
func (s Server) send(ctx context.Context, l letter) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, sendTimeout))
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return fmt.Errorf("prepare to send: %w", err)
	}
	message, err := s.message(l)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, message)
	if message.IsDelivered() { // what was said after that, such as at parting, changes nothing
		return nil
	}
	return err
}

func (s Server) client(ctx context.Context) (*gomail.Client, error) {
	port := cmp.Or(s.Port, submissionPort)
	fromStart := s.Security == SecurityTLS || port == implicitPort && cmp.Or(s.Security, SecurityAuto) == SecurityAuto
	secure := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(cmp.Or(s.Timeout, sendTimeout)), gomail.WithTLSConfig(secure),
		gomail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, network, address, fromStart, secure)
		}),
	}
	switch {
	case fromStart:
		options = append(options, gomail.WithSSL())
	case s.Security == SecurityNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		// The last two say the password as it is, which they refuse to do without TLS but
		// to this machine.
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.Host, options...)
}

// dial opens a connection that ends with ctx, whatever deadlines others set on it.
func dial(ctx context.Context, network, address string, fromStart bool, secure *tls.Config) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	bound := &boundConn{Conn: conn}
	bound.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if !fromStart {
		return bound, nil
	}
	inside := tls.Client(bound, secure)
	if err := inside.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, bound.Close())
	}
	return inside, nil
}

// boundConn is closed when its context ends.
type boundConn struct {
	net.Conn
	stop func() bool
}

func (c *boundConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// message puts a letter into its envelope.
func (s Server) message(l letter) (*gomail.Msg, error) {
	from := *s.From
	from.Name = cmp.Or(from.Name, l.place)
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&from)
	m.ToMailAddress(&mail.Address{Address: l.to})
	m.Subject(l.subject)
	m.SetDate()
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, l.text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.html)
	if len(m.GetTo()) != 1 || len(m.GetFrom()) != 1 {
		return nil, errRefused
	}
	return m, nil
}

// errRefused is a letter that nobody will ever take.
var errRefused = errors.New("no mail can be sent to this address")

// trouble says what an error of send means: gone for good, or about this mail alone and
// not about the mail server; and what may be logged of it.
func trouble(err error) (forGood, thisAlone bool, said string) {
	if errors.Is(err, errRefused) {
		return true, true, err.Error()
	}
	code := 0
	var sending *gomail.SendError
	if errors.As(err, &sending) {
		if code = sending.ErrorCode(); code == 0 {
			return false, false, "the mail server ended the connection, or did not answer in time: " + sending.Reason.String()
		}
		switch sending.Reason {
		case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
			thisAlone, forGood = code >= 400, code >= 500
		}
		return forGood, thisAlone, fmt.Sprintf("the mail server refused with code %d: %s", code, sending.Reason)
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return false, false, fmt.Sprintf("the mail server refused the connection or the sign-in with code %d", answer.Code)
	}
	return false, false, network(err)
}

// network describes an error that is no answer. Only kinds of error that cannot repeat
// what a mail server said are shown as they are.
func network(err error) string {
	var op *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed):
		return "the mail server did not answer in time"
	case errors.As(err, &certificate):
		return certificate.Error()
	case errors.As(err, &record):
		return "the mail server does not begin with TLS"
	case errors.As(err, &lookup):
		return lookup.Error()
	case errors.As(err, &op):
		if op.Timeout() {
			return "the mail server did not answer in time"
		}
		return op.Error()
	}
	return "the mail server does not offer what the settings ask for, or ended the connection"
}
