package chat

import (
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hearthchat/hearth/store"
)

// Rates per account.
const (
	postsPerSecond  = 20
	postsBurst      = 200
	writesPerSecond = 50
	writesBurst     = 200
)

// maxLimited is how many accounts are remembered at once; those whose allowance is full
// again are forgotten first.
const maxLimited = 10_000

// limits holds each account's allowance.
type limits struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[store.UserID]*allowance
}

type allowance struct {
	posts  *rate.Limiter
	writes *rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, of: make(map[store.UserID]*allowance)}
}

// post and write take one from an account's allowance, or say when to try again.
func (l *limits) post(id store.UserID) error {
	return l.take(id, func(a *allowance) *rate.Limiter { return a.posts })
}

func (l *limits) write(id store.UserID) error {
	return l.take(id, func(a *allowance) *rate.Limiter { return a.writes })
}

func (l *limits) take(id store.UserID, which func(*allowance) *rate.Limiter) error {
	if l == nil {
		return nil
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of[id]
	if a == nil {
		if len(l.of) >= maxLimited {
			l.forget(now)
		}
		a = &allowance{posts: rate.NewLimiter(postsPerSecond, postsBurst), writes: rate.NewLimiter(writesPerSecond, writesBurst)}
		l.of[id] = a
	}
	r := which(a).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return TooMany(wait)
}

// forget drops accounts that have their whole allowance; failing that, any one.
func (l *limits) forget(now time.Time) {
	for id, a := range l.of {
		if a.posts.TokensAt(now) >= postsBurst && a.writes.TokensAt(now) >= writesBurst {
			delete(l.of, id)
		}
	}
	for id := range l.of {
		if len(l.of) < maxLimited {
			return
		}
		delete(l.of, id)
	}
}

// TooMany is the refusal of what comes too fast. The delay is jittered, so that the
// refused do not come back together.
func TooMany(wait time.Duration) *store.Fault {
	wait += time.Duration(rand.Int64N(int64(wait)/4 + int64(250*time.Millisecond)))
	return &store.Fault{
		Kind: store.ErrLimited, Code: "rate_limited", Text: "Too many requests",
		Details: "try again in a moment", RetryAfter: wait,
	}
}
