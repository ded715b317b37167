package bolt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/storetest"
)

// verifying is a store that is verified before it is closed: whatever a case of the suite
// did, nothing may be left crooked.
type verifying struct {
	*Store
	t *testing.T
}

func (v verifying) Close() error {
	err := v.Verify(context.Background(), func(p Problem) { v.t.Errorf("%s: %s", p.Where, p.What) })
	if err != nil && !errors.Is(err, store.ErrClosed) {
		v.t.Error(err)
	}
	return v.Store.Close()
}

func openForSuite(t *testing.T, o storetest.Options) store.Accounts {
	t.Helper()
	s, err := Open(filepath.Join(o.Dir, "accounts"), Options{Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	return verifying{s, t}
}

func TestAccounts(t *testing.T) { storetest.Accounts(t, openForSuite) }

func TestSimulate(t *testing.T) { storetest.SimulateAccounts(t, openForSuite, 0, 0) }

var testStart = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{Now: func() time.Time { return testStart }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "accounts"))
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func person(name string) store.User {
	return store.User{Username: name, Email: name + "@example.org", PasswordHash: "$2a$04$x", Role: store.RoleMember, Active: true}
}

func add(t *testing.T, s *Store, u store.User) store.User {
	t.Helper()
	return must[store.User](t)(s.CreateUser(t.Context(), store.NewUser{User: u}))
}

func hash(text string) store.Hash { return sha256.Sum256([]byte(text)) }

func signIn(t *testing.T, s *Store, user store.UserID, id store.SessionID, refresh string) {
	t.Helper()
	if err := s.OpenSession(t.Context(), store.Session{
		ID: id, User: user, CreatedAt: testStart, ExpiresAt: testStart.Add(24 * time.Hour),
	}, hash(refresh)); err != nil {
		t.Fatal(err)
	}
}

// verified requires that nothing is wrong.
func verified(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Verify(t.Context(), func(p Problem) { t.Errorf("%s: %s", p.Where, p.What) }); err != nil {
		t.Error(err)
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts")
	open(t, path)
	_, err := Open(path, Options{LockTimeout: time.Millisecond})
	if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), path) {
		t.Errorf("second Open: %v, want ErrBusy naming the file and process %d", err, os.Getpid())
	}
	if err := os.Remove(pidFile(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{LockTimeout: time.Millisecond}); !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open without a process id: %v, want ErrBusy", err)
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	s := newStore(t)
	for _, path := range []string{s.path, pidFile(s.path)} {
		info := must[os.FileInfo](t)(os.Stat(path))
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(path), mode)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(pidFile(s.path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the process id after Close: %v", err)
	}
}

func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	raw := func(t *testing.T, change func(*bbolt.Tx) error) string {
		path := filepath.Join(t.TempDir(), "accounts")
		db := must[*bbolt.DB](t)(bbolt.Open(path, 0o600, nil))
		if err := errors.Join(db.Update(change), db.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, says string
		path       func(t *testing.T) string
	}{
		{"a newer format", "newer version of Hearth (it has format 99, this one knows up to 2)", func(t *testing.T) string {
			return raw(t, func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucket(bucketMeta)
				return errors.Join(err, b.Put(metaVersion, number(99)))
			})
		}},
		{"another program's file", `belongs to another program (it has a bucket "blobs")`, func(t *testing.T) string {
			return raw(t, func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("blobs"))
				return err
			})
		}},
		{"no format", "its format cannot be told", func(t *testing.T) string {
			return raw(t, func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket(bucketMeta)
				return err
			})
		}},
		{"no bbolt file", "is damaged", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "accounts")
			if err := os.WriteFile(path, []byte(strings.Repeat("This is a letter to my aunt. ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}},
		{"no such folder", "no such file or directory", func(t *testing.T) string {
			return filepath.Join(t.TempDir(), "nowhere", "accounts")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.path(t)
			before, _ := os.ReadFile(path)
			_, err := Open(path, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Open: %v, want %q", err, tt.says)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts")
	s := open(t, path)
	add(t, s, person("ann"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	known := migrations
	t.Cleanup(func() { migrations = known })
	ran := 0
	migrations = append(known[:len(known):len(known)], func(_ *Store, tx *bbolt.Tx) error {
		ran++
		_, err := tx.CreateBucket([]byte("new"))
		return err
	})
	for range 2 {
		s = open(t, path)
		if u, err := s.UserByName(t.Context(), "ann"); err != nil || u.ID != 1 {
			t.Errorf("account after the migration = %+v, %v", u, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if ran != 1 {
		t.Errorf("the migration ran %d times", ran)
	}
	migrations = known
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("the old version opens the migrated file: %v", err)
	}
}

// TestKilled kills a process that registers people and looks for everybody it was told of.
func TestKilled(t *testing.T) {
	if path := os.Getenv("HEARTH_TEST_KILLED"); path != "" {
		registerForever(path)
	}
	path := filepath.Join(t.TempDir(), "accounts")
	acknowledged := 0
	for round := range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "HEARTH_TEST_KILLED="+path)
		out := must[interface {
			Read([]byte) (int, error)
		}](t)(child.StdoutPipe())
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var names []string
		for len(names) < 40 {
			var name string
			if _, err := fmt.Fscanln(out, &name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		if _, err := os.Stat(pidFile(path)); err != nil {
			t.Errorf("after a kill: %v", err)
		}
		s := open(t, path)
		for _, name := range names {
			if _, err := s.UserByName(t.Context(), name); err != nil {
				t.Errorf("round %d lost %s: %v", round, name, err)
			}
		}
		acknowledged += len(names)
		if all := must[[]store.User](t)(s.ListUsers(t.Context(), "", 0, 1_000_000)); len(all) < acknowledged {
			t.Errorf("%d accounts after %d were acknowledged", len(all), acknowledged)
		}
		verified(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func registerForever(path string) {
	s, err := Open(path, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	names := make(chan string)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("u%d-%d-%d", os.Getpid(), w, i)
				if _, err := s.CreateUser(context.Background(), store.NewUser{User: person(name)}); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(2)
				}
				names <- name
			}
		}()
	}
	for {
		fmt.Println(<-names)
	}
}

func TestClosed(t *testing.T) {
	s := newStore(t)
	waited := make(chan error, 1)
	go func() { waited <- s.WaitUsers(context.Background(), 1000) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; !errors.Is(err, store.ErrClosed) {
		t.Errorf("WaitUsers: %v, want ErrClosed", err)
	}
	ctx := t.Context()
	_, errUser := s.User(ctx, 1)
	_, errCreate := s.CreateUser(ctx, store.NewUser{User: person("ann")})
	_, errEdit := s.EditUser(ctx, 1, func(*store.User) error { return nil })
	for i, err := range []error{errUser, errCreate, errEdit, s.EndSession(ctx, "x"), s.WaitUsers(ctx, 0)} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("call %d after Close: %v, want ErrClosed", i, err)
		}
	}
	if s.broken.Load() {
		t.Error("closing counts as a write that went wrong")
	}
}

func TestCanceledContext(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.CreateUser(ctx, store.NewUser{User: person("ann")}); !errors.Is(err, context.Canceled) {
		t.Errorf("CreateUser: %v", err)
	}
	if err := s.WaitUsers(ctx, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitUsers: %v", err)
	}
	if all := must[[]store.User](t)(s.ListUsers(t.Context(), "", 0, 10)); len(all) != 0 {
		t.Errorf("%d accounts were made", len(all))
	}
}

// BenchmarkSignIn opens sessions of many people at once.
func BenchmarkSignIn(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "accounts"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.ImportUsers(b.Context(), nicks(1000)); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			id := fmt.Sprintf("%032x", i)
			if err := s.OpenSession(b.Context(), store.Session{
				ID: store.SessionID(id), User: store.UserID(i%1000 + 1), CreatedAt: testStart, ExpiresAt: testStart.Add(time.Hour),
			}, hash(id)); err != nil {
				b.Error(err)
			}
		}
	})
}

// TestCacheFollowsEdits reads an account all the time while it is edited: nobody may see
// an older state than they, or the editor, saw before.
func TestCacheFollowsEdits(t *testing.T) {
	s := newStore(t)
	u := add(t, s, person("ann"))
	version := func(u store.User) int {
		n, _ := strconv.Atoi(u.Bio)
		return n
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for newest := 0; ; {
				got, err := s.User(context.Background(), u.ID)
				if n := version(got); err != nil || n < newest {
					t.Errorf("read %d after %d, %v", n, newest, err)
					return
				} else {
					newest = n
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := 1; i <= 200; i++ {
		must[store.User](t)(s.EditUser(t.Context(), u.ID, func(u *store.User) error { u.Bio = strconv.Itoa(i); return nil }))
		if got := must[store.User](t)(s.User(t.Context(), u.ID)); version(got) != i {
			t.Errorf("read %d after edit %d", version(got), i)
		}
	}
	close(done)
	readers.Wait()
	if _, ok, _ := s.cache.get(u.ID); !ok {
		t.Error("the account is not cached")
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	for id := range store.UserID(maxCached + 100) {
		_, _, writes := c.get(id)
		c.add(store.User{ID: id}, writes)
	}
	if len(c.users) != maxCached {
		t.Errorf("%d accounts are cached, want %d", len(c.users), maxCached)
	}
	_, _, before := c.get(-1)
	c.begin()
	_, _, during := c.get(-1)
	c.add(store.User{ID: -1}, before)
	c.add(store.User{ID: -1}, during)
	c.end()
	c.add(store.User{ID: -1}, before)
	c.add(store.User{ID: -1}, during)
	if _, ok, _ := c.get(-1); ok {
		t.Error("an account that may have changed was cached")
	}
}

func TestBrokenStoreIsReadOnly(t *testing.T) {
	s := newStore(t)
	u := add(t, s, person("ann"))
	if err := s.Err(); err != nil {
		t.Errorf("before: %v", err)
	}
	s.broken.Store(true)
	if err := s.Err(); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Err = %v, want ErrUnavailable", err)
	}
	if _, err := s.CreateUser(t.Context(), store.NewUser{User: person("bob")}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("CreateUser: %v, want ErrUnavailable", err)
	}
	if _, err := s.User(t.Context(), u.ID); err != nil {
		t.Errorf("User: %v", err)
	}
}
