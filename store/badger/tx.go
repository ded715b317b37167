package badger

import (
	"bytes"
	"slices"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// tx is what one batch is about to write: its changes over the newest snapshot. Operations
// use it one after the other; what a failed one did is taken back.
type tx struct {
	base    *snapshot
	now     time.Time
	newID   func() store.MessageID
	epoch   uint64
	last    uint64                       // newest log entry before the batch
	pending [tagCount]map[string]pending // by tag, because some tags are walked
	changes []store.Change
	keys    int // upper bound of keys written
	bytes   int // and of their size in a transaction
	undo    []undo
}

// pending is a write that is not committed.
type pending struct {
	key     key
	value   []byte // nil: deleted
	expires uint64 // Unix seconds, 0: never
}

// undo is what a key was in the batch before the running operation.
type undo struct {
	key key
	was pending // without key: was not in the batch
}

// mark is a place in a batch to come back to.
type mark struct{ changes, keys, bytes int }

func (s *Store) newTx(base *snapshot) *tx {
	return &tx{base: base, now: s.now(), newID: s.options.NewID, epoch: s.epoch, last: s.log.last()}
}

// begin starts an operation.
func (t *tx) begin() mark {
	t.undo = t.undo[:0]
	return mark{len(t.changes), t.keys, t.bytes}
}

// rollback takes back what was done since begin.
func (t *tx) rollback(m mark) {
	for _, u := range slices.Backward(t.undo) {
		if u.was.key != nil {
			t.pending[u.key[0]][string(u.key)] = u.was
		} else {
			delete(t.pending[u.key[0]], string(u.key))
		}
	}
	t.undo = t.undo[:0]
	t.changes, t.keys, t.bytes = t.changes[:m.changes], m.keys, m.bytes
}

func (t *tx) empty() bool { return t.keys == 0 && len(t.changes) == 0 }

func (t *tx) write(p pending) {
	of := t.pending[p.key[0]]
	if of == nil {
		of = make(map[string]pending)
		t.pending[p.key[0]] = of
	}
	t.undo = append(t.undo, undo{p.key, of[string(p.key)]})
	of[string(p.key)] = p
	t.keys++
	t.bytes += len(p.key) + len(p.value) + entryOverhead
}

// set writes a value. Key and value belong to the batch from now on.
func (t *tx) set(k key, value []byte) { t.write(pending{key: k, value: value}) }

// setUntil is set for a value that Badger may forget.
func (t *tx) setUntil(k key, value []byte, expires time.Time) {
	t.write(pending{k, value, uint64(expires.Unix())})
}

func (t *tx) delete(k key) { t.write(pending{key: k}) }

// log adds a change. Position and, where it is zero, At are filled in.
func (t *tx) log(c store.Change) {
	c.Position = store.Position{Epoch: t.epoch, Seq: t.last + uint64(len(t.changes)) + 1}
	if c.At.IsZero() {
		c.At = t.now
	}
	t.changes = append(t.changes, c)
	t.bytes += 128 + len(c.Room) + len(c.Text)
	t.keys++
}

func (t *tx) get(k key) ([]byte, bool, error) {
	if p, ok := t.pending[k[0]][string(k)]; ok {
		return p.value, p.value != nil, nil
	}
	return t.base.get(k)
}

func (t *tx) ascend(prefix, from key, visit func(k, value []byte) (bool, error)) error {
	return t.walk(prefix, from, bytes.Compare, t.base.ascend, visit)
}

func (t *tx) descend(prefix, from key, visit func(k, value []byte) (bool, error)) error {
	down := func(a, b []byte) int { return bytes.Compare(b, a) }
	return t.walk(prefix, from, down, t.base.descend, visit)
}

// walk merges the batch's writes into a walk over the snapshot. visit may write.
func (t *tx) walk(prefix, from key, compare func(a, b []byte) int,
	base func(prefix, from key, visit func(k, value []byte) (bool, error)) error,
	visit func(k, value []byte) (bool, error),
) error {
	var ours []pending
	for _, p := range t.pending[prefix[0]] {
		if bytes.HasPrefix(p.key, prefix) && (from == nil || compare(p.key, from) >= 0) {
			ours = append(ours, p)
		}
	}
	slices.SortFunc(ours, func(a, b pending) int { return compare(a.key, b.key) })

	// until visits our keys before k, all of them without k.
	until := func(k []byte) (more bool, err error) {
		for more = true; more && err == nil && len(ours) > 0 && (k == nil || compare(ours[0].key, k) < 0); {
			next := ours[0]
			ours = ours[1:]
			if next.value != nil {
				more, err = visit(next.key, next.value)
			}
		}
		return more, err
	}
	stopped := false
	err := base(prefix, from, func(k, value []byte) (bool, error) {
		more, err := until(k)
		switch {
		case err != nil || !more:
		case len(ours) > 0 && bytes.Equal(ours[0].key, k):
			if more, value = true, ours[0].value; value != nil {
				more, err = visit(k, value)
			}
			ours = ours[1:]
		default:
			more, err = visit(k, value)
		}
		stopped = !more
		return more, err
	})
	if err != nil || stopped {
		return err
	}
	_, err = until(nil)
	return err
}

// into puts the batch into a Badger transaction.
func (t *tx) into(txn *engine.Txn) error {
	for _, of := range t.pending {
		for _, p := range of {
			var err error
			if p.value == nil {
				err = txn.Delete(p.key)
			} else {
				err = txn.SetEntry(&engine.Entry{Key: p.key, Value: p.value, ExpiresAt: p.expires})
			}
			if err != nil {
				return err
			}
		}
	}
	for i := range t.changes {
		c := &t.changes[i]
		if err := txn.Set(logKey(c.Position.Seq), encodeChange(c)); err != nil {
			return err
		}
	}
	return nil
}
