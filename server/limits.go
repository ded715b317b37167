package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hearthchat/hearth/server/chat"
)

// Refreshing and signing out take no account's allowance, for nobody is known before: they
// count by address, like an account's writes.
const (
	perSecond    = 50
	burst        = 200
	maxAddresses = 10_000
)

// limits is what each address may still ask without an account.
type limits struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[netip.Prefix]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, of: make(map[netip.Prefix]*rate.Limiter)}
}

// take uses up one request of an address, or says when to try again.
func (l *limits) take(addr netip.Addr) error {
	if l == nil {
		return nil
	}
	key, now := network(addr), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of[key]
	if of == nil {
		if len(l.of) >= maxAddresses {
			clear(l.of) // a flood from so many addresses is not held up by remembering them
		}
		of = rate.NewLimiter(perSecond, burst)
		l.of[key] = of
	}
	r := of.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return chat.TooMany(wait)
}

// network is what limits count by: an IPv4 address, or the /64 that one subscriber of IPv6
// has to choose addresses from.
func network(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}
