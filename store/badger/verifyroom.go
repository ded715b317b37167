package badger

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

func isDamage(err error) bool { return errors.Is(err, errDamaged) }

func contains(users []store.UserID, user store.UserID) bool { return slices.Contains(users, user) }

// roomVerifier checks what belongs to one room.
type roomVerifier struct {
	*verifier
	room store.Room
	head head
}

func (v *roomVerifier) id() store.RoomID { return v.room.ID }

func (v *roomVerifier) prefix(tag byte) key { return newKey(tag).room(v.id()) }

// inRoom visits the keys of one tag, whose fields begin after the room.
func (v *roomVerifier) inRoom(tag byte, visit func(f fields, value []byte) error) error {
	return v.each(v.prefix(tag), func(_ key, f fields, value []byte) error {
		f.room()
		return visit(f, value)
	})
}

func (v *roomVerifier) verify() error {
	for _, check := range []func() error{v.listed, v.messages, v.replies, v.ordinals, v.tombs, v.roomMentions, v.members, v.receipts, v.seen} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (v *roomVerifier) listed() error {
	if v.head.Importing {
		ok, err := v.has(importingKey(v.id()))
		if err != nil || !ok {
			v.found("room is read-only without an import", "room %s", v.id())
			return err
		}
	}
	if v.room.Kind != store.KindOpen {
		return nil
	}
	open, err := v.has(openKey(v.id()))
	if err != nil {
		return err
	}
	named, err := v.has(namedKey(v.room.Name, v.room.CreatedAt, v.id()))
	if !open || !named {
		v.found("open room is not listed", "room %s", v.id())
	}
	return err
}

// messages checks the messages one by one and the head against what they come to.
func (v *roomVerifier) messages() error {
	var is head
	err := v.inRoom(tagMessage, func(f fields, value []byte) error {
		seq := f.seq()
		if seq != is.Seq+1 {
			v.found("a room's numbers have a gap", "room %s, messages %d through %d", v.id(), is.Seq+1, seq-1)
		}
		is.Seq = seq
		m, err := decodeMessage(v.id(), seq, value)
		if err != nil {
			return err
		}
		is.Last = m.ID
		if m.Type != store.TypeSystem {
			is.Countable++
			is.LastAt = m.At
		}
		if m.Countable != is.Countable {
			v.found("message count is wrong", "room %s, message %d: %d instead of %d", v.id(), seq, m.Countable, is.Countable)
			is.Countable = m.Countable // said once
		}
		if m.Deleted {
			is.LastTomb = seq
		}
		if m.MentionsRoom {
			is.LastRoomMention = seq
		}
		return v.message(&m)
	})
	if err != nil {
		return err
	}
	h := v.head
	if h.Seq != is.Seq || h.Last != is.Last {
		v.found("head is not the newest message", "room %s: head %d %s, newest %d %s", v.id(), h.Seq, h.Last, is.Seq, is.Last)
	}
	if h.Countable != is.Countable || h.Posted > h.Countable || !h.LastAt.Equal(is.LastAt) {
		v.found("head counts wrong", "room %s: %d posted, %d countable instead of %d, last at %v instead of %v", v.id(), h.Posted, h.Countable, is.Countable, h.LastAt, is.LastAt)
	}
	if h.LastTomb < is.LastTomb || h.LastRoomMention < is.LastRoomMention {
		v.found("head forgets deleted messages or mentions", "room %s: %d and %d instead of %d and %d", v.id(), h.LastTomb, h.LastRoomMention, is.LastTomb, is.LastRoomMention)
	}
	return nil
}

// message checks that everything that should lead to a message does.
func (v *roomVerifier) message(m *store.Message) error {
	where := func(what string) { v.found(what, "room %s, message %d", v.id(), m.Seq) }
	at, ok, err := decoded(v, idKey(m.ID), decodePlace)
	if err != nil {
		return err
	}
	if !ok || at != (place{m.Room, m.Seq}) {
		where("message that its id does not lead to")
	}
	if m.Type != store.TypeSystem {
		if ok, err := v.has(inRoom(tagBy, m.Room, m.Author).seq(m.Seq)); err != nil {
			return err
		} else if !ok {
			where("message is not counted for its author")
		}
	}
	if m.Deleted {
		if ok, err := v.has(tombKey(m.Room, m.Seq)); err != nil {
			return err
		} else if !ok || m.Content != "" || len(m.Mentions) > 0 || m.MentionsRoom {
			where("deleted message is not quite gone")
		}
	}
	if !v.reactionsFine(m) {
		where("reactions are beyond the limits or repeated")
	}
	if err := v.messageMentions(m); err != nil {
		return err
	}
	return v.messageThread(m)
}

func (v *roomVerifier) reactionsFine(m *store.Message) bool {
	names := make(map[string]bool)
	for _, r := range m.Reactions {
		names[r.Name] = true
		users := slices.Clone(r.Users)
		slices.Sort(users)
		if r.Name == "" || len(r.Name) > store.MaxReaction || len(users) == 0 || len(slices.Compact(users)) != len(r.Users) {
			return false
		}
	}
	return len(names) == len(m.Reactions) && len(names) <= store.MaxReactionKinds
}

func (v *roomVerifier) messageMentions(m *store.Message) error {
	if m.MentionsRoom {
		if ok, err := v.has(roomMentionKey(m.Room, m.Seq)); err != nil {
			return err
		} else if !ok {
			v.found("mention of everybody is not listed", "room %s, message %d", v.id(), m.Seq)
		}
	}
	for _, user := range m.Mentions {
		member, ok, err := getMembership(v, m.Room, user)
		if err != nil {
			return err
		}
		if !ok || member.JoinedSeq >= m.Seq || user == m.Author {
			continue // nothing is kept for those who were not there, or may not have been
		}
		ok, err = v.has(mentionKey(user, m.Room, m.Seq))
		if err != nil {
			return err
		}
		if !ok || member.LastMention < m.Seq {
			v.found("mention is not listed", "room %s, message %d, user %d", v.id(), m.Seq, user)
		}
	}
	return nil
}

// messageThread checks a reply's place in its tree, or a root's count of replies.
func (v *roomVerifier) messageThread(m *store.Message) error {
	if m.RootSeq == 0 {
		n := 0
		if m.ReplyCount > 0 {
			err := v.each(v.prefix(tagReply).seq(m.Seq), func(key, fields, []byte) error { n++; return nil })
			if err != nil {
				return err
			}
		}
		if n != m.ReplyCount {
			v.found("reply count is wrong", "room %s, message %d: %d instead of %d", v.id(), m.Seq, m.ReplyCount, n)
		}
		return nil
	}
	ok, err := v.has(replyKey(m.Room, m.RootSeq, m.Seq))
	if err != nil {
		return err
	}
	if !ok {
		v.found("reply is not listed under its root", "room %s, message %d", v.id(), m.Seq)
	}
	root, err := messageAt(v, m.Room, m.RootSeq)
	if err != nil && !isDamage(err) {
		return err
	}
	parent, found, perr := findMessage(v, m.Parent)
	if perr != nil && !isDamage(perr) {
		return perr
	}
	inTree := parent.ID == m.Root || parent.Root == m.Root
	if err != nil || root.ID != m.Root || root.RootSeq != 0 || m.RootSeq >= m.Seq || !found || parent.Room != m.Room || !inTree {
		v.found("reply hangs on the wrong message", "room %s, message %d", v.id(), m.Seq)
	}
	return nil
}

func (v *roomVerifier) replies() error {
	return v.inRoom(tagReply, func(f fields, _ []byte) error {
		root, seq := f.seq(), f.seq()
		m, err := messageAt(v, v.id(), seq)
		if err != nil && !isDamage(err) {
			return err
		}
		top, err := messageAt(v, v.id(), root)
		if err != nil && !isDamage(err) {
			return err
		}
		if m.RootSeq != root || top.ReplyCount == 0 {
			v.found("thread lists what is not in it", "room %s, thread %d, message %d", v.id(), root, seq)
		}
		return nil
	})
}

func (v *roomVerifier) ordinals() error {
	var user store.UserID
	var last uint64
	return v.inRoom(tagBy, func(f fields, value []byte) error {
		author, seq := f.user(), f.seq()
		if author != user {
			user, last = author, 0
		}
		n, err := decodeNumber(value)
		if err != nil {
			return err
		}
		if n != last+1 {
			v.found("count of an author's messages is wrong", "room %s, user %d, message %d: %d instead of %d", v.id(), user, seq, n, last+1)
		}
		last = n
		m, err := messageAt(v, v.id(), seq)
		if err == nil && (m.Author != author || m.Type == store.TypeSystem) {
			v.found("message counted for somebody else", "room %s, user %d, message %d", v.id(), user, seq)
		}
		return err
	})
}

func (v *roomVerifier) tombs() error {
	return v.inRoom(tagTomb, func(f fields, value []byte) error {
		seq := f.seq()
		author, err := decodeNumber(value)
		if err != nil {
			return err
		}
		m, err := messageAt(v, v.id(), seq)
		if err == nil && (!m.Deleted || m.Author != store.UserID(author)) {
			v.found("message listed as deleted is not", "room %s, message %d", v.id(), seq)
		}
		return err
	})
}

func (v *roomVerifier) roomMentions() error {
	return v.inRoom(tagRoomMention, func(f fields, value []byte) error {
		seq := f.seq()
		author, err := decodeNumber(value)
		if err != nil {
			return err
		}
		m, err := messageAt(v, v.id(), seq)
		if err == nil && (!m.MentionsRoom || m.Author != store.UserID(author)) {
			v.found("mention of everybody that its message does not have", "room %s, message %d", v.id(), seq)
		}
		return err
	})
}

func (v *roomVerifier) members() error {
	var is head
	var people []store.UserID // of a direct room
	err := v.inRoom(tagMember, func(f fields, _ []byte) error {
		is.Members++
		user := f.user()
		if v.room.Kind == store.KindDirect {
			people = append(people, user)
		}
		m, ok, err := getMembership(v, v.id(), user)
		if err != nil {
			return err
		}
		if !ok {
			v.found("member who does not know of it", "room %s, user %d", v.id(), user)
			return nil
		}
		if m.Hidden {
			is.Hidden++
		}
		return v.member(&state{v, v.id(), user, v.head, m})
	})
	if is.Members != v.head.Members || is.Hidden != v.head.Hidden {
		v.found("member count is wrong", "room %s: %d and %d hidden instead of %d and %d", v.id(), v.head.Members, v.head.Hidden, is.Members, is.Hidden)
	}
	if v.room.Kind != store.KindDirect {
		if is.Hidden > 0 {
			v.found("room is hidden but not direct", "room %s", v.id())
		}
		return err
	}
	value, ok, pairErr := v.get(pairKey(people))
	if err == nil && (!ok || string(value[1:]) != string(v.id())) {
		v.found("people's direct room is another one", "room %s", v.id())
	}
	return cmp.Or(err, pairErr)
}

// member checks one person's read state.
func (v *roomVerifier) member(s *state) error {
	where := func(what string) { v.found(what, "room %s, user %d", s.room, s.user) }
	if s.JoinedSeq > s.Through || s.Through > v.head.Seq || s.Receipts > v.head.Seq {
		where("read position is outside of the room")
		return nil
	}
	own, err := ownThrough(v, s.room, s.user, v.head.Seq)
	if err != nil {
		return err
	}
	was := s.membership
	if err := s.setThrough(s.Through); err != nil {
		return err
	}
	if own != was.Own || s.CountableThrough != was.CountableThrough || s.OwnThrough != was.OwnThrough {
		where("read position counts wrong")
	}
	if s.Receipts > s.JoinedSeq {
		if gaps, err := s.gaps(span{s.JoinedSeq + 1, s.Receipts}); err != nil {
			return err
		} else if len(gaps) > 0 {
			where("receipts reach less far than noted")
		}
	}
	return v.seenBy(s)
}

// seenBy checks the ranges that one person has seen beyond Through.
func (v *roomVerifier) seenBy(s *state) error {
	where := func(what string) { v.found(what, "room %s, user %d", s.room, s.user) }
	last, total := s.Through, uint64(0)
	err := v.each(inRoom(tagSeen, s.room, s.user), func(k key, _ fields, value []byte) error {
		through := lastSeq(k)
		of, err := decodeSeen(value)
		if err != nil {
			return err
		}
		if of.From <= last || of.From > through || through > v.head.Seq {
			where("seen messages overlap or are outside of the room")
			return nil
		}
		n, err := s.othersIn(of.From, through)
		if n != of.Count {
			where("seen messages are counted wrong")
		}
		last = through
		total += of.Count
		return err
	})
	if err == nil && total != s.Seen {
		where("seen messages do not come to their sum")
	}
	return err
}

// seen looks for ranges of people who are not in the room.
func (v *roomVerifier) seen() error {
	return v.inRoom(tagSeen, func(f fields, _ []byte) error {
		user := f.user()
		ok, err := v.has(memberKey(v.id(), user))
		if !ok {
			v.found("seen messages of somebody who is not in the room", "room %s, user %d", v.id(), user)
		}
		return err
	})
}

func (v *roomVerifier) receipts() error {
	var user store.UserID
	var last store.Seq
	var lastAt time.Time
	return v.inRoom(tagRead, func(f fields, value []byte) error {
		who, through := f.user(), f.seq()
		if who != user {
			user, last, lastAt = who, 0, time.Time{}
		}
		of, err := decodeReading(value)
		if err != nil {
			return err
		}
		switch {
		case of.From == 0 || of.From > through || of.From <= last:
			v.found("receipts overlap", "room %s, user %d, messages %d through %d", v.id(), user, of.From, through)
		case through > v.head.Seq:
			v.found("receipt for messages that are not there", "room %s, user %d, through %d", v.id(), user, through)
		case of.From == last+1 && of.At.Equal(lastAt):
			v.found("receipts are not joined", "room %s, user %d, message %d", v.id(), user, of.From)
		}
		last, lastAt = through, of.At
		return nil
	})
}
