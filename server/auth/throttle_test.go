package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

var (
	home1 = netip.MustParseAddr("192.0.2.1")
	away  = netip.MustParseAddr("198.51.100.7")
)

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *testClock { return &testClock{now: testStart} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// address is one of as many addresses as a case needs.
func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// wantLimited requires that err asks to come back after about wait.
func wantLimited(t *testing.T, what string, err error, wait time.Duration) {
	t.Helper()
	var f *store.Fault
	if !errors.Is(err, store.ErrLimited) || !errors.As(err, &f) {
		t.Errorf("%s: %v, want ErrLimited", what, err)
		return
	}
	if most := wait + min(wait/10, 10*time.Second); f.RetryAfter < wait || f.RetryAfter > most {
		t.Errorf("%s: come back after %v, want %v to %v", what, f.RetryAfter, wait, most)
	}
}

func begin(t *testing.T, th *Throttle, account string, addr netip.Addr) *Attempt {
	t.Helper()
	a, err := th.Begin(account, addr)
	if err != nil {
		t.Fatalf("Begin(%s, %s): %v", account, addr, err)
	}
	return a
}

func TestAccountPauses(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	for i, hint := range []string{
		"4 more tries before a one-minute pause", "3 more tries before a one-minute pause", "2 more tries before a one-minute pause",
		"1 more try before a one-minute pause", "try again in 1 minute",
	} {
		if got := begin(t, th, "ann", address(i)).Failed(); got != hint {
			t.Errorf("failure %d: %q, want %q", i+1, got, hint)
		}
	}
	wantLimited(t, "the sixth", limit(th, "ann", away), time.Minute)
	begin(t, th, "bob", away).Void()
	clock.advance(59 * time.Second)
	wantLimited(t, "a second too early", limit(th, "ann", away), time.Second)
	for _, pause := range []time.Duration{2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		clock.advance(pause / 2)
		begin(t, th, "ann", away)
		wantLimited(t, "the next failure", limit(th, "ann", address(9)), pause)
	}
	for range 200 { // somebody who never gives up
		clock.advance(longestPause)
		begin(t, th, "ann", away)
		if a := th.accounts["ann"]; a.until.Sub(clock.Now()) > longestPause {
			t.Fatalf("a pause of %v", a.until.Sub(clock.Now()))
		}
	}
	clock.advance(longestPause)
	begin(t, th, "ann", away).Succeeded()
	for range accountFailures {
		begin(t, th, "ann", away)
	}
	wantLimited(t, "five after a success", limit(th, "ann", away), time.Minute)
}

// limit is the error of a guess.
func limit(th *Throttle, account string, addr netip.Addr) error {
	_, err := th.Begin(account, addr)
	return err
}

func TestFailuresAreForgiven(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	for range accountFailures - 1 {
		begin(t, th, "ann", away)
	}
	clock.advance(accountForgives)
	if got := begin(t, th, "ann", away).Failed(); got != "1 more try before a one-minute pause" {
		t.Errorf("after one was forgiven: %q", got)
	}
	clock.advance(time.Duration(accountFailures) * accountForgives)
	if got := begin(t, th, "ann", away).Failed(); got != "4 more tries before a one-minute pause" {
		t.Errorf("after all were forgiven: %q", got)
	}
}

func TestAddressPauses(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	for i := range addressFailures {
		begin(t, th, fmt.Sprint("account", i), away)
	}
	wantLimited(t, "the thirty-first", limit(th, "another", away), time.Minute)
	begin(t, th, "another", home1).Void()
	clock.advance(time.Minute)
	own := begin(t, th, "own", away)
	own.Succeeded() // takes back itself, not the others
	begin(t, th, "another", away)
	wantLimited(t, "after a success of one's own", limit(th, "third", away), 2*time.Minute)
}

func TestManyAtOnceAreNoWayAround(t *testing.T) {
	th := NewThrottle(ThrottleOptions{Now: newClock().Now})
	var begun atomic.Int32
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := th.Begin("ann", address(i)); err == nil {
				begun.Add(1)
			}
		})
	}
	wg.Wait()
	if begun.Load() != accountFailures {
		t.Errorf("%d guesses at once, want %d", begun.Load(), accountFailures)
	}
}

func TestStrangersCannotKeepOwnersOut(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	begin(t, th, "ann", home1).Succeeded()
	for range accountFailures {
		begin(t, th, "ann", away)
	}
	wantLimited(t, "a stranger", limit(th, "ann", away), time.Minute)
	begin(t, th, "ann", home1).Succeeded()
	wantLimited(t, "the stranger, after the owner", limit(th, "ann", away), time.Minute)
	for range accountFailures {
		begin(t, th, "ann", home1)
	}
	wantLimited(t, "the owner's place", limit(th, "ann", home1), time.Minute)
	clock.advance(homeLife)
	for range accountFailures {
		begin(t, th, "ann", away)
	}
	wantLimited(t, "a place that was forgotten", limit(th, "ann", home1), time.Minute)
}

func TestVoidAttemptsDoNotCount(t *testing.T) {
	th := NewThrottle(ThrottleOptions{Now: newClock().Now})
	for range 3 * addressFailures {
		begin(t, th, "ann", away).Void()
	}
	// Not even when they were the last one that was free.
	for range accountFailures - 1 {
		begin(t, th, "ann", away)
	}
	begin(t, th, "ann", away).Void()
	begin(t, th, "ann", away)
	wantLimited(t, "five that counted", limit(th, "ann", away), time.Minute)
}

func TestNetworksOfIPv6PauseTogether(t *testing.T) {
	th := NewThrottle(ThrottleOptions{Now: newClock().Now})
	for i := range addressFailures {
		begin(t, th, fmt.Sprint("account", i), netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%x", i+1)))
	}
	wantLimited(t, "another address of the network", limit(th, "x", netip.MustParseAddr("2001:db8:1:2:ffff::1")), time.Minute)
	begin(t, th, "x", netip.MustParseAddr("2001:db8:1:3::1"))
}

func TestRate(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	for i := range attemptsPerMinute {
		if err := th.Rate(away); err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	clock.advance(20 * time.Second)
	wantLimited(t, "one more", th.Rate(away), 40*time.Second)
	if err := th.Rate(home1); err != nil {
		t.Errorf("another address: %v", err)
	}
	clock.advance(40 * time.Second)
	if err := th.Rate(away); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	off := NewThrottle(ThrottleOptions{Now: clock.Now, NoRates: true})
	for range 10 * attemptsPerMinute {
		if err := off.Rate(away); err != nil {
			t.Fatalf("without rates: %v", err)
		}
	}
	for range accountFailures {
		begin(t, off, "ann", away)
	}
	wantLimited(t, "failures without rates", limit(off, "ann", away), time.Minute)
}

func TestTablesAreBounded(t *testing.T) {
	clock := newClock()
	th := NewThrottle(ThrottleOptions{Now: clock.Now})
	for range accountFailures + 1 {
		if a, err := th.Begin("guessed at", home1); err == nil {
			a.Failed()
		}
	}
	for i := range 2 * maxThrottled {
		if err := th.Rate(address(i)); err != nil {
			t.Fatal(err)
		}
		begin(t, th, fmt.Sprint("nobody", i), address(i))
		begin(t, th, fmt.Sprint("somebody", i), address(i)).Succeeded()
		for name, n := range map[string]int{"accounts": len(th.accounts), "addresses": len(th.addresses), "rates": len(th.rates), "homes": len(th.homes)} {
			if n > maxThrottled {
				t.Fatalf("%d %s are remembered", n, name)
			}
		}
	}
	wantLimited(t, "who failed most is remembered longest", limit(th, "guessed at", away), time.Minute)
}

func TestSpoken(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 second", 59 * time.Second: "59 seconds", time.Minute: "1 minute", 61 * time.Second: "2 minutes", 15 * time.Minute: "15 minutes",
	} {
		if got := spoken(d); got != want {
			t.Errorf("spoken(%v) = %q, want %q", d, got, want)
		}
	}
	if strings.Contains(spoken(0), "-") {
		t.Error("less than nothing")
	}
}
