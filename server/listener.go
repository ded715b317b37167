package server

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

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
	exempt func(netip.Addr) bool

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// Accept passes over connections of addresses that hold enough of them.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		tcp, ok := c.(*net.TCPConn)
		if err != nil || !ok {
			return c, err
		}
		if release, ok := l.admit(tcp.RemoteAddr()); ok {
			return &conn{TCPConn: tcp, release: release}, nil
		}
		_ = tcp.SetLinger(0) // nobody waits for what is refused
		_ = tcp.Close()
	}
}

// admit counts a connection until release is called.
func (l *listener) admit(remote net.Addr) (release func(), ok bool) {
	at, err := netip.ParseAddrPort(remote.String())
	addr := at.Addr().Unmap().WithZone("")
	if err != nil || l.exempt(addr) {
		return func() {}, true
	}
	key := network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key] >= maxPerAddress {
		return nil, false
	}
	l.open[key]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[key]--; l.open[key] == 0 {
			delete(l.open, key)
		}
	}), true
}

// conn is a connection with all that TCP can do, which sockets need.
type conn struct {
	*net.TCPConn
	release func()
	linger  atomic.Bool // read the rest of the input before closing
}

func (c *conn) Close() error {
	defer c.release()
	if c.linger.Swap(false) && c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.TCPConn, lingerBytes))
	}
	return c.TCPConn.Close()
}
