package badger

import (
	"context"
	"time"

	"github.com/hearthchat/hearth/store"
)

// span is a part of a room, both ends included.
type span struct{ from, through store.Seq }

// seeThrough moves Through up to seq. The caller writes the membership.
func (s *state) seeThrough(t *tx, seq store.Seq) error {
	if seq <= s.Through {
		return nil
	}
	err := s.eachSeen(0, func(through store.Seq, of seen) (bool, error) {
		if of.From > seq {
			return false, nil
		}
		s.dropSeen(t, through, of)
		if through > seq {
			return false, s.addSeen(t, span{seq + 1, through})
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return s.setThrough(seq)
}

// skip reports whether anything is unread, and moves Through up to the first that is when
// it is not the next message anyway. So an author who never reads does not count, with
// each post, all the deleted messages since. The caller writes the membership.
func (s *state) skip(t *tx) (waiting bool, err error) {
	if n, err := s.othersIn(s.Through+1, s.head.Seq); err != nil || n == s.Seen {
		return false, err
	}
	next, err := messageAt(s.r, s.room, s.Through+1)
	if err != nil {
		return true, err
	}
	if end, err := s.seenThrough(next.Seq); err != nil || end == 0 && next.Counts(s.user) {
		return true, err
	}
	if n, err := s.countThrough(s.head.Seq); err != nil || n == 0 {
		return false, err
	}
	first, err := s.first()
	if err != nil {
		return true, err
	}
	return true, s.seeThrough(t, first.Seq-1)
}

// setThrough moves Through and what is counted up to it.
func (s *state) setThrough(seq store.Seq) error {
	countable, own := uint64(0), uint64(0)
	switch seq {
	case 0:
	case s.head.Seq:
		countable, own = s.head.Countable, s.Own
	default:
		m, err := messageAt(s.r, s.room, seq)
		if err != nil {
			return err
		}
		countable = m.Countable
		if own, err = ownThrough(s.r, s.room, s.user, seq); err != nil {
			return err
		}
	}
	s.Through, s.CountableThrough, s.OwnThrough = seq, countable, own
	return nil
}

// unsee makes seq and all after it unread again. It reports whether that changed
// anything; the caller writes the membership.
func (s *state) unsee(t *tx, seq store.Seq) (changed bool, err error) {
	err = s.eachSeen(seq, func(through store.Seq, of seen) (bool, error) {
		changed = true
		s.dropSeen(t, through, of)
		if of.From >= seq {
			return true, nil
		}
		return true, s.addSeen(t, span{of.From, seq - 1})
	})
	if through := max(seq-1, s.JoinedSeq); err == nil && through < s.Through {
		return true, s.setThrough(through)
	}
	return changed, err
}

// seeRead makes what has a receipt before seq seen again: there is one marker, and when it
// moves on, an earlier place of it counts no more. It reports whether that changed
// anything; the caller writes the membership.
func (s *state) seeRead(t *tx, seq store.Seq) (changed bool, err error) {
	if seq <= s.Through+1 {
		return false, nil
	}
	if n, err := s.countThrough(seq - 1); err != nil || n == 0 {
		return false, err
	}
	var read []span
	err = eachReading(s.r, s.room, s.user, s.Through+1, func(through store.Seq, of reading) bool {
		if of.From < seq {
			read = append(read, span{max(of.From, s.Through+1), min(through, seq-1)})
		}
		return of.From < seq
	})
	for _, of := range read {
		if err != nil {
			break
		}
		var more bool
		more, err = s.seeSpan(t, of)
		changed = changed || more
	}
	if err != nil || !changed {
		return changed, err
	}
	n, err := s.countThrough(seq - 1)
	if err == nil && n == 0 {
		err = s.seeThrough(t, seq-1)
	}
	return changed, err
}

// seeSpan adds what is beyond Through to the seen ranges, joined with those it overlaps.
func (s *state) seeSpan(t *tx, what span) (changed bool, err error) {
	before, within := s.Seen, false
	err = s.eachSeen(what.from, func(through store.Seq, of seen) (bool, error) {
		if of.From > what.through {
			return false, nil
		}
		if within = of.From <= what.from && through >= what.through; within {
			return false, nil
		}
		what = span{min(what.from, of.From), max(what.through, through)}
		s.dropSeen(t, through, of)
		return true, nil
	})
	if err != nil || within {
		return false, err
	}
	err = s.addSeen(t, what)
	return s.Seen != before, err
}

// addSeen makes a range seen that is beyond Through and overlaps no other.
func (s *state) addSeen(t *tx, what span) error {
	n, err := s.othersIn(what.from, what.through)
	if err != nil || n == 0 {
		return err
	}
	s.Seen += n
	t.set(inRoom(tagSeen, s.room, s.user).seq(what.through), seen{what.from, n}.encode())
	return nil
}

func (s *state) dropSeen(t *tx, through store.Seq, of seen) {
	s.Seen -= of.Count
	t.delete(inRoom(tagSeen, s.room, s.user).seq(through))
}

// eachReading visits a person's receipts that end at or after from, until visit returns false.
func eachReading(r reader, room store.RoomID, user store.UserID, from store.Seq, visit func(through store.Seq, of reading) bool) error {
	prefix := inRoom(tagRead, room, user)
	return r.ascend(prefix, prefix.clone().seq(from), func(k, value []byte) (bool, error) {
		of, err := decodeReading(value)
		return err == nil && visit(lastSeq(k), of), err
	})
}

// gaps returns the parts of what that no receipt covers and that hold something to have one.
func (s *state) gaps(what span) (gaps []span, err error) {
	from := what.from
	err = eachReading(s.r, s.room, s.user, from, func(through store.Seq, of reading) bool {
		if of.From > from {
			gaps = append(gaps, span{from, min(of.From-1, what.through)})
		}
		from = through + 1
		return from <= what.through
	})
	if err != nil {
		return nil, err
	}
	if from <= what.through {
		gaps = append(gaps, span{from, what.through})
	}
	kept := gaps[:0]
	for _, gap := range gaps {
		if n, err := s.readable(gap); err != nil {
			return nil, err
		} else if n > 0 {
			kept = append(kept, gap)
		}
	}
	return kept, nil
}

// readable returns how many messages can have the person's receipt.
func (s *state) readable(what span) (uint64, error) {
	n, err := s.othersIn(what.from, what.through)
	if err != nil || n == 0 {
		return n, err
	}
	err = s.eachTomb(what.from, what.through, func(store.Seq) error { n--; return nil })
	return n, err
}

// addReading writes a receipt, as one with its neighbours of exactly the same time.
func (s *state) addReading(t *tx, what span, at time.Time) error {
	k := inRoom(tagRead, s.room, s.user)
	left := k.clone().seq(what.from - 1)
	if before, ok, err := decoded(t, left, decodeReading); err != nil {
		return err
	} else if ok && before.At.Equal(at) {
		t.delete(left)
		what.from = before.From
	}
	err := eachReading(t, s.room, s.user, what.through+1, func(through store.Seq, next reading) bool {
		if next.From == what.through+1 && next.At.Equal(at) {
			what.through = through
		}
		return false
	})
	t.set(k.seq(what.through), reading{what.from, at}.encode())
	return err
}

// Read marks everything since the latest join, through a message.
func (s *Store) Read(ctx context.Context, room store.RoomID, user store.UserID, through store.MessageID, at time.Time) (store.Unread, error) {
	at = millis(at)
	err := s.write(ctx, func(t *tx) error {
		of, err := stateOf(t, room, user)
		if err != nil {
			return err
		}
		m, ok, err := findMessage(t, through)
		if err != nil {
			return err
		}
		if !ok || m.Room != room {
			return store.NotFound("message", through.String())
		}
		return of.readThrough(t, m, at)
	})
	if err != nil {
		return store.Unread{}, err
	}
	return s.UnreadIn(ctx, room, user)
}

func (s *state) readThrough(t *tx, m store.Message, at time.Time) error {
	var gaps []span
	from := max(s.JoinedSeq, s.Receipts) + 1
	if from <= m.Seq {
		var err error
		if gaps, err = s.gaps(span{from, m.Seq}); err != nil {
			return err
		}
	}
	waiting, err := s.countThrough(m.Seq)
	if err != nil || waiting == 0 && len(gaps) == 0 {
		return err
	}
	first := m.Seq
	if waiting > 0 {
		first = s.Through + 1
	}
	for _, gap := range gaps {
		first = min(first, gap.from)
		if err := s.addReading(t, gap, at); err != nil {
			return err
		}
	}
	s.Receipts = max(s.Receipts, m.Seq)
	if err := s.seeThrough(t, m.Seq); err != nil {
		return err
	}
	setMembership(t, s.room, s.user, s.membership)
	t.log(store.Change{Kind: store.MessagesRead, Room: s.room, User: s.user, From: first, Seq: m.Seq, Message: m.ID, At: at})
	return nil
}

// ReadOne marks exactly one message and returns when it was first read.
func (s *Store) ReadOne(ctx context.Context, id store.MessageID, user store.UserID, at time.Time) (first time.Time, err error) {
	at = millis(at)
	return writeFor(ctx, s, func(t *tx) (time.Time, error) {
		m, err := getMessage(t, id)
		if err != nil {
			return at, err
		}
		of, err := stateOf(t, m.Room, user)
		if err != nil || !m.Counts(user) {
			return at, err
		}
		return of.readOne(t, m, at)
	})
}

func (s *state) readOne(t *tx, m store.Message, at time.Time) (first time.Time, err error) {
	changed := true
	first = at
	err = eachReading(t, s.room, s.user, m.Seq, func(_ store.Seq, of reading) bool {
		if of.From <= m.Seq {
			changed, first = false, of.At
		}
		return false
	})
	if err == nil && changed {
		err = s.addReading(t, span{m.Seq, m.Seq}, at)
	}
	if err != nil {
		return first, err
	}
	end, err := s.seenThrough(m.Seq)
	if err != nil {
		return first, err
	}
	if m.Seq > s.Through && end == 0 {
		changed = true
		waiting, err := s.countThrough(m.Seq)
		if err != nil {
			return first, err
		}
		if waiting > 1 {
			err = s.addSeen(t, span{m.Seq, m.Seq})
		} else {
			err = s.seeThrough(t, m.Seq)
		}
		if err != nil {
			return first, err
		}
		setMembership(t, s.room, s.user, s.membership)
	}
	if changed {
		t.log(store.Change{Kind: store.MessagesRead, Room: s.room, User: s.user, From: m.Seq, Seq: m.Seq, Message: m.ID, At: first})
	}
	return first, nil
}

// MarkUnread sets the person's marker.
func (s *Store) MarkUnread(ctx context.Context, id store.MessageID, user store.UserID) (store.Unread, error) {
	room, err := writeFor(ctx, s, func(t *tx) (store.RoomID, error) {
		m, err := getMessage(t, id)
		if err != nil {
			return "", err
		}
		of, err := stateOf(t, m.Room, user)
		if err != nil {
			return "", err
		}
		back, err := of.seeRead(t, m.Seq)
		if err != nil {
			return "", err
		}
		changed, err := of.unsee(t, m.Seq)
		if err != nil || !back && !changed {
			return m.Room, err
		}
		setMembership(t, m.Room, user, of.membership)
		t.log(store.Change{Kind: store.MarkedUnread, Room: m.Room, User: user, Message: id, Seq: m.Seq})
		return m.Room, nil
	})
	if err != nil {
		return store.Unread{}, err
	}
	return s.UnreadIn(ctx, room, user)
}

// Readers returns the receipts that cover a message, by UserID.
func (s *Store) Readers(ctx context.Context, id store.MessageID) ([]store.Receipt, error) {
	var readers []store.Receipt
	err := s.view(ctx, func(r *snapshot) error {
		m, err := getMessage(r, id)
		if err != nil || m.Deleted || m.Type == store.TypeSystem {
			return err
		}
		prefix := newKey(tagRead).room(m.Room)
		// One seek for each person who has receipts in the room: to the first range of
		// theirs that ends at the message or later.
		return r.leap(prefix, prefix.clone().user(0).seq(m.Seq), func(k, value []byte) (key, error) {
			f := readKey(k[len(prefix)-1:])
			user, through := f.user(), f.seq()
			if through < m.Seq {
				return prefix.clone().user(user).seq(m.Seq), nil
			}
			of, err := decodeReading(value)
			if err == nil && of.From <= m.Seq && user != m.Author {
				readers = append(readers, store.Receipt{Room: m.Room, User: user, From: m.Seq, Through: m.Seq, At: of.At})
			}
			return prefix.clone().user(user + 1).seq(m.Seq), err
		})
	})
	if err != nil {
		return nil, err
	}
	return readers, nil
}
