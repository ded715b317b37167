package badger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// reader is what both a snapshot and an operation being written offer.
type reader interface {
	// get returns the value of a key; ok is false when there is none.
	get(k key) (value []byte, ok bool, err error)
	// ascend calls visit for each key with a prefix that is not below from (nil: the
	// prefix), in order, until it returns false. Key and value are valid during the call.
	ascend(prefix, from key, visit func(k, value []byte) (bool, error)) error
	// descend is ascend downwards from the last key that is not above from.
	descend(prefix, from key, visit func(k, value []byte) (bool, error)) error
}

// snapshot is what was committed at one moment. Read-only Badger transactions may be used
// by many goroutines at once.
type snapshot struct {
	txn  *engine.Txn
	refs int // under snapshots.mu
}

// snapshots hands out the newest snapshot. Beginning a Badger transaction waits for the
// commit in flight, so readers share one that was begun when it had ended.
type snapshots struct {
	mu      sync.Mutex
	current *snapshot      // nil: closed
	inUse   sync.WaitGroup // by acquire
}

// replace makes txn the snapshot of readers to come.
func (s *snapshots) replace(txn *engine.Txn) {
	s.mu.Lock()
	old := s.current
	s.current = nil
	if txn != nil {
		s.current = &snapshot{txn: txn, refs: 1}
	}
	s.mu.Unlock()
	if old != nil {
		s.drop(old)
	}
}

func (s *snapshots) acquire() (*snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, store.ErrClosed
	}
	s.current.refs++
	s.inUse.Add(1)
	return s.current, nil
}

func (s *snapshots) release(v *snapshot) {
	s.drop(v)
	s.inUse.Done()
}

// close refuses further readers and waits for those there are.
func (s *snapshots) close() {
	s.replace(nil)
	s.inUse.Wait()
}

func (s *snapshots) drop(v *snapshot) {
	s.mu.Lock()
	v.refs--
	last := v.refs == 0
	s.mu.Unlock()
	if last {
		v.txn.Discard()
	}
}

// view calls read with what is committed now.
func (s *Store) view(ctx context.Context, read func(r *snapshot) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v, err := s.snapshots.acquire()
	if err != nil {
		return err
	}
	defer s.snapshots.release(v)
	return read(v)
}

func (v *snapshot) get(k key) ([]byte, bool, error) {
	item, err := v.txn.Get(k)
	if errors.Is(err, engine.ErrKeyNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read key: %w", err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, false, fmt.Errorf("read value: %w", err)
	}
	return value, true, nil
}

func (v *snapshot) ascend(prefix, from key, visit func(k, value []byte) (bool, error)) error {
	return v.walk(prefix, from, false, visit)
}

func (v *snapshot) descend(prefix, from key, visit func(k, value []byte) (bool, error)) error {
	if from == nil {
		// Keys have no further 0xFF after a prefix that ends where a field does, except
		// numbers that are never this large.
		from = append(bytes.Clone(prefix), bytes.Repeat([]byte{0xFF}, 9)...)
	}
	return v.walk(prefix, from, true, visit)
}

func (v *snapshot) walk(prefix, from key, reverse bool, visit func(k, value []byte) (bool, error)) error {
	it := v.txn.NewIterator(engine.IteratorOptions{Prefix: prefix, Reverse: reverse})
	defer it.Close()
	for it.Seek(from); it.Valid(); it.Next() {
		item := it.Item()
		more := false
		err := item.Value(func(value []byte) (err error) {
			more, err = visit(item.Key(), value)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// leap calls visit for the first key with a prefix that is not below from, and again from
// the key that visit returns, until there is none.
func (v *snapshot) leap(prefix, from key, visit func(k, value []byte) (next key, err error)) error {
	it := v.txn.NewIterator(engine.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Seek(from); it.Valid(); it.Seek(from) {
		item := it.Item()
		err := item.Value(func(value []byte) (err error) {
			from, err = visit(item.Key(), value)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// decoded reads the record of a key; ok is false when there is none.
func decoded[T any](r reader, k key, decode func([]byte) (T, error)) (record T, ok bool, err error) {
	value, ok, err := r.get(k)
	if err != nil || !ok {
		return record, false, err
	}
	if record, err = decode(value); err != nil {
		return record, false, fmt.Errorf("key %x: %w", []byte(k), err)
	}
	return record, true, nil
}
