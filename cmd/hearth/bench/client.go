package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// client speaks HTTP over one connection that is kept open, one request at a time. It does
// no more than the bench needs, so that what is measured is the server.
type client struct {
	conn  net.Conn
	host  string
	token string
	in    []byte // what was read and not yet used is in[at:]
	at    int
	out   []byte
}

func dial(address, token string) (*client, error) {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &client{conn: c, host: address, token: token}, nil
}

func (c *client) Close() error { return c.conn.Close() }

// fill reads more behind what is there.
func (c *client) fill() error {
	switch {
	case c.at == len(c.in):
		c.in, c.at = c.in[:0], 0
	case len(c.in) == cap(c.in) && c.at > 0:
		c.in, c.at = c.in[:copy(c.in, c.in[c.at:])], 0
	}
	if len(c.in) == cap(c.in) {
		grown := make([]byte, len(c.in), max(4096, 2*cap(c.in)))
		c.in = grown[:copy(grown, c.in)]
	}
	n, err := c.conn.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

// need returns the next n bytes, which stay valid until the next call.
func (c *client) need(n int) ([]byte, error) {
	for len(c.in)-c.at < n {
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
	p := c.in[c.at : c.at+n]
	c.at += n
	return p, nil
}

// head returns the head of an answer.
func (c *client) head() ([]byte, error) {
	for {
		if i := bytes.Index(c.in[c.at:], []byte("\r\n\r\n")); i >= 0 {
			return c.need(i + 4)
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// request begins a request in c.out.
func (c *client) request(method, path, more string) {
	c.out = fmt.Appendf(c.out[:0], "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, c.host, more)
	if c.token != "" {
		c.out = append(append(append(c.out, "Authorization: Bearer "...), c.token...), "\r\n"...)
	}
}

// do makes a request and returns the answer, which stays valid until the next call.
func (c *client) do(method, path, more string, body []byte) (status int, answer []byte, err error) {
	c.request(method, path, more)
	if body != nil {
		c.out = fmt.Appendf(c.out, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	c.out = append(append(c.out, "\r\n"...), body...)
	if _, err = c.conn.Write(c.out); err != nil {
		return 0, nil, err
	}
	head, err := c.head()
	if err != nil {
		return 0, nil, err
	}
	if len(head) < 12 {
		return 0, nil, errors.New("this is no answer")
	}
	status, _ = strconv.Atoi(string(head[9:12]))
	length, ok := number(head, "Content-Length: ")
	if !ok {
		return status, nil, errors.New("an answer without Content-Length")
	}
	answer, err = c.need(int(length))
	return status, answer, err
}

// number returns the digits behind the first place where name stands.
func number(p []byte, name string) (n uint64, ok bool) {
	i := bytes.Index(p, []byte(name))
	if i < 0 {
		return 0, false
	}
	for _, digit := range p[i+len(name):] {
		if digit < '0' || digit > '9' {
			break
		}
		n, ok = n*10+uint64(digit-'0'), true
	}
	return n, ok
}

// closed is the code with which the server closed a socket.
type closed int

func (c closed) Error() string { return "the server closed the socket with " + strconv.Itoa(int(c)) }

// socket is a WebSocket. One goroutine may send while another reads.
type socket struct {
	*client
	frame []byte // the sender's
}

// open makes a WebSocket and returns it with the server's hello.
func open(address, path, token string) (s *socket, hello []byte, err error) {
	c, err := dial(address, token)
	if err != nil {
		return nil, nil, err
	}
	s = &socket{client: c}
	if hello, err = s.shake(path); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a socket: %w", err), c.Close())
	}
	return s, hello, nil
}

func (s *socket) shake(path string) (hello []byte, err error) {
	s.request("GET", path, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aGVhcnRoIG1lYXN1cmVzIQ==\r\n")
	if _, err := s.conn.Write(append(s.out, "\r\n"...)); err != nil {
		return nil, err
	}
	s.out = nil
	head, err := s.head()
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
		return nil, fmt.Errorf("the server answered %q", bytes.SplitN(head, []byte("\r\n"), 2)[0])
	}
	if hello, err = s.next(); err == nil && !isKind(hello, "hello") {
		err = fmt.Errorf("the first frame is %.80s", hello)
	}
	return hello, err
}

// Opcodes and bits of frames.
const (
	opText   = 0x81
	opClose  = 0x88
	opPing   = 0x89
	opPong   = 0x8a
	maskBit  = 0x80
	maskSize = 4
)

// next returns the next text of the server, which stays valid until the next call. It
// answers pings meanwhile. The error is closed when the server ends the socket.
func (s *socket) next() ([]byte, error) {
	for {
		head, err := s.need(2)
		if err != nil {
			return nil, err
		}
		op, size := head[0], int(head[1])
		switch size {
		case 126:
			if head, err = s.need(2); err == nil {
				size = int(binary.BigEndian.Uint16(head))
			}
		case 127:
			if head, err = s.need(8); err == nil {
				size = int(binary.BigEndian.Uint64(head))
			}
		}
		if err != nil {
			return nil, err
		}
		payload, err := s.need(size)
		if err != nil {
			return nil, err
		}
		switch op {
		case opText:
			return payload, nil
		case opPing:
			if _, err := s.conn.Write(appendFrame(nil, opPong, payload)); err != nil {
				return nil, err
			}
		case opClose:
			code := closed(1005)
			if len(payload) >= 2 {
				code = closed(binary.BigEndian.Uint16(payload))
			}
			return nil, code
		case opPong:
		default:
			return nil, fmt.Errorf("a frame of kind %#x", op)
		}
	}
}

// send sends a text.
func (s *socket) send(text []byte) error {
	s.frame = appendFrame(s.frame[:0], opText, text)
	_, err := s.conn.Write(s.frame)
	return err
}

// appendFrame masks with zeros, which leaves the bytes as they are: the rule is for browsers.
func appendFrame(f []byte, op byte, payload []byte) []byte {
	f = append(f, op)
	if len(payload) < 126 {
		f = append(f, maskBit|byte(len(payload)))
	} else {
		f = binary.BigEndian.AppendUint16(append(f, maskBit|126), uint16(len(payload)))
	}
	return append(append(f, make([]byte, maskSize)...), payload...)
}

// isKind reports whether a frame is of a type.
func isKind(frame []byte, kind string) bool {
	const begin = `{"type":"`
	return len(frame) > len(begin)+len(kind) && string(frame[len(begin):len(begin)+len(kind)]) == kind && frame[len(begin)+len(kind)] == '"'
}

// order checks that messages of one room come once each and in order.
type order struct{ last uint64 }

// took is told of each frame. It returns the place in the room of a message.
func (o *order) took(frame []byte) (seq uint64, isMessage bool, err error) {
	switch {
	case isKind(frame, "message"):
	case isKind(frame, "error"), isKind(frame, "resync"):
		return 0, false, fmt.Errorf("the server says %s", frame)
	default:
		return 0, false, nil
	}
	seq, ok := number(frame, `"seq":`)
	if !ok || seq != o.last+1 {
		return seq, true, fmt.Errorf("after message %d came %d: not once each and in order", o.last, seq)
	}
	o.last = seq
	return seq, true, nil
}

// until makes reads fail after a time.
func (c *client) until(t time.Time) { _ = c.conn.SetDeadline(t) }

// textField returns a field of a frame that holds nothing to be escaped.
func textField(p []byte, name string) (value string, ok bool) {
	_, after, found := bytes.Cut(p, []byte(`"`+name+`":"`))
	text, _, ended := bytes.Cut(after, []byte(`"`))
	return string(text), found && ended
}
