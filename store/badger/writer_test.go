package badger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// together hands operations to the writer as one gathered batch and returns their errors.
func together(t *testing.T, s *Store, runs ...func(*tx) error) []error {
	t.Helper()
	enter, hold := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(runs))
	var all sync.WaitGroup
	all.Go(func() {
		// The writer is kept in this one while the others queue.
		if err := s.write(t.Context(), func(*tx) error { close(enter); <-hold; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-enter
	for i, run := range runs {
		all.Go(func() { errs[i] = s.write(t.Context(), run) })
		for len(s.queue) <= i {
			runtime.Gosched()
		}
	}
	close(hold)
	all.Wait()
	return errs
}

func setting(name string, value string) func(*tx) error {
	return func(t *tx) error {
		t.set(metaKey(name), []byte(value))
		t.log(store.Change{Kind: store.RoomEdited, Text: name})
		return nil
	}
}

func valueOf(t *testing.T, s *Store, name string) string {
	t.Helper()
	return string(look(t, s, func(r reader) ([]byte, error) {
		value, _, err := r.get(metaKey(name))
		return value, err
	}))
}

func TestOneBadOperationFailsAlone(t *testing.T) {
	s := openT(t, t.TempDir())
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad")
	errs := together(t, s,
		setting("a", "1"),
		func(t *tx) error {
			t.set(metaKey("a"), []byte("overwritten"))
			t.delete(metaKey(metaEpoch))
			t.set(metaKey("b"), []byte("made"))
			t.set(metaKey("b"), []byte("made again"))
			t.log(store.Change{Kind: store.RoomEdited, Text: "bad"})
			return bad
		},
		setting("c", "3"),
		func(*tx) error { panic("at the disco") },
		func(t *tx) error {
			if value, _, _ := t.get(metaKey("a")); string(value) != "1" {
				return fmt.Errorf("the batch holds %q", value)
			}
			if _, ok, _ := t.get(metaKey("b")); ok {
				return errors.New("what failed is still there")
			}
			return nil
		},
		setting("d", "4"),
	)
	for i, err := range errs {
		switch {
		case i == 1 && !errors.Is(err, bad), i == 3 && (err == nil || !strings.Contains(err.Error(), "at the disco")), i != 1 && i != 3 && err != nil:
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if a, b, d := valueOf(t, s, "a"), valueOf(t, s, "b"), valueOf(t, s, "d"); a != "1" || b != "" || d != "4" {
		t.Errorf("stored %q, %q, %q", a, b, d)
	}
	changes, err := s.Changes(t.Context(), head, 10)
	if err != nil || len(changes) != 3 || changes[2].Position.Seq != head.Seq+3 {
		t.Errorf("the log has %v, %v", changes, err)
	}
	if s.Err() != nil {
		t.Errorf("a bad operation stopped the store: %v", s.Err())
	}
}

func TestBatchesAreSplitBySize(t *testing.T) {
	s := openT(t, t.TempDir())
	big := strings.Repeat("x", s.txnBytes/3)
	var runs []func(*tx) error
	for i := range 8 {
		runs = append(runs, setting(fmt.Sprint("big", i), big))
	}
	runs = append(runs, func(t *tx) error {
		for i := range s.txnKeys + 1 {
			t.set(metaKey(fmt.Sprint("many", i)), present)
		}
		return nil
	}, setting("last", "1"))
	errs := together(t, s, runs...)
	for i, err := range errs {
		if tooBig := i == 8; tooBig != errors.Is(err, errTooBig) || !tooBig && err != nil {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	for i := range 8 {
		if got := valueOf(t, s, fmt.Sprint("big", i)); got != big {
			t.Errorf("value %d has %d bytes, want %d", i, len(got), len(big))
		}
	}
}

func TestTransactionTooBigAfterAll(t *testing.T) {
	s := openT(t, t.TempDir())
	// What the writer believes is wrong, so that Badger refuses.
	s.batchBytes, s.txnBytes = 1<<30, 1<<30
	big := strings.Repeat("x", mib/2)
	var runs []func(*tx) error
	for i := range 9 {
		runs = append(runs, setting(fmt.Sprint("big", i), big))
	}
	runs = append(runs, func(t *tx) error {
		for i := range 9 {
			t.set(metaKey(fmt.Sprint("huge", i)), []byte(big))
		}
		return nil
	})
	for i, err := range together(t, s, runs...) {
		if huge := i == 9; huge != (err != nil) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if s.Err() != nil || valueOf(t, s, "big8") != big {
		t.Errorf("after splitting: %v", s.Err())
	}
}

func TestLogOrderIsCommitOrder(t *testing.T) {
	s := openT(t, t.TempDir())
	rooms := []store.RoomID{newRoom(t, s, 1, 2), newRoom(t, s, 1, 2), newRoom(t, s, 1, 2)}
	start, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 64, 20
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if _, _, err := s.Append(t.Context(), store.Draft{Room: rooms[(w+i)%3], Author: 1 + store.UserID(w%2), Content: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// A follower that reads while they write sees each position once, and of each room
	// the numbers in order; what it sees is readable at once.
	at, seqs := start, make(map[store.RoomID]store.Seq)
	for n := 0; n < writers*each; {
		if err := s.Wait(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		changes, err := s.Changes(t.Context(), at, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Position.Seq != at.Seq+1 || seqs[c.Room] != 0 && c.Seq != seqs[c.Room]+1 {
				t.Fatalf("change %+v follows %v and message %d", c, at, seqs[c.Room])
			}
			if m, err := s.Message(t.Context(), c.Message); err != nil || m.Seq != c.Seq {
				t.Fatalf("message of change %+v: %+v, %v", c, m, err)
			}
			at, seqs[c.Room] = c.Position, c.Seq
			n++
		}
	}
	all.Wait()
	if found := problems(t, s); len(found) > 0 {
		t.Errorf("%s", strings.Join(found, "\n"))
	}
}

func TestCallerWhoGivesUp(t *testing.T) {
	s := openT(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	enter, hold := make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() {
		first <- s.write(ctx, func(t *tx) error {
			close(enter)
			<-hold
			return setting("kept", "1")(t)
		})
	}()
	<-enter
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up: %v", err)
	}
	close(hold)
	if err := s.write(ctx, setting("never", "1")); !errors.Is(err, context.Canceled) {
		t.Errorf("began after giving up: %v", err)
	}
	if err := s.write(t.Context(), setting("after", "1")); err != nil {
		t.Fatal(err)
	}
	if kept, never := valueOf(t, s, "kept"), valueOf(t, s, "never"); kept != "1" || never != "" {
		t.Errorf("kept %q, never %q", kept, never)
	}
}

// TestFailedCommitEndsWriting takes Badger away under the store, as a disk would go.
func TestFailedCommitEndsWriting(t *testing.T) {
	s := openT(t, t.TempDir())
	room := newRoom(t, s, 1)
	posted := post(t, s, store.Draft{Room: room, Author: 1, Content: "safe"})
	if err := s.commitFailed(engine.ErrTxnTooBig); !errors.Is(err, engine.ErrTxnTooBig) || s.Err() != nil {
		t.Fatalf("a transaction that is too big stops the store: %v", s.Err())
	}
	if err := s.commitFailed(errors.New("input/output error")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the commit that failed: %v, want ErrUnavailable", err)
	}
	select {
	case <-s.Failed():
	case <-time.After(time.Minute):
		t.Fatal("Failed is not closed")
	}
	if s.Err() == nil || !strings.Contains(s.Err().Error(), "input/output error") {
		t.Errorf("Err = %v", s.Err())
	}
	if _, _, err := s.Append(t.Context(), store.Draft{Room: room, Author: 1, Content: "x"}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Append afterwards: %v, want ErrUnavailable", err)
	}
	if m, err := s.Message(t.Context(), posted.ID); err != nil || m.Content != "safe" {
		t.Errorf("reading afterwards: %v", err)
	}
}

func TestPanicInTheBackgroundEndsWriting(t *testing.T) {
	s := openT(t, t.TempDir())
	s.background("test", func() { panic("oh") })
	<-s.Failed()
	if err := s.write(t.Context(), setting("a", "1")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("write = %v, want ErrUnavailable", err)
	}
}

// TestCommittedIsTold: of every batch, and of nothing that was not written.
func TestCommittedIsTold(t *testing.T) {
	var batches, operations int // the writer's until it has ended
	s, err := Open(t.TempDir(), Options{Committed: func(n int, took time.Duration) {
		batches, operations = batches+1, operations+n
		if took <= 0 {
			t.Errorf("a batch took %s", took)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	room := newRoom(t, s, 1)
	posts := make([]func(*tx) error, 5)
	for i := range posts {
		posts[i] = setting(fmt.Sprint("told-", i), "1")
	}
	if err := errors.Join(together(t, s, posts...)...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Append(t.Context(), store.Draft{Room: room, Author: 2, Content: "from a stranger"}); err == nil {
		t.Fatal("a stranger posts")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Opening may write, too; making the room and the five together are two batches of six.
	if batches < 2 || operations < 6 || operations-batches < 4 {
		t.Errorf("%d batches of %d operations", batches, operations)
	}
}
