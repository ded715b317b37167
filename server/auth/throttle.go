package auth

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthchat/hearth/store"
)

// How guessing is slowed down. Failures are counted by account and by address; who has
// used up what is free pauses after every further one, twice as long each time. Failures
// are forgiven one by one, so nobody is shut out for good.
const (
	accountFailures = 5
	addressFailures = 30
	firstPause      = time.Minute
	longestPause    = 15 * time.Minute
	accountForgives = 10 * time.Minute // one failure
	addressForgives = 5 * time.Minute  // one failure

	// attemptsPerMinute bounds registrations and sign-ins of one address, good or bad.
	attemptsPerMinute = 120

	// mailsPerWindow bounds the mails to one address, so that nobody's mailbox is filled.
	mailsPerWindow = 5
	mailWindow     = time.Hour

	// homeLife is how long an account remembers the address of its last sign-in.
	homeLife = 30 * 24 * time.Hour
)

// maxThrottled bounds each table of the throttle. When one is full, what matters least
// by now is forgotten: about 2 MB at most.
const maxThrottled = 10_000

// ThrottleOptions adjust a Throttle.
type ThrottleOptions struct {
	NoRates bool             // HEARTH_LIMITS=off: any number of attempts and mails; failures still count
	Now     func() time.Time // nil means time.Now
}

// Throttle slows down guessing and floods. It lives in memory: a restart forgives.
type Throttle struct {
	now     func() time.Time
	noRates bool

	mu        sync.Mutex
	accounts  map[string]*failures
	addresses map[string]*failures
	rates     map[string]*window
	mails     map[string]*window
	homes     map[string]home
}

type failures struct {
	count int
	since time.Time // forgiving counts from here
	until time.Time // the pause ends here
}

type window struct {
	start time.Time
	count int
}

// home is where an account signed in last. Failures from there count apart, so that
// strangers who guess at an account cannot keep its owner out.
type home struct {
	network string
	at      time.Time
}

// NewThrottle returns a Throttle.
func NewThrottle(o ThrottleOptions) *Throttle {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Throttle{
		now: o.Now, noRates: o.NoRates,
		accounts: make(map[string]*failures), addresses: make(map[string]*failures),
		rates: make(map[string]*window), mails: make(map[string]*window), homes: make(map[string]home),
	}
}

// Rate counts one registration or sign-in of an address; ErrLimited past 120 a minute.
func (t *Throttle) Rate(addr netip.Addr) error {
	if t.noRates {
		return nil
	}
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := count(t.rates, network(addr), attemptsPerMinute, time.Minute, now); w != nil {
		return limited("Too many attempts from this address", w.start.Add(time.Minute).Sub(now))
	}
	return nil
}

// Mail counts one mail to an e-mail address and reports whether it may be sent: five an hour may.
func (t *Throttle) Mail(email string) bool {
	if t.noRates {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return count(t.mails, store.Fold(email), mailsPerWindow, mailWindow, t.now()) == nil
}

// count counts one more under key; if it is one too many, it returns the window that is full.
func count(table map[string]*window, key string, most int, length time.Duration, now time.Time) (full *window) {
	w := table[key]
	if w == nil || now.Sub(w.start) >= length {
		makeRoom(table, func(w *window) time.Time { return w.start.Add(length) }, now)
		w = &window{start: now}
		table[key] = w
	}
	if w.count >= most {
		return w
	}
	w.count++
	return nil
}

// Attempt is one guess at a secret. It counts as failed from the start, so that many at
// once are no way around the count. Exactly one of its methods ends it; Failed may be left out.
type Attempt struct {
	t       *Throttle
	account string // the account, for its home
	key     string // the entry in accounts
	network string

	byAccount, byAddress time.Time // the pauses that this failure began, if it is one

	left  int
	pause time.Duration
}

// Begin starts a guess at account, any text that names it, from an address. ErrLimited
// while the account or the address pauses; such guesses do not count.
func (t *Throttle) Begin(account string, addr netip.Addr) (*Attempt, error) {
	now, from := t.now(), network(addr)
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &Attempt{t: t, account: account, key: account, network: from}
	if h, ok := t.homes[account]; ok && h.network == from && now.Sub(h.at) < homeLife {
		a.key = account + "\x00" + from
	}
	byAccount := current(t.accounts, a.key, accountForgives, now)
	byAddress := current(t.addresses, from, addressForgives, now)
	if wait := max(byAccount.until.Sub(now), byAddress.until.Sub(now)); wait > 0 {
		return nil, limited("Too many failed attempts", wait)
	}
	keep(t.accounts, a.key, byAccount, accountForgives, now)
	keep(t.addresses, from, byAddress, addressForgives, now)
	a.byAccount = byAccount.charge(accountFailures, now)
	a.byAddress = byAddress.charge(addressFailures, now)
	a.left, a.pause = max(0, accountFailures-byAccount.count), max(0, a.byAccount.Sub(now))
	return a, nil
}

// Failed says, for the person who guessed, how many tries are left.
func (a *Attempt) Failed() string {
	switch {
	case a.pause > 0:
		return "try again in " + spoken(a.pause)
	case a.left == 1:
		return "1 more try before a one-minute pause"
	}
	return fmt.Sprintf("%d more tries before a one-minute pause", a.left)
}

// Succeeded forgives the account's failures and takes this one back from the address.
func (a *Attempt) Succeeded() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	delete(a.t.accounts, a.key)
	refund(a.t.addresses, a.network, a.byAddress)
	now := a.t.now()
	makeRoom(a.t.homes, func(h home) time.Time { return h.at.Add(homeLife) }, now)
	a.t.homes[a.account] = home{a.network, now}
}

// Void ends a guess that came to no answer.
func (a *Attempt) Void() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	refund(a.t.accounts, a.key, a.byAccount)
	refund(a.t.addresses, a.network, a.byAddress)
}

// current returns what counts against key now, forgiving what is due.
func current(table map[string]*failures, key string, forgives time.Duration, now time.Time) *failures {
	f := table[key]
	if f == nil {
		return &failures{since: now}
	}
	if due := int(now.Sub(f.since) / forgives); due > 0 {
		f.count = max(0, f.count-due)
		f.since = f.since.Add(time.Duration(due) * forgives)
	}
	if f.count == 0 {
		f.since = now
	}
	return f
}

func keep(table map[string]*failures, key string, f *failures, forgives time.Duration, now time.Time) {
	if table[key] == nil {
		makeRoom(table, func(f *failures) time.Time { return f.since.Add(time.Duration(f.count) * forgives) }, now)
		table[key] = f
	}
}

// charge counts a failure and, once the free ones are used up, begins a pause.
func (f *failures) charge(free int, now time.Time) (until time.Time) {
	f.count++
	if over := f.count - free; over >= 0 {
		f.until = now.Add(min(longestPause, firstPause<<min(over, 10)))
		return f.until
	}
	return time.Time{}
}

// refund takes back one failure, and the pause if that one began it.
func refund(table map[string]*failures, key string, until time.Time) {
	if f := table[key]; f != nil {
		f.count = max(0, f.count-1)
		if f.until.Equal(until) {
			f.until = time.Time{}
		}
	}
}

// makeRoom removes from a full table what has ended, and then the quarter that ends first.
func makeRoom[V any](table map[string]V, ends func(V) time.Time, now time.Time) {
	if len(table) < maxThrottled {
		return
	}
	keys := make([]string, 0, len(table))
	for key, v := range table {
		if ends(v).After(now) {
			keys = append(keys, key)
		} else {
			delete(table, key)
		}
	}
	if len(table) < maxThrottled*3/4 {
		return
	}
	slices.SortFunc(keys, func(a, b string) int { return ends(table[a]).Compare(ends(table[b])) })
	for _, key := range keys[:len(keys)-maxThrottled*3/4] {
		delete(table, key)
	}
}

func limited(text string, wait time.Duration) error {
	wait = max(wait, time.Second)
	return &store.Fault{Kind: store.ErrLimited, Code: "too_many_attempts", Text: text, Details: "try again in " + spoken(wait), RetryAfter: jitter(wait)}
}

// jitter adds up to a tenth, at most ten seconds, so that those who wait do not come
// back all at once.
func jitter(wait time.Duration) time.Duration {
	return wait + rand.N(min(wait/10, 10*time.Second)+1)
}

// spoken is a duration in words, rounded up: "40 seconds", "2 minutes".
func spoken(d time.Duration) string {
	n, unit := int((d+time.Second-1)/time.Second), "second"
	if n >= 60 {
		n, unit = (n+59)/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
