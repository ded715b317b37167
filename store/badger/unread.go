package badger

import (
	"context"

	"github.com/hearthchat/hearth/store"
)

// state is what one person has seen in one room, with what is needed to judge it.
type state struct {
	r    reader
	room store.RoomID
	user store.UserID
	head head
	membership
}

// stateOf returns the read state of a member; ErrJoinFirst for others.
func stateOf(r reader, room store.RoomID, user store.UserID) (state, error) {
	h, err := getHead(r, room)
	if err != nil {
		return state{}, err
	}
	m, err := joined(r, room, user)
	return state{r, room, user, h, m}, err
}

// ownThrough returns how many messages a person wrote in a room up to seq. Each of them
// has its ordinal, so one step back finds it.
func ownThrough(r reader, room store.RoomID, user store.UserID, seq store.Seq) (n uint64, err error) {
	prefix := inRoom(tagBy, room, user)
	err = r.descend(prefix, prefix.clone().seq(seq), func(_, value []byte) (_ bool, err error) {
		n, err = decodeNumber(value)
		return false, err
	})
	return n, err
}

// others returns how many messages up to seq are neither system lines nor the person's own.
func (s *state) others(seq store.Seq) (uint64, error) {
	switch seq {
	case 0:
		return 0, nil
	case s.head.Seq:
		return s.head.Countable - s.Own, nil
	case s.Through:
		return s.CountableThrough - s.OwnThrough, nil
	}
	m, err := messageAt(s.r, s.room, seq)
	if err != nil {
		return 0, err
	}
	own, err := ownThrough(s.r, s.room, s.user, seq)
	return m.Countable - own, err
}

// othersIn is others of the messages from through through.
func (s *state) othersIn(from, through store.Seq) (uint64, error) {
	before, err := s.others(from - 1)
	if err != nil {
		return 0, err
	}
	all, err := s.others(through)
	return all - before, err
}

// eachSeen visits the seen ranges that end at or after from, until visit returns false.
func (s *state) eachSeen(from store.Seq, visit func(through store.Seq, of seen) (bool, error)) error {
	if s.Seen == 0 {
		return nil
	}
	prefix := inRoom(tagSeen, s.room, s.user)
	return s.r.ascend(prefix, prefix.clone().seq(from), func(k, value []byte) (bool, error) {
		of, err := decodeSeen(value)
		if err != nil {
			return false, err
		}
		return visit(lastSeq(k), of)
	})
}

// seenThrough returns the end of the seen range that seq is in, or 0.
func (s *state) seenThrough(seq store.Seq) (end store.Seq, err error) {
	err = s.eachSeen(seq, func(through store.Seq, of seen) (bool, error) {
		if of.From <= seq {
			end = through
		}
		return false, nil
	})
	return end, err
}

// eachTomb visits others' deleted messages from through through.
func (s *state) eachTomb(from, through store.Seq, visit func(seq store.Seq) error) error {
	if s.head.LastTomb < from {
		return nil
	}
	prefix := newKey(tagTomb).room(s.room)
	return s.r.ascend(prefix, tombKey(s.room, from), func(k, value []byte) (bool, error) {
		seq := lastSeq(k)
		if seq > through {
			return false, nil
		}
		author, err := decodeNumber(value)
		if err == nil && store.UserID(author) != s.user {
			err = visit(seq)
		}
		return err == nil, err
	})
}

// countThrough returns how many messages up to through are unread: others' beyond
// Through, without those in seen ranges, without deleted ones in none.
func (s *state) countThrough(through store.Seq) (uint64, error) {
	if through <= s.Through {
		return 0, nil
	}
	n, err := s.othersIn(s.Through+1, through)
	if err != nil {
		return 0, err
	}
	if through == s.head.Seq {
		n -= s.Seen
	} else {
		err = s.eachSeen(s.Through+1, func(end store.Seq, of seen) (bool, error) {
			if of.From > through {
				return false, nil
			}
			if end > through {
				of.Count, err = s.othersIn(of.From, through)
			}
			n -= of.Count
			return true, err
		})
	}
	if err != nil || n == 0 {
		return n, err
	}
	err = s.eachTomb(s.Through+1, through, func(seq store.Seq) error {
		end, err := s.seenThrough(seq)
		if end == 0 {
			n--
		}
		return err
	})
	return n, err
}

// first returns the oldest unread message; there must be one.
func (s *state) first() (found store.Message, err error) {
	// Most often it is the very next one, and finding that costs less than a walk.
	m, err := messageAt(s.r, s.room, s.Through+1)
	if err != nil || m.Counts(s.user) && s.Seen == 0 {
		return m, err
	}
	prefix := newKey(tagMessage).room(s.room)
	for from := s.Through + 1; found.Seq == 0 && from != 0 && err == nil; {
		next := store.Seq(0)
		err = s.r.ascend(prefix, messageKey(s.room, from), func(k, value []byte) (bool, error) {
			m, err := decodeMessage(s.room, lastSeq(k), value)
			if err != nil || !m.Counts(s.user) {
				return err == nil, err
			}
			end, err := s.seenThrough(m.Seq)
			if end != 0 {
				next = end + 1 // the range may be long
			} else {
				found = m
			}
			return false, err
		})
		from = next
	}
	return found, err
}

// mentions returns how many unread messages name the person or everybody.
func (s *state) mentions() (n int, err error) {
	unlessSeen := func(seq store.Seq) error {
		end, err := s.seenThrough(seq)
		if end == 0 {
			n++
		}
		return err
	}
	if s.LastMention > s.Through {
		prefix := newKey(tagMention).user(s.user).room(s.room)
		err = s.r.ascend(prefix, mentionKey(s.user, s.room, s.Through+1), func(k, _ []byte) (bool, error) {
			err := unlessSeen(lastSeq(k))
			return err == nil, err
		})
	}
	if err != nil || s.head.LastRoomMention <= s.Through {
		return n, err
	}
	prefix := newKey(tagRoomMention).room(s.room)
	err = s.r.ascend(prefix, roomMentionKey(s.room, s.Through+1), func(k, value []byte) (bool, error) {
		author, err := decodeNumber(value)
		if err != nil || store.UserID(author) == s.user {
			return err == nil, err
		}
		_, counted, err := s.r.get(mentionKey(s.user, s.room, lastSeq(k)))
		if err == nil && !counted {
			err = unlessSeen(lastSeq(k))
		}
		return err == nil, err
	})
	return n, err
}

// unread says what waits. What an import that still runs brought will count as seen when
// it ends, so it does not wait before either.
func (s *state) unread() (store.Unread, error) {
	u := store.Unread{Room: s.room, Hidden: s.Hidden, Head: s.head.Seq}
	through := s.head.Seq
	if s.head.Importing {
		before, err := number(s.r, importingKey(s.room))
		if err != nil {
			return u, err
		}
		through = store.Seq(before)
	}
	n, err := s.countThrough(through)
	if err != nil {
		return u, err
	}
	u.Count = int(n)
	last, lastID := s.head.Seq, s.head.Last
	if n > 0 {
		first, err := s.first()
		if err != nil {
			return u, err
		}
		if u.Mentions, err = s.mentions(); err != nil {
			return u, err
		}
		u.First, last = first.ID, first.Seq-1
		if last > s.JoinedSeq {
			m, err := messageAt(s.r, s.room, last)
			if err != nil {
				return u, err
			}
			lastID = m.ID
		}
	}
	if last > s.JoinedSeq {
		u.LastRead = lastID
	}
	return u, nil
}

// Unread returns what waits in each room of a person, by RoomID; also rooms with nothing.
func (s *Store) Unread(ctx context.Context, user store.UserID) ([]store.Unread, error) {
	var all []store.Unread
	err := s.view(ctx, func(r *snapshot) error {
		return eachRoomOf(r, user, func(room store.RoomID, h head, m membership) error {
			of := state{r, room, user, h, m}
			u, err := of.unread()
			all = append(all, u)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// UnreadIn is Unread of one room; ErrJoinFirst for non-members.
func (s *Store) UnreadIn(ctx context.Context, room store.RoomID, user store.UserID) (u store.Unread, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		of, err := stateOf(r, room, user)
		if err != nil {
			return err
		}
		u, err = of.unread()
		return err
	})
	return u, err
}
