// Package bolt keeps the people of a workspace, their sessions and the secrets they were
// handed in one bbolt file. It implements store.Accounts.
//
// A change is one bbolt transaction, on disk when the call returns. What many people do at
// once (registering, signing in, refreshing) shares transactions. The indexes are written
// with the records they lead to; Verify compares the two.
package bolt

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hearthchat/hearth/store"
)

const (
	// batchDelay is how long a sign-in waits for others to share its sync with.
	batchDelay = 2 * time.Millisecond
	// maxFile keeps the file within what a 32-bit process can map. Half a million
	// accounts need a quarter of it.
	maxFile     = 1 << 30
	initialMap  = 16 << 20
	lockTimeout = 3 * time.Second
)

// Options adjust a Store. The zero value is right outside of tests.
type Options struct {
	Now         func() time.Time // nil means time.Now
	Rand        io.Reader        // nil means crypto/rand
	Log         *slog.Logger     // nil discards
	LockTimeout time.Duration    // how long to wait for another process to let go; 0 means 3 s
}

// Store is one file of accounts. It implements store.Accounts.
type Store struct {
	db      *bbolt.DB
	path    string
	now     func() time.Time
	rand    io.Reader
	log     *slog.Logger
	tag     [4]byte // of the workspace, in every ObjectID made here
	cache   *cache
	changes *signal
	broken  atomic.Bool // a commit went wrong in a way that only a restart can judge
}

var _ store.Accounts = (*Store)(nil)

// Open opens the file at path, making it (mode 0600) if it is not there. A file written by
// an older version is migrated; one by a newer version is refused. While another process
// has it open, the error says which, and wraps store.ErrBusy.
//
// The process that has the file open writes its id into a file beside it, path + ".pid".
// When that is still there, the last one did not close the file, and its pages are checked.
func Open(path string, o Options) (*Store, error) {
	s := &Store{path: path, now: o.Now, rand: o.Rand, log: o.Log, cache: newCache(), changes: newSignal()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	s.log = cmp.Or(s.log, slog.New(slog.DiscardHandler))
	db, err := openFile(path, cmp.Or(o.LockTimeout, lockTimeout))
	if err != nil {
		return nil, err
	}
	s.db = db
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func openFile(path string, wait time.Duration) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, p)
		}
	}()
	_, missing := os.Stat(path)
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: wait, FreelistType: bbolt.FreelistMapType, InitialMmapSize: initialMap, MaxSize: maxFile,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, &store.Fault{Kind: store.ErrBusy, Code: "in_use", Text: path + " is in use by " + holder(path), Details: "stop that one first"}
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, damaged(path, err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.MaxBatchDelay = batchDelay
	if missing != nil {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// syncFolder makes a new file's name survive a power cut. Windows does that by itself.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	return nil
}

func damaged(path string, why any) error {
	return fmt.Errorf("%s is damaged (%v): put the newest backup in its place", path, why)
}

// holder names the process that has the file open.
func holder(path string) string {
	text, err := os.ReadFile(pidFile(path))
	if pid, errPid := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && errPid == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

func pidFile(path string) string { return path + ".pid" }

// prepare does what is to be done while nobody else has the file open.
func (s *Store) prepare() error {
	if _, err := os.Stat(pidFile(s.path)); err == nil {
		s.log.Info("accounts were not closed last time, checking them", "file", s.path)
		if err := s.checkPages(func(why string) error { return damaged(s.path, why) }); err != nil {
			return err
		}
	}
	if err := os.WriteFile(pidFile(s.path), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return fmt.Errorf("name this process beside %s: %w", s.path, err)
	}
	err := s.migrate()
	if err == nil {
		var w store.Settings
		if w, err = s.Settings(context.Background()); err == nil {
			s.tag = w.Tag()
			return nil
		}
	}
	return errors.Join(err, s.removePid())
}

// checkPages calls report for each thing that is wrong with the file's pages, until it
// returns an error.
func (s *Store) checkPages(report func(why string) error) error {
	return s.view(context.Background(), func(tx *bbolt.Tx) (first error) {
		for why := range tx.Check() { // to the end, or its goroutine would hang
			if first == nil {
				first = report(why.Error())
			}
		}
		return first
	})
}

// Close ends what waits and closes the file. Calls that come later get store.ErrClosed.
func (s *Store) Close() error {
	s.changes.close()
	if err := s.removePid(); err != nil {
		s.log.Warn("the next start will check the accounts", "error", err)
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

func (s *Store) removePid() error {
	if err := os.Remove(pidFile(s.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the process id beside %s: %w", s.path, err)
	}
	return nil
}

// view runs read in a transaction that sees one state of everything.
func (s *Store) view(ctx context.Context, read func(tx *bbolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer s.recovered(&err)
	return s.engine(s.db.View(read))
}

// update runs change in a transaction of its own.
func (s *Store) update(ctx context.Context, change func(tx *bbolt.Tx) error) error {
	return s.write(ctx, s.db.Update, change)
}

// batch runs change in a transaction that others may share. change may run more than once
// and must set every result it hands out on each run.
func (s *Store) batch(ctx context.Context, change func(tx *bbolt.Tx) error) error {
	return s.write(ctx, s.db.Batch, change)
}

// Err says why no change is taken until the program was started again; nil when changes are.
func (s *Store) Err() error {
	if s.broken.Load() {
		return fmt.Errorf("accounts: an earlier write went wrong, restart the server: %w", store.ErrUnavailable)
	}
	return nil
}

func (s *Store) write(ctx context.Context, run func(func(*bbolt.Tx) error) error, change func(*bbolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.Err(); err != nil {
		return err
	}
	defer s.recovered(&err)
	s.cache.begin()
	defer s.changes.wake()
	defer s.cache.end()
	var refused error
	err = run(func(tx *bbolt.Tx) error {
		refused = change(tx)
		return refused
	})
	if err == nil || refused != nil {
		return err
	}
	return s.failed(s.engine(err))
}

// failed judges an error of the engine itself: a full disk is told apart from a write that
// may or may not have reached it.
func (s *Store) failed(err error) error {
	switch {
	case errors.Is(err, store.ErrClosed):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS), errors.Is(err, bolterrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: write accounts: %w", store.ErrUnavailable, err)
	}
	s.broken.Store(true)
	s.log.Error("accounts can only be read until the server is restarted", "file", s.path, "error", err)
	return fmt.Errorf("%w: write accounts: %w", store.ErrUnavailable, err)
}

func (s *Store) engine(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return fmt.Errorf("accounts: %w", store.ErrClosed)
	}
	return err
}

// recovered turns what bbolt throws on a damaged page into an error. What Go itself
// throws is a mistake in a program, and stays one.
func (s *Store) recovered(err *error) {
	p := recover()
	if p == nil {
		return
	}
	if _, ours := p.(runtime.Error); ours {
		panic(p)
	}
	*err = damaged(s.path, p)
	s.log.Error("accounts are damaged", "file", s.path, "error", *err)
}

// signal wakes everybody who waits for changes.
type signal struct {
	mu     sync.Mutex
	next   chan struct{}
	closed bool
}

func newSignal() *signal { return &signal{next: make(chan struct{})} }

// wait returns a channel that is closed by the next wake; closed reports the end.
func (s *signal) wait() (next <-chan struct{}, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next, s.closed
}

func (s *signal) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		close(s.next)
		s.next = make(chan struct{})
	}
}

func (s *signal) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.next)
	}
}
