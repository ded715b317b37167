package server

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
)

// A client that is still sending when its request is refused would lose the answer: closing
// a connection with unread input resets it. So the rest is read away first, this much and
// this long at most.
const (
	lingerBytes = 32 << 20
	lingerTime  = 2 * time.Second
)

// maxPerAddress is how many connections an address may hold: its sockets, and enough for
// a whole office behind one router.
const maxPerAddress = live.MaxSocketsPerAddress + 3000

// listener hands out connections that can linger, and to no address too many.
type listener struct {
	net.Listener
	service *compat.Service // that answers here; nil: everything does
	*connections
}

// connections are those of all listeners together.
type connections struct {
	exempt func(netip.Addr) bool

	mu    sync.Mutex
	open  map[netip.Prefix]int // by network, of those that count
	conns map[*conn]struct{}   // all of them
}

func newConnections(exempt func(netip.Addr) bool) *connections {
	return &connections{exempt: exempt, open: map[netip.Prefix]int{}, conns: map[*conn]struct{}{}}
}

// Accept passes over connections of addresses that hold enough of them.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		tcp, ok := c.(*net.TCPConn)
		if err != nil || !ok {
			return c, err
		}
		if c := l.admit(tcp); c != nil {
			return c, nil
		}
		_ = tcp.SetLinger(0) // nobody waits for what is refused
		_ = tcp.Close()
	}
}

// admit counts a connection until it is closed; nil when its address has enough.
func (l *listener) admit(tcp *net.TCPConn) *conn {
	c := &conn{TCPConn: tcp, from: l.connections, service: l.service}
	if at, err := netip.ParseAddrPort(tcp.RemoteAddr().String()); err == nil {
		if addr := at.Addr().Unmap().WithZone(""); !l.exempt(addr) {
			c.counted = network(addr)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.counted.IsValid() {
		if l.open[c.counted] >= maxPerAddress {
			return nil
		}
		l.open[c.counted]++
	}
	l.conns[c] = struct{}{}
	return c
}

// release ends what admit began; more than once is fine.
func (l *connections) release(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, open := l.conns[c]; !open {
		return
	}
	delete(l.conns, c)
	if !c.counted.IsValid() {
		return
	}
	if l.open[c.counted]--; l.open[c.counted] == 0 {
		delete(l.open, c.counted)
	}
}

// hangUp closes connections: all of them, or those on which nothing was ever heard, as
// browsers open them for later.
func (l *connections) hangUp(all bool) {
	l.mu.Lock()
	var closing []*conn
	for c := range l.conns {
		if all || !c.heard.Load() {
			closing = append(closing, c)
		}
	}
	l.mu.Unlock()
	for _, c := range closing {
		_ = c.Close()
	}
}

// conn is a connection with all that TCP can do, which sockets need.
type conn struct {
	*net.TCPConn
	from    *connections
	service *compat.Service // that answers here; nil: everything does
	counted netip.Prefix    // zero: exempt
	heard   atomic.Bool     // something was read
	linger  atomic.Bool     // read the rest of the input before closing
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 && !c.heard.Load() {
		c.heard.Store(true)
	}
	return n, err
}

func (c *conn) Close() error {
	defer c.from.release(c)
	if c.linger.Swap(false) && c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.TCPConn, lingerBytes))
	}
	return c.TCPConn.Close()
}
