package live

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// MaxFrame is the most bytes a client's frame may have.
const MaxFrame = 256 << 10

// ErrTooBig is what Conn.Read returns for a frame above MaxFrame.
var ErrTooBig = errors.New("frame too big")

// Conn is one WebSocket after its handshake. Reading belongs to the goroutine that called
// Serve. Of the writing methods only one is ever called at a time; what they are given are
// whole frames of the server's, and nobody else may write to the connection.
type Conn interface {
	// Read waits for the client's next text or binary message and returns its payload,
	// or ErrTooBig. heard is called meanwhile for each ping, with its payload, and for
	// each pong, with nil.
	Read(heard func(ping []byte)) ([]byte, error)

	// TryWrite writes what the network takes without waiting, which may be nothing.
	TryWrite(p []byte) (n int, err error)

	// Write waits until all of p is written or the write deadline has passed.
	Write(p []byte) (n int, err error)

	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error

	// Close ends the connection once what was written has had a moment to arrive. A
	// deadline set meanwhile, for both directions, cuts that moment short.
	Close() error
}

// Socket is what NewConn needs of a WebSocket library's server connection.
// *websocket.Conn of gorilla's package and of its fasthttp branch has these methods.
type Socket interface {
	NextReader() (messageType int, r io.Reader, err error)
	SetPingHandler(func(payload string) error)
	SetPongHandler(func(payload string) error)
	SetCloseHandler(func(code int, text string) error)
	NetConn() net.Conn
}

// linger is how long a closed connection may take to deliver what was written.
const linger = time.Second

// socketConn reads frames through a library and writes them itself.
type socketConn struct {
	ws  Socket
	net net.Conn
	raw syscall.RawConn // nil: nothing can be written without waiting
	try attempt
}

// attempt is what TryWrite hands to the file descriptor and gets back. Being kept, it
// costs nothing per write.
type attempt struct {
	run func(fd uintptr)
	p   []byte
	n   int
	err error
}

func (a *attempt) write(fd uintptr) {
	for {
		if a.n, a.err = syscall.Write(int(fd), a.p); a.err != syscall.EINTR {
			return
		}
	}
}

// NewConn returns the Conn of a WebSocket. The connection's handlers are replaced: it
// answers nothing by itself any more. Compression must be off.
func NewConn(ws Socket) Conn {
	c := &socketConn{ws: ws, net: ws.NetConn()}
	// The HTTP server recycles its wrapper; what is inside is this connection's alone.
	if w, ok := c.net.(interface{ UnsafeConn() net.Conn }); ok {
		c.net = w.UnsafeConn()
	}
	if s, ok := c.net.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw, c.try.run = raw, c.try.write
		}
	}
	ws.SetCloseHandler(func(int, string) error { return nil })
	return c
}

func (c *socketConn) Read(heard func(ping []byte)) ([]byte, error) {
	c.ws.SetPingHandler(func(p string) error { heard([]byte(p)); return nil })
	c.ws.SetPongHandler(func(string) error { heard(nil); return nil })
	_, r, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	p, err := io.ReadAll(io.LimitReader(r, MaxFrame+1))
	if err == nil && len(p) > MaxFrame {
		err = ErrTooBig
	}
	return p, err
}

// TryWrite goes to the file descriptor without net.Conn's lock, which a write that waits
// would hold.
func (c *socketConn) TryWrite(p []byte) (n int, err error) {
	if c.raw == nil {
		return 0, nil
	}
	c.try.p = p
	err = c.raw.Control(c.try.run)
	n, failed := max(c.try.n, 0), c.try.err
	c.try.p, c.try.n, c.try.err = nil, 0, nil
	if failed != nil && failed != syscall.EAGAIN {
		return n, failed
	}
	return n, err
}

func (c *socketConn) Write(p []byte) (int, error)        { return c.net.Write(p) }
func (c *socketConn) SetReadDeadline(t time.Time) error  { return c.net.SetReadDeadline(t) }
func (c *socketConn) SetWriteDeadline(t time.Time) error { return c.net.SetWriteDeadline(t) }

// Close says that nothing more comes and reads on for a moment: closing with unread input
// resets the connection, and the close frame would be lost on its way.
func (c *socketConn) Close() error {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		if c.net.SetReadDeadline(time.Now().Add(linger)) == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(c.net, MaxFrame))
		}
	}
	return c.net.Close()
}
