package badger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Names under tagMeta.
const (
	metaSchema    = "schema"    // version of keys and values
	metaEpoch     = "epoch"     // of the log
	metaLow       = "low"       // oldest log entry that was not trimmed
	metaRelayed   = "relayed"   // newest revision of accounts in the log
	metaImporting = "importing" // then 0x00 and a room: its head when the import began
)

// trimStep is how many log entries one operation deletes.
const trimStep = 2000

func number(r reader, k key) (uint64, error) {
	n, _, err := decoded(r, k, decodeNumber)
	return n, err
}

// openLog finds the ends of the log.
func (s *Store) openLog(ctx context.Context) error {
	return s.view(ctx, func(r *snapshot) error {
		epoch, err := number(r, metaKey(metaEpoch))
		if err != nil {
			return err
		}
		low, err := number(r, metaKey(metaLow))
		if err != nil {
			return err
		}
		low = max(low, 1)
		head := low - 1
		err = r.descend(newKey(tagLog), nil, func(k, _ []byte) (bool, error) {
			head = uint64(lastSeq(k))
			return false, nil
		})
		s.epoch = epoch
		s.log.open(epoch, low, head, s.options.RecentLog)
		return err
	})
}

// Head is the position of the newest change.
func (s *Store) Head(ctx context.Context) (store.Position, error) {
	return store.Position{Epoch: s.epoch, Seq: s.log.last()}, ctx.Err()
}

// Changes returns up to limit changes after a position, oldest first. ErrExpired when
// some have been trimmed away or the position is of another epoch.
func (s *Store) Changes(ctx context.Context, after store.Position, limit int) ([]store.Change, error) {
	if err := s.log.check(after); err != nil {
		return nil, err
	}
	if changes, ok := s.log.after(after.Seq, limit); ok {
		return changes, ctx.Err()
	}
	var changes []store.Change
	err := s.view(ctx, func(r *snapshot) error {
		return r.ascend(newKey(tagLog), logKey(after.Seq+1), func(k, value []byte) (bool, error) {
			c, err := decodeChange(store.Position{Epoch: s.epoch, Seq: uint64(lastSeq(k))}, value)
			if err != nil {
				return false, fmt.Errorf("log entry %d: %w", lastSeq(k), err)
			}
			changes = append(changes, c)
			return len(changes) < limit, nil
		})
	})
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 || changes[0].Position.Seq != after.Seq+1 { // trimmed meanwhile
		return nil, s.log.check(after)
	}
	return changes, nil
}

// Wait returns nil when something follows after.
func (s *Store) Wait(ctx context.Context, after store.Position) error {
	more, err := s.log.wait(after)
	if err != nil || more == nil {
		return err
	}
	select {
	case <-more:
		_, err := s.log.wait(after)
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Trim forgets changes before a position.
func (s *Store) Trim(ctx context.Context, before store.Position) error {
	if before.Epoch != s.epoch {
		return s.log.check(before)
	}
	return s.trim(ctx, min(before.Seq, s.log.last()+1))
}

// trim deletes the entries below low, a bounded number at a time. The mark that tells how
// far it got is written with each step, so what is there has no holes after a crash.
func (s *Store) trim(ctx context.Context, low uint64) error {
	for {
		reached, err := writeFor(ctx, s, func(t *tx) (uint64, error) {
			from, err := number(t, metaKey(metaLow))
			if err != nil {
				return 0, err
			}
			from = max(from, 1)
			reached := max(from, min(low, from+trimStep))
			if reached == from {
				return reached, nil
			}
			for n := from; n < reached; n++ {
				t.delete(logKey(n))
			}
			t.set(metaKey(metaLow), encodeNumber(reached))
			return reached, nil
		})
		if err != nil {
			return fmt.Errorf("trim the log: %w", err)
		}
		s.log.trimmed(reached)
		if reached >= low {
			return nil
		}
	}
}

// trimOld forgets what is older than Options.KeepLog.
func (s *Store) trimOld(ctx context.Context) error {
	cutoff := s.now().Add(-s.options.KeepLog)
	low := uint64(0)
	err := s.view(ctx, func(r *snapshot) error {
		return r.ascend(newKey(tagLog), nil, func(k, value []byte) (bool, error) {
			c, err := decodeChange(store.Position{}, value)
			// The time of a reading is its reader's and says nothing of the entry's age.
			if err != nil || c.Kind != store.MessagesRead && !c.At.Before(cutoff) {
				return false, err
			}
			low = uint64(lastSeq(k)) + 1
			return ctx.Err() == nil, nil
		})
	})
	if err != nil || low == 0 {
		return err
	}
	return s.trim(ctx, low)
}

// RelayUsers writes changes of accounts into the log, together with the revision they
// reach. Those at or below the one reached before are passed over.
func (s *Store) RelayUsers(ctx context.Context, changes []store.UserChange) error {
	changes = slices.Clone(changes) // see writeFor
	return s.write(ctx, func(t *tx) error {
		at, err := number(t, metaKey(metaRelayed))
		if err != nil {
			return err
		}
		before := at
		for _, c := range changes {
			if uint64(c.Revision) <= at {
				continue
			}
			kind := store.SessionsEnded
			if c.Edited {
				kind = store.UserEdited
			}
			t.log(store.Change{Kind: kind, User: c.User})
			at = uint64(c.Revision)
		}
		if at > before {
			t.set(metaKey(metaRelayed), encodeNumber(at))
		}
		return nil
	})
}

// UsersRelayed returns the newest revision written.
func (s *Store) UsersRelayed(ctx context.Context) (revision store.Revision, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		n, err := number(r, metaKey(metaRelayed))
		revision = store.Revision(n)
		return err
	})
	return revision, err
}

// trimEvery and collectEvery are the janitor's hours.
const (
	trimEvery    = time.Hour
	collectEvery = 10 * time.Minute
)
