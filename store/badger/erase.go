package badger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hearthchat/hearth/store"
)

// errErasing says that keys of an earlier room with the same id are still there.
var errErasing = errors.New("an earlier room of this id is being erased")

// eraseStep is how many messages or other keys one operation erases.
const eraseStep = 500

// signal wakes all who wait.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// DeleteRoom makes the room ErrNotFound for everything at once: without a head nothing
// finds its way into it. The janitor erases what is left.
func (s *Store) DeleteRoom(ctx context.Context, id store.RoomID, by store.UserID) error {
	err := s.write(ctx, func(t *tx) error {
		r, _, err := writable(t, id)
		if err != nil {
			return err
		}
		if r.Kind == store.KindDirect {
			var people []store.UserID
			err := eachMember(t, id, 0, func(user store.UserID, _ membership) bool {
				people = append(people, user)
				return true
			})
			if err != nil {
				return err
			}
			t.delete(pairKey(people))
		}
		unsetRoom(t, r)
		t.delete(headKey(id))
		t.set(goneKey(id), present)
		t.log(store.Change{Kind: store.RoomDeleted, Room: id, User: by, RecordRoom: &r})
		return nil
	})
	if err == nil {
		select {
		case s.erase <- struct{}{}:
		default:
		}
	}
	return err
}

// waitErased returns when no earlier room of this id is being erased.
func (s *Store) waitErased(ctx context.Context, room store.RoomID) error {
	for {
		erased := s.erased.wait()
		gone := false
		err := s.view(ctx, func(r *snapshot) (err error) {
			_, gone, err = r.get(goneKey(room))
			return err
		})
		if err != nil || !gone {
			return err
		}
		select {
		case <-erased:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closing:
			return store.ErrClosed
		}
	}
}

// janitor erases deleted rooms, trims the log and collects Badger's value log until Close.
func (s *Store) janitor() {
	ctx, cancel := context.WithCancel(context.Background())
	s.background("janitor's end", func() {
		<-s.closing
		cancel()
	})
	trim, collect := time.NewTicker(trimEvery), time.NewTicker(collectEvery)
	defer trim.Stop()
	defer collect.Stop()
	s.report(s.trimOld(ctx))
	for {
		s.report(s.eraseGone(ctx))
		select {
		case <-s.erase:
		case <-trim.C:
			s.report(s.trimOld(ctx))
		case <-collect.C:
			for s.db.RunValueLogGC(0.5) == nil && ctx.Err() == nil {
			}
		case <-ctx.Done():
			return
		}
	}
}

// report logs what went wrong in the background, to be tried again later.
func (s *Store) report(err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrClosed) {
		s.options.Log.Error("housekeeping", "error", err)
	}
}

// eraseGone erases the keys of deleted rooms.
func (s *Store) eraseGone(ctx context.Context) error {
	var rooms []store.RoomID
	err := s.view(ctx, func(r *snapshot) error {
		return r.ascend(newKey(tagGone), nil, func(k, _ []byte) (bool, error) {
			f := readKey(k)
			rooms = append(rooms, f.room())
			return true, nil
		})
	})
	for _, room := range rooms {
		if err == nil {
			err = s.eraseRoom(ctx, room)
		}
	}
	return err
}

// eraseRoom erases what is left of a room, a bounded number of keys at a time.
func (s *Store) eraseRoom(ctx context.Context, room store.RoomID) error {
	for _, tag := range []byte{tagMember, tagMessage, tagReply, tagBy, tagTomb, tagRoomMention, tagSeen, tagRead} {
		prefix := newKey(tag).room(room)
		for from := prefix; from != nil; {
			next, err := writeFor(ctx, s, func(t *tx) (key, error) { return eraseSome(t, room, prefix, from) })
			if err != nil {
				return fmt.Errorf("erase %s: %w", room, err)
			}
			from = next
		}
	}
	err := s.write(ctx, func(t *tx) error {
		t.delete(goneKey(room))
		return nil
	})
	s.erased.wake()
	return err
}

// eraseSome deletes keys with a prefix, and what belongs to them elsewhere. It returns
// where to go on, so that what is deleted is not walked again, or nil at the end.
func eraseSome(t *tx, room store.RoomID, prefix, from key) (next key, err error) {
	left := eraseStep
	err = t.ascend(prefix, from, func(k, value []byte) (bool, error) {
		if left == 0 {
			next = key(k).clone()
			return false, nil
		}
		left--
		t.delete(key(k).clone())
		switch k[0] {
		case tagMember:
			t.delete(roomsOfKey(store.UserID(lastSeq(k)), room))
		case tagMessage:
			// A damaged message goes too; what led to it leads nowhere.
			if m, err := decodeMessage(room, lastSeq(k), value); err == nil {
				return true, eraseTraces(t, &m)
			}
		}
		return true, nil
	})
	return next, err
}

// eraseTraces deletes what leads to a message, unless it leads to another by now.
func eraseTraces(t *tx, m *store.Message) error {
	p, ok, err := decoded(t, idKey(m.ID), decodePlace)
	if err != nil {
		return err
	}
	if ok && p == (place{m.Room, m.Seq}) {
		t.delete(idKey(m.ID))
	}
	dropMentions(t, m)
	if m.ClientID == "" {
		return nil
	}
	k := onceKey(m.Author, m.ClientID)
	o, ok, err := decoded(t, k, decodeOnce)
	if err == nil && ok && o.ID == m.ID {
		t.delete(k)
	}
	return err
}
