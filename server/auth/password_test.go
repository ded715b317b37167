package auth

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/hearthchat/hearth/store"
)

const testCost = bcrypt.MinCost

func hashed(t *testing.T, password string, cost int) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func TestVerifyPassword(t *testing.T) {
	p := NewPasswords(PasswordOptions{Cost: testCost})
	own, err := p.Hash(t.Context(), "password123")
	if err != nil || !strings.HasPrefix(own, "$2a$04$") {
		t.Fatalf("Hash = %q, %v", own, err)
	}
	long := strings.Repeat("0123456789", 8)
	imported := hashed(t, "imported", testCost)
	tests := []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", own, "password123", true},
		{"another", own, "password124", false},
		{"none", own, "", false},
		{"imported, $2a$", imported, "imported", true},
		{"imported, $2b$", "$2b$" + imported[4:], "imported", true},
		{"imported, $2b$, wrong", "$2b$" + imported[4:], "wrong", false},
		{"longer than bcrypt reads", hashed(t, long[:72], testCost), long, true},
		{"different within what it reads", hashed(t, long[:72], testCost), "x" + long[1:], false},
		{"no such account", "", "password123", false},
		{"no bcrypt hash", "5f4dcc3b5aa765d61d8327deb882cf99", "password", false},
		{"a broken hash", own[:40], "password123", false},
		{"a hash that takes days", "$2a$31$" + own[7:], "password123", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := p.Verify(t.Context(), tt.hash, tt.password); err != nil || got != tt.want {
				t.Errorf("Verify = %t, %v, want %t", got, err, tt.want)
			}
		})
	}
	if _, err := p.Hash(t.Context(), long); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("Hash of 80 bytes: %v, want ErrInvalid", err)
	}
}

// TestWrongPasswordsTakeTheSameTime adds up the work of each refusal: a comparison of one
// cost takes twice as long as one of the cost below.
func TestWrongPasswordsTakeTheSameTime(t *testing.T) {
	const cost = 7
	p := NewPasswords(PasswordOptions{Cost: cost})
	work := 0
	p.compare = func(hash, _ []byte) error {
		c, err := bcrypt.Cost(hash)
		if err != nil {
			t.Errorf("bcrypt refuses %s at once: %v", hash, err)
		}
		work += 1 << c
		return bcrypt.ErrMismatchedHashAndPassword
	}
	for name, hash := range map[string]string{
		"a hash made here": hashed(t, "x", cost), "no account": "", "a broken hash": "rubbish",
		"a cheaper hash": hashed(t, "x", 4), "a hash one cheaper": hashed(t, "x", cost-1), "a hash that takes days": "$2a$31$" + hashed(t, "x", 4)[7:],
	} {
		work = 0
		if ok, err := p.Verify(t.Context(), hash, "wrong"); ok || err != nil || work != 1<<cost {
			t.Errorf("%s: %t, %v after %d units of work, want %d", name, ok, err, work, 1<<cost)
		}
	}
	if err := bcrypt.CompareHashAndPassword(dummy(4), []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("the dummy hash is not compared in full: %v", err)
	}
}

func TestNeedsRehash(t *testing.T) {
	p := NewPasswords(PasswordOptions{Cost: 5})
	for hash, want := range map[string]bool{
		hashed(t, "x", 4): true, hashed(t, "x", 5): false, hashed(t, "x", 6): false, "": false, "rubbish": false,
	} {
		if got := p.NeedsRehash(hash); got != want {
			t.Errorf("NeedsRehash(%q) = %t", hash, got)
		}
	}
}

func TestCost(t *testing.T) {
	for took, want := range map[time.Duration]int{
		20 * time.Millisecond: 12, 60 * time.Millisecond: 12, 70 * time.Millisecond: 11, 125 * time.Millisecond: 11, 130 * time.Millisecond: 10, time.Second: 10,
	} {
		if got := fitting(took); got != want {
			t.Errorf("cost when the lowest takes %v = %d, want %d", took, got, want)
		}
	}
	p := NewPasswords(PasswordOptions{})
	if cost := p.cost(); cost < minCost || cost > maxCost || cost != p.cost() {
		t.Errorf("measured cost = %d", cost)
	}
	if want := max(1, runtime.NumCPU()/2); cap(p.slots) != want {
		t.Errorf("%d slots, want %d", cap(p.slots), want)
	}
}

// TestSlots lets many sign in at once and counts how many hashes are computed at a time.
func TestSlots(t *testing.T) {
	const slots, people = 2, 20
	p := NewPasswords(PasswordOptions{Cost: testCost, Slots: slots})
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	work := func() {
		mu.Lock()
		running++
		if most = max(most, running); running == slots {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full // the first ones wait until all slots are taken
		mu.Lock()
		running--
		mu.Unlock()
	}
	p.compare = func(hash, password []byte) error { work(); return bcrypt.CompareHashAndPassword(hash, password) }
	p.generate = func(password []byte, cost int) ([]byte, error) {
		work()
		return bcrypt.GenerateFromPassword(password, cost)
	}
	hash := hashed(t, "password123", testCost)
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			if i%2 == 0 {
				if ok, err := p.Verify(t.Context(), hash, "password123"); !ok || err != nil {
					t.Errorf("Verify = %t, %v", ok, err)
				}
			} else if _, err := p.Hash(t.Context(), "password123"); err != nil {
				t.Errorf("Hash: %v", err)
			}
		})
	}
	wg.Wait()
	if most != slots {
		t.Errorf("%d hashes at once, want %d", most, slots)
	}
}

func TestWaitingForASlot(t *testing.T) {
	p := NewPasswords(PasswordOptions{Cost: testCost, Slots: 1})
	p.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	for range maxWaiting {
		go func() {
			_, err := p.Hash(ctx, "password123")
			results <- err
		}()
	}
	for p.waiting.Load() < maxWaiting {
		runtime.Gosched()
	}
	_, err := p.Verify(ctx, "", "x")
	var f *store.Fault
	if !errors.Is(err, store.ErrUnavailable) || !errors.As(err, &f) || f.RetryAfter < waitHint {
		t.Errorf("one too many: %v, want ErrUnavailable with a time to come back", err)
	}
	cancel()
	for range maxWaiting {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Fatalf("who hung up: %v, want context.Canceled", err)
		}
	}
	<-p.slots
	if ok, err := p.Verify(t.Context(), hashed(t, "x", testCost), "x"); !ok || err != nil {
		t.Errorf("afterwards: %t, %v", ok, err)
	}
}

func TestExamplesAreNormal(t *testing.T) {
	for _, e := range examples {
		if len(e) < 8 || strings.ToLower(e) != e || slices.ContainsFunc([]byte(e), func(b byte) bool { return (b < 'a' || b > 'z') && (b < '0' || b > '9') }) {
			t.Errorf("%q never matches, or matches by chance", e)
		}
	}
}
