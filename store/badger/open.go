package badger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	engine "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/hearthchat/hearth/store"
)

// Options adjust a Store. The zero value suits a small machine.
type Options struct {
	Now     func() time.Time       // the clock; nil means time.Now
	NewID   func() store.MessageID // ids of messages; nil makes UUIDs of version 7
	Log     *slog.Logger           // nil discards
	KeepLog time.Duration          // age at which log entries may go; 0 means 7 days

	// Committed, unless nil, is told of each batch that is on disk: how many operations it
	// held and how long writing and syncing it took. The writer waits for it.
	Committed func(operations int, took time.Duration)

	// Memory in bytes; 0 means the default.
	MemTableSize int64 // of each of two tables of recent writes: 16 MiB, at least 8
	BlockCache   int64 // of blocks read from disk: 8 MiB
	IndexCache   int64 // of table indexes: 4 MiB
	RecentLog    int   // of newest changes kept with their records: 4 MiB
}

const (
	mib = 1 << 20
	// maxValue bounds one value. Badger would put larger ones in its value log, whose
	// space comes back late.
	maxValue = mib
)

// Store keeps a workspace in one folder. Its methods may be called from any goroutine.
type Store struct {
	options Options
	dir     string
	db      *engine.DB
	epoch   uint64

	queue   chan *op
	closing chan struct{} // closed: no further operations
	written chan struct{} // closed: the writer has ended
	failed  chan struct{} // closed: see Failed
	failure error

	// A batch takes no further operation past the first two, and never goes past the others.
	batchBytes, batchKeys int
	txnBytes, txnKeys     int

	snapshots snapshots
	log       changeLog
	erase     chan struct{} // wakes the janitor
	erased    signal
	workers   sync.WaitGroup
	failOnce  sync.Once
	closeOnce sync.Once
	closeErr  error
}

var _ store.Workspace = (*Store)(nil)

// Open opens the workspace in a folder, making it when there is none and migrating one
// that an earlier version wrote. It is an error, which says what to do, when another
// process has it open, a newer version wrote it, or the processor has 32 bits.
func Open(dir string, o Options) (*Store, error) {
	return open(dir, o, migrations)
}

func open(dir string, o Options, migrations []migration) (*Store, error) {
	if err := checkProcessor(strconv.IntSize); err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = (&mint{now: o.Now}).newID
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.KeepLog = cmp.Or(o.KeepLog, 7*24*time.Hour)
	o.MemTableSize = max(8*mib, cmp.Or(o.MemTableSize, 16*mib))
	o.RecentLog = cmp.Or(o.RecentLog, 4*mib)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	db, err := engine.Open(engineOptions(dir, o))
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", explainLock(dir, err))
	}
	s := &Store{
		options: o, dir: dir, db: db,
		queue: make(chan *op, maxBatchOps), closing: make(chan struct{}), written: make(chan struct{}), failed: make(chan struct{}),
		erase:    make(chan struct{}, 1),
		txnBytes: int(db.MaxBatchSize() * 9 / 10), txnKeys: int(db.MaxBatchCount() * 9 / 10),
	}
	s.batchBytes, s.batchKeys = s.txnBytes/2, s.txnKeys/2
	s.snapshots.replace(db.NewTransaction(false))
	if err := s.start(migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open workspace in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// checkProcessor refuses builds on which Badger damages its tables: its allocator counts
// in an int that has to hold 33 bits.
func checkProcessor(intSize int) error {
	if intSize < 64 {
		return fmt.Errorf("this program was built for a %d-bit processor, on which the database would damage what it stores: use a 64-bit build", intSize)
	}
	return nil
}

func engineOptions(dir string, o Options) engine.Options {
	return engine.DefaultOptions(dir).
		WithSyncWrites(true).
		WithMemTableSize(o.MemTableSize).WithNumMemtables(2).
		WithBlockCacheSize(cmp.Or(o.BlockCache, 8*mib)).
		WithIndexCacheSize(cmp.Or(o.IndexCache, 4*mib)).
		WithCompression(options.Snappy).
		WithValueThreshold(maxValue).WithValueLogFileSize(64 * mib).
		WithNumLevelZeroTables(5).WithNumLevelZeroTablesStall(15).WithNumCompactors(2).
		WithDetectConflicts(false). // there is one writer
		WithMetricsEnabled(false).
		WithLogger(engineLog{o.Log})
}

// start reads what must be known before the first operation, and starts the goroutines.
func (s *Store) start(migrations []migration) error {
	s.background("writer", s.writeLoop)
	ctx := context.Background()
	if err := s.migrate(ctx, migrations); err != nil {
		return err
	}
	if err := s.openLog(ctx); err != nil {
		return err
	}
	if err := s.endStaleImports(ctx); err != nil {
		return err
	}
	s.background("janitor", s.janitor)
	return nil
}

// Close waits for running calls and closes the files. Operations that still wait, and
// all calls from now on, fail with store.ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.workers.Wait()
		s.log.close()
		s.snapshots.close()
		if err := s.db.Close(); err != nil {
			s.closeErr = fmt.Errorf("close workspace: %w", err)
		}
	})
	return s.closeErr
}

func (s *Store) now() time.Time { return millis(s.options.Now()) }

// explainLock names who has the folder when that is what err says. Badger keeps others
// out by a lock on the folder and writes its process number beside.
func explainLock(dir string, err error) error {
	if !strings.Contains(err.Error(), "Another process") {
		return err
	}
	who := "another process"
	if pid, readErr := os.ReadFile(filepath.Join(dir, "LOCK")); readErr == nil && len(strings.TrimSpace(string(pid))) > 0 {
		who = "process " + strings.TrimSpace(string(pid))
	}
	return &store.Fault{Kind: store.ErrBusy, Code: "in_use", Text: dir + " is in use by " + who, Details: "stop that one first"}
}

// engineLog passes on what Badger has to say. Its everyday news is for debugging.
type engineLog struct{ log *slog.Logger }

func (l engineLog) Errorf(f string, a ...any)   { l.log.Error("badger: " + line(f, a)) }
func (l engineLog) Warningf(f string, a ...any) { l.log.Warn("badger: " + line(f, a)) }
func (l engineLog) Infof(f string, a ...any)    { l.log.Debug("badger: " + line(f, a)) }
func (l engineLog) Debugf(f string, a ...any)   {}

func line(f string, a []any) string { return strings.TrimSpace(fmt.Sprintf(f, a...)) }
