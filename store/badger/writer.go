package badger

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

const (
	maxBatchOps = 1024
	// entryOverhead is more than what Badger adds to a key and value when it measures a transaction.
	entryOverhead = 16
)

// op is an operation that waits for the writer.
type op struct {
	ctx  context.Context
	run  func(t *tx) error // may run more than once, of which the last counts
	err  error
	done chan struct{} // closed when err holds the outcome
}

// errTooBig says that one operation alone does not fit into a transaction.
var errTooBig = &store.Fault{Kind: store.ErrInvalid, Code: "too_large", Text: "Too large", Details: "this does not fit into one transaction"}

// write has the writer run an operation and returns its outcome once that is on disk.
// When ctx ends first the operation may still happen.
func (s *Store) write(ctx context.Context, run func(t *tx) error) error {
	o := &op{ctx: ctx, run: run, done: make(chan struct{})}
	select {
	case s.queue <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return store.ErrClosed
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.written: // the writer has ended
		select {
		case <-o.done:
			return o.err
		default:
		}
		if s.Err() != nil {
			return s.unavailable()
		}
		return store.ErrClosed
	}
}

// writeFor is write for an operation with a result. The operation may still run when the
// caller gave up, so it shares nothing with the caller: the result is handed over when
// all is done, and lists that came as parameters are copies.
func writeFor[T any](ctx context.Context, s *Store, run func(t *tx) (T, error)) (result T, err error) {
	outcome := new(T)
	err = s.write(ctx, func(t *tx) (err error) {
		*outcome, err = run(t)
		return err
	})
	if err != nil {
		return result, err
	}
	return *outcome, nil
}

// writeLoop is the writer. It ends with Close.
func (s *Store) writeLoop() {
	defer close(s.written)
	defer s.guard("writer")
	for {
		select {
		case o := <-s.queue:
			s.handle(s.gather(o))
		case <-s.closing:
			return
		}
	}
}

// gather takes first and what else waits. There is no timer: while one batch is synced
// the next one queues.
func (s *Store) gather(first *op) []*op {
	ops := append(make([]*op, 0, 1+len(s.queue)), first)
	for len(ops) < maxBatchOps {
		select {
		case o := <-s.queue:
			ops = append(ops, o)
		default:
			return ops
		}
	}
	return ops
}

// handle commits operations in order, in as many batches as their size asks for.
func (s *Store) handle(ops []*op) {
	for len(ops) > 0 {
		if s.Err() != nil {
			acknowledge(ops, s.unavailable())
			return
		}
		n, err := s.commit(ops)
		if errors.Is(err, engine.ErrTxnTooBig) {
			// The measure in run is wrong. Smaller batches fit, and nothing was written.
			if n == 1 {
				acknowledge(ops[:1], errTooBig)
				ops = ops[1:]
				continue
			}
			s.handle(ops[:n/2])
			ops = ops[n/2:]
			continue
		}
		acknowledge(ops[:n], err)
		ops = ops[n:]
	}
}

// acknowledge ends operations, all with err unless it is nil.
func acknowledge(ops []*op, err error) {
	for _, o := range ops {
		if err != nil {
			o.err = err
		}
		close(o.done)
	}
}

// commit writes as many of the operations as fit, in one synced transaction, publishes
// what they did and returns how many they were. An error is that of all of them.
func (s *Store) commit(ops []*op) (n int, err error) {
	base, err := s.snapshots.acquire()
	if err != nil {
		return len(ops), err
	}
	defer s.snapshots.release(base)
	t := s.newTx(base)
	for n < len(ops) && t.bytes < s.batchBytes && t.keys < s.batchKeys {
		if !s.run(t, ops[n], n == 0) {
			break
		}
		n++
	}
	if t.empty() {
		return n, nil
	}
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	if err := t.into(txn); err != nil {
		return n, err
	}
	start := time.Now()
	if err := txn.Commit(); err != nil {
		return n, s.commitFailed(err)
	}
	if s.options.Committed != nil {
		s.options.Committed(n, time.Since(start))
	}
	s.snapshots.replace(s.db.NewTransaction(false))
	s.log.publish(t.changes)
	return n, nil
}

// run lets an operation write into a batch and keeps its error. It reports false, and
// leaves no trace, when the batch has no room for it and it can go into the next.
func (s *Store) run(t *tx, o *op, alone bool) bool {
	m := t.begin()
	if o.err = o.ctx.Err(); o.err != nil {
		return true
	}
	o.err = s.protected(t, o)
	switch {
	case o.err != nil:
		t.rollback(m)
	case t.bytes > s.txnBytes || t.keys > s.txnKeys:
		t.rollback(m)
		if !alone {
			return false
		}
		o.err = errTooBig
	}
	return true
}

// protected turns a panic of an operation, which may run a caller's edit function, into
// its error.
func (s *Store) protected(t *tx, o *op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.options.Log.Error("an operation panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("operation panicked: %v", p)
		}
	}()
	return o.run(t)
}

// commitFailed judges an error of a commit. After all but three kinds nobody knows what
// is on disk (Badger fills its memtable before it syncs), so nothing is written any more
// until the program was started again.
func (s *Store) commitFailed(err error) error {
	if errors.Is(err, engine.ErrTxnTooBig) || errors.Is(err, engine.ErrConflict) {
		return err
	}
	if errors.Is(err, engine.ErrBlockedWrites) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	s.fail(fmt.Errorf("commit: %w", err))
	return s.unavailable()
}

// fail ends writing for good.
func (s *Store) fail(err error) {
	s.failOnce.Do(func() {
		s.options.Log.Error("the store cannot write any more", "error", err)
		s.failure = err
		close(s.failed)
	})
}

// Failed is closed when the store cannot write any more and the program should end.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err says why, once Failed is closed; before that it is nil.
func (s *Store) Err() error {
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}

func (s *Store) unavailable() error {
	return fmt.Errorf("%w: the store stopped writing: %w", store.ErrUnavailable, s.Err())
}

// background runs a goroutine that Close waits for.
func (s *Store) background(name string, run func()) {
	s.workers.Go(func() {
		defer s.guard(name)
		run()
	})
}

// guard, deferred by a goroutine, lets a panic end writing but not the program's readers.
func (s *Store) guard(name string) {
	if p := recover(); p != nil {
		s.options.Log.Error("panic", "in", name, "panic", p, "stack", string(debug.Stack()))
		s.fail(fmt.Errorf("panic in %s: %v", name, p))
	}
}
