package server

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A client that is still sending when its request is refused would lose the answer: closing
// a connection with unread input resets it. So the rest is read away first, this much and
// this long at most.
const (
	lingerBytes = 32 << 20
	lingerTime  = 2 * time.Second
)

// listener hands out connections that can linger.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp}, err
	}
	return c, err
}

// conn is a connection with all that TCP can do, which sockets need.
type conn struct {
	*net.TCPConn
	linger atomic.Bool // read the rest of the input before closing
}

func (c *conn) Close() error {
	if c.linger.Swap(false) && c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.TCPConn, lingerBytes))
	}
	return c.TCPConn.Close()
}
