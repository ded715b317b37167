package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/hearthchat/hearth/store"
)

// The cost of a hash is chosen on first use: the highest of these that takes no longer
// than calibrateTo on this machine.
const (
	minCost     = 10
	maxCost     = 12
	calibrateTo = 250 * time.Millisecond

	// maxForeignCost is the highest cost of an imported hash that is compared at all: one
	// of 31 would keep a core busy for days.
	maxForeignCost = 15

	// maxWaiting is how many sign-ins may wait for a slot; more are told to come back.
	maxWaiting = 256
	waitHint   = 5 * time.Second
)

// PasswordOptions adjust Passwords. The zero value is right outside of tests.
type PasswordOptions struct {
	Cost  int // of bcrypt; 0: 10 to 12, measured at the first use
	Slots int // how many hashes are computed at once; 0: half of the processors, at least 1
}

// Passwords hashes and compares passwords, a few at a time: bcrypt takes a core for a
// quarter of a second, and sign-ins must not starve the conversation.
type Passwords struct {
	slots   chan struct{}
	waiting atomic.Int64
	cost    func() int // measured by the first call

	// The two below are bcrypt's own; tests watch them.
	generate func(password []byte, cost int) ([]byte, error)
	compare  func(hash, password []byte) error
}

// NewPasswords returns Passwords.
func NewPasswords(o PasswordOptions) *Passwords {
	if o.Slots <= 0 {
		o.Slots = max(1, runtime.NumCPU()/2)
	}
	return &Passwords{
		slots: make(chan struct{}, o.Slots),
		cost: sync.OnceValue(func() int {
			if o.Cost != 0 {
				return o.Cost
			}
			return fitting(measure())
		}),
		generate: bcrypt.GenerateFromPassword, compare: bcrypt.CompareHashAndPassword,
	}
}

// Hash returns the bcrypt hash of a new password. More than 72 bytes are ErrInvalid;
// ErrUnavailable when too many wait already.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > store.MaxPassword {
		return "", store.Invalid("password", "must be 8 to 72 bytes long")
	}
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	hash, err := p.generate([]byte(password), p.cost())
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return string(hash), nil
}

// Verify reports whether hash is of password. It takes as long for a hash that is empty
// (no such account), unreadable or of a lower cost as for one made here.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	// bcrypt reads no more than this, and neither did who made an imported hash.
	secret := []byte(password[:min(len(password), store.MaxPassword)])
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || cost > maxForeignCost {
		_ = p.compare(dummy(p.cost()), secret)
		return false, nil
	}
	switch err := p.compare([]byte(hash), secret); {
	case err == nil:
		return true, nil
	case !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		_ = p.compare(dummy(p.cost()), secret)
		return false, nil
	}
	// Each cost takes twice as long as the one below, so these add up to what is missing.
	for ; cost < p.cost(); cost++ {
		_ = p.compare(dummy(cost), secret)
	}
	return false, nil
}

// NeedsRehash reports whether a hash is cheaper to guess than one made now.
func (p *Passwords) NeedsRehash(hash string) bool {
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && cost < p.cost()
}

// dummy is a well-formed hash of no known password.
func dummy(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", cost)
}

// enter waits for a slot.
func (p *Passwords) enter(ctx context.Context) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxWaiting {
		return &store.Fault{Kind: store.ErrUnavailable, Code: "busy", Text: "Too many people are signing in at this moment", RetryAfter: jitter(waitHint)}
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a sign-in slot: %w", ctx.Err())
	}
}

func (p *Passwords) leave() { <-p.slots }

// measure returns how long a comparison of the lowest cost takes.
func measure() time.Duration {
	start := time.Now()
	_ = bcrypt.CompareHashAndPassword(dummy(minCost), []byte("how long does this take?"))
	return time.Since(start)
}

// fitting is the cost that fits, given how long the lowest takes.
func fitting(lowest time.Duration) int {
	cost := minCost
	for took := lowest * 2; cost < maxCost && took <= calibrateTo; took *= 2 {
		cost++
	}
	return cost
}
