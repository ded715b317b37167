package bolt

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// tokens counts the refresh tokens that are remembered.
func tokens(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.view(t.Context(), func(tx *bbolt.Tx) error { n = tx.Bucket(bucketRefresh).Stats().KeyN; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestExpiredTokensAreForgotten(t *testing.T) {
	s := newStore(t)
	u := add(t, s, person("ann"))
	const life = 100 * time.Minute // of each token, while 100 are handed out
	if err := s.OpenSession(t.Context(), store.Session{ID: "s", User: u.ID, CreatedAt: testStart, ExpiresAt: testStart.Add(life)}, hash("0")); err != nil {
		t.Fatal(err)
	}
	now := testStart
	for i := range 400 {
		now = now.Add(time.Minute)
		must[store.Session](t)(s.RotateSession(t.Context(), hash(strconv.Itoa(i)), hash(strconv.Itoa(i+1)), now, now.Add(life)))
	}
	if n := tokens(t, s); n != 100 {
		t.Errorf("%d tokens are remembered, want the 100 that have not expired", n)
	}
	for i := range 20 {
		now = now.Add(life - time.Minute)
		must[store.Session](t)(s.RotateSession(t.Context(), hash(strconv.Itoa(400+i)), hash(strconv.Itoa(401+i)), now, now.Add(life)))
	}
	if n := tokens(t, s); n != keptTokens {
		t.Errorf("%d tokens are remembered, want the newest %d", n, keptTokens)
	}
	verified(t, s)
	if _, err := s.RotateSession(t.Context(), hash("419"), hash("x"), now.Add(store.ReuseGrace), now.Add(life)); !errors.Is(err, store.ErrUnauthorized) {
		t.Errorf("a spent token: %v", err)
	}
	if n := tokens(t, s); n != 0 {
		t.Errorf("%d tokens of an ended session are remembered", n)
	}
	verified(t, s)
}

func TestSessionWithTooManyTokensEnds(t *testing.T) {
	s := newStore(t)
	u := add(t, s, person("ann"))
	signIn(t, s, u.ID, "s", "0")
	handedOut := func(n uint64) {
		if err := s.db.Update(func(tx *bbolt.Tx) error {
			r, err := getSession(tx, "s")
			if r.Tokens = n; err != nil {
				return err
			}
			return putSession(tx, "s", r)
		}); err != nil {
			t.Fatal(err)
		}
	}
	rotate := func(spent, next string) error {
		_, err := s.RotateSession(t.Context(), hash(spent), hash(next), testStart, testStart.Add(time.Hour))
		return err
	}
	handedOut(maxTokens - 1)
	if err := rotate("0", "1"); err != nil {
		t.Fatalf("the last token that can be remembered: %v", err)
	}
	if err := rotate("1", "2"); !errors.Is(err, store.ErrUnauthorized) {
		t.Errorf("one more: %v, want ErrUnauthorized", err)
	}
	if _, err := s.Session(t.Context(), "s", testStart); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the session: %v, want it ended", err)
	}
	changes := must[[]store.UserChange](t)(s.ChangedUsers(t.Context(), 1, 10))
	if len(changes) != 1 || changes[0].Edited || tokens(t, s) != 0 {
		t.Errorf("changes = %+v, %d tokens", changes, tokens(t, s))
	}
	verified(t, s)
}

func TestSweepReportsExpiredSessions(t *testing.T) {
	s := newStore(t)
	u := add(t, s, person("ann"))
	signIn(t, s, u.ID, "s1", "a")
	signIn(t, s, u.ID, "s2", "b")
	before := must[[]store.UserChange](t)(s.ChangedUsers(t.Context(), 0, 10))
	removed := must[int](t)(s.SweepSessions(t.Context(), testStart.Add(25*time.Hour), 10))
	if removed != 2 {
		t.Errorf("removed %d, want 2", removed)
	}
	after := must[[]store.UserChange](t)(s.ChangedUsers(t.Context(), before[len(before)-1].Revision, 10))
	if len(after) != 1 || after[0].User != u.ID || after[0].Edited {
		t.Errorf("changes = %+v, want one end of sessions", after)
	}
	verified(t, s)
}
