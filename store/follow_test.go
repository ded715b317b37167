package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// memoryLog is a log in memory, of changes 1 to head of which those up to gone are trimmed.
type memoryLog struct {
	mu      sync.Mutex
	epoch   uint64
	head    uint64
	gone    uint64
	grown   chan struct{}
	fails   error
	relayed []UserChange
}

func newMemoryLog(head, gone uint64) *memoryLog {
	return &memoryLog{epoch: 1, head: head, gone: gone, grown: make(chan struct{})}
}

func (l *memoryLog) grow(n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head += n
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *memoryLog) Head(context.Context) (Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{l.epoch, l.head}, nil
}

func (l *memoryLog) Changes(_ context.Context, after Position, limit int) ([]Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return nil, l.fails
	}
	if after.Epoch != l.epoch || after.Seq < l.gone {
		return nil, ErrExpired
	}
	var changes []Change
	for seq := after.Seq + 1; seq <= l.head && len(changes) < limit; seq++ {
		changes = append(changes, Change{Position: Position{l.epoch, seq}})
	}
	return changes, nil
}

func (l *memoryLog) Wait(ctx context.Context, after Position) error {
	l.mu.Lock()
	grown, there := l.grown, l.head > after.Seq
	l.mu.Unlock()
	if there {
		return nil
	}
	select {
	case <-grown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *memoryLog) Trim(context.Context, Position) error { return nil }

func (l *memoryLog) RelayUsers(_ context.Context, changes []UserChange) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return l.fails
	}
	l.relayed = append(l.relayed, changes...)
	return nil
}

func (l *memoryLog) UsersRelayed(context.Context) (Revision, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.relayed) == 0 {
		return 0, nil
	}
	return l.relayed[len(l.relayed)-1].Revision, nil
}

// memoryFollower remembers what it was given.
type memoryFollower struct {
	at      Position
	log     *memoryLog
	batches []int
	seen    []uint64
	built   int
	fails   error
}

func (f *memoryFollower) Position(context.Context) (Position, error) { return f.at, nil }

func (f *memoryFollower) Apply(_ context.Context, changes []Change) error {
	if f.fails != nil {
		return f.fails
	}
	f.batches = append(f.batches, len(changes))
	for _, c := range changes {
		f.seen = append(f.seen, c.Position.Seq)
		f.at = c.Position
	}
	return nil
}

func (f *memoryFollower) Rebuild(ctx context.Context) (Position, error) {
	f.built++
	return f.log.Head(ctx)
}

// wantSeen requires that the follower saw from through through, each once and in order.
func (f *memoryFollower) wantSeen(t *testing.T, from, through uint64) {
	t.Helper()
	var want []uint64
	for seq := from; seq <= through; seq++ {
		want = append(want, seq)
	}
	if !slices.Equal(f.seen, want) {
		t.Errorf("saw %v, want %d to %d", f.seen, from, through)
	}
}

// following runs Follow until check returns, with everything at rest when check begins.
func following(t *testing.T, log *memoryLog, f *memoryFollower, check func()) {
	synctest.Test(t, func(t *testing.T) {
		log.grown = make(chan struct{}) // of this bubble
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Follow(ctx, log, f) }()
		synctest.Wait()
		check()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Follow = %v after its context ended, want nil", err)
		}
	})
}

func TestFollow(t *testing.T) {
	log := newMemoryLog(2500, 0)
	f := &memoryFollower{at: Position{1, 10}, log: log}
	following(t, log, f, func() {
		f.wantSeen(t, 11, 2500)
		if !slices.Equal(f.batches, []int{1000, 1000, 490}) {
			t.Errorf("batches = %v, want at most 1000 at once", f.batches)
		}
		log.grow(3)
		synctest.Wait()
		f.wantSeen(t, 11, 2503)
	})
	if f.built != 0 {
		t.Errorf("rebuilt %d times", f.built)
	}
}

func TestFollowRebuilds(t *testing.T) {
	for name, at := range map[string]Position{"trimmed": {1, 10}, "of another epoch": {2, 90}} {
		t.Run(name, func(t *testing.T) {
			log := newMemoryLog(100, 50)
			f := &memoryFollower{at: at, log: log}
			following(t, log, f, func() {
				log.grow(2)
				synctest.Wait()
				f.wantSeen(t, 101, 102)
			})
			if f.built != 1 {
				t.Errorf("rebuilt %d times, want once", f.built)
			}
		})
	}
}

func TestFollowFails(t *testing.T) {
	broken := errors.New("broken")
	for name, prepare := range map[string]func(*memoryLog, *memoryFollower){
		"the log":      func(l *memoryLog, _ *memoryFollower) { l.fails = broken },
		"the follower": func(_ *memoryLog, f *memoryFollower) { f.fails = broken },
	} {
		t.Run(name, func(t *testing.T) {
			log := newMemoryLog(10, 0)
			f := &memoryFollower{at: Position{1, 3}, log: log}
			prepare(log, f)
			if err := Follow(t.Context(), log, f); !errors.Is(err, broken) {
				t.Errorf("Follow = %v, want %v", err, broken)
			}
			if len(f.seen) != 0 || f.at.Seq != 3 {
				t.Errorf("follower went to %v, want it where it was", f.at)
			}
		})
	}
}

// memoryUsers has only the two methods that Relay needs.
type memoryUsers struct {
	Users
	log     *memoryLog // its lock and wake-up
	changes []UserChange
}

func (u *memoryUsers) ChangedUsers(_ context.Context, after Revision, limit int) ([]UserChange, error) {
	u.log.mu.Lock()
	defer u.log.mu.Unlock()
	var changes []UserChange
	for _, c := range u.changes {
		if c.Revision > after && len(changes) < limit {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

func (u *memoryUsers) WaitUsers(ctx context.Context, after Revision) error {
	u.log.mu.Lock()
	grown := u.log.grown
	u.log.mu.Unlock()
	select {
	case <-grown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (u *memoryUsers) change(n int) {
	u.log.mu.Lock()
	for range n {
		u.changes = append(u.changes, UserChange{Revision: Revision(len(u.changes) + 1), User: 7, Edited: true})
	}
	u.log.mu.Unlock()
	u.log.grow(1)
}

func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newMemoryLog(0, 0)
		users := &memoryUsers{log: log}
		users.change(1500)
		log.relayed = slices.Clone(users.changes[:20]) // an earlier run came so far
		settled := slices.Clone(users.changes[:20])
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() {
				ended <- Relay(ctx, users, log, func(_ context.Context, c UserChange) error {
					settled = append(settled, c)
					return nil
				})
			}()
			synctest.Wait()
			if !slices.Equal(log.relayed, users.changes) {
				t.Errorf("relayed %d changes, want all %d once", len(log.relayed), len(users.changes))
			}
			users.change(3)
			synctest.Wait()
			if !slices.Equal(log.relayed, users.changes) {
				t.Errorf("relayed %d changes, want all %d once", len(log.relayed), len(users.changes))
			}
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Relay = %v after its context ended, want nil", err)
			}
			if !slices.Equal(settled, users.changes) {
				t.Errorf("settled %d changes, want all %d once", len(settled), len(users.changes))
			}
		}
	})
}

func TestRelayFails(t *testing.T) {
	log := newMemoryLog(0, 0)
	users := &memoryUsers{log: log}
	users.change(1)
	log.fails = errors.New("broken")
	if err := Relay(t.Context(), users, log, nil); !errors.Is(err, log.fails) {
		t.Errorf("Relay = %v, want %v", err, log.fails)
	}
}
