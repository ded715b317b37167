package badger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// maxContentBytes keeps a message well within one transaction; chat's own limit is far below.
const maxContentBytes = 256 << 10

// Append makes d the newest message of its room.
func (s *Store) Append(ctx context.Context, d store.Draft) (m store.Message, repeated bool, err error) {
	d.Type = cmp.Or(d.Type, store.TypeText)
	if !slices.Contains(messageTypes, d.Type) || d.Type == store.TypeSystem {
		return m, false, store.Invalid("message_type", "must be text, image or file")
	}
	if len(d.Content) > maxContentBytes {
		return m, false, store.Invalid("content", "is too long")
	}
	if err := store.CheckClientID(d.ClientID); err != nil {
		return m, false, err
	}
	d.Mentions = slices.Compact(slices.Sorted(slices.Values(d.Mentions)))
	print := fingerprint(d)
	type outcome struct {
		message  store.Message
		repeated bool
	}
	o, err := writeFor(ctx, s, func(t *tx) (o outcome, err error) {
		o.message, o.repeated, err = appendDraft(t, d, print)
		return o, err
	})
	return o.message, o.repeated, err
}

func appendDraft(t *tx, d store.Draft, print [8]byte) (m store.Message, repeated bool, err error) {
	h, err := getHead(t, d.Room)
	if err != nil {
		return m, false, err
	}
	member, err := joined(t, d.Room, d.Author)
	if err != nil {
		return m, false, err
	}
	if d.ClientID != "" {
		m, repeated, err := repeatOf(t, d, print)
		if err != nil || repeated {
			return m, repeated, err
		}
	}
	if h.Importing {
		return m, false, store.ErrImportRunning
	}
	m = store.Message{
		ID: d.ID, Room: d.Room, Author: d.Author, Type: d.Type, Content: d.Content, At: t.now,
		Mentions: slices.Clone(d.Mentions), MentionsRoom: d.MentionsRoom, ClientID: d.ClientID,
	}
	if err := identify(t, &m); err != nil {
		return m, false, err
	}
	if err := attach(t, &m, d.Parent); err != nil {
		return m, false, err
	}
	if h.Hidden > 0 {
		if err := unhideAll(t, &h, d.Room); err != nil {
			return m, false, err
		}
		member.Hidden = false
	}
	author := state{t, d.Room, d.Author, h, member}
	if err := author.post(t, &m); err != nil {
		return m, false, err
	}
	h = author.head
	if err := addMentions(t, &h, &m); err != nil {
		return m, false, err
	}
	t.set(headKey(d.Room), h.encode())
	if d.ClientID != "" {
		// Badger's clock is the real one, whatever ours is.
		t.setUntil(onceKey(d.Author, d.ClientID), once{m.ID, print, t.now}.encode(), time.Now().Add(store.ClientIDLife))
	}
	t.log(store.Change{Kind: store.MessagePosted, Room: m.Room, User: m.Author, Message: m.ID, Seq: m.Seq, RecordMessage: record(m)})
	return m, false, nil
}

// post writes m as the person's own newest message. The caller writes the head.
func (s *state) post(t *tx, m *store.Message) error {
	waiting, err := s.skip(t)
	if err != nil {
		return err
	}
	putMessage(t, &s.head, m)
	s.head.Posted++
	s.Own++
	t.set(inRoom(tagBy, s.room, s.user).seq(m.Seq), encodeNumber(s.Own))
	if !waiting {
		if err := s.seeThrough(t, m.Seq); err != nil {
			return err
		}
	}
	setMembership(t, s.room, s.user, s.membership)
	return nil
}

// repeatOf finds the message that d repeats.
func repeatOf(t *tx, d store.Draft, print [8]byte) (m store.Message, repeated bool, err error) {
	o, ok, err := decoded(t, onceKey(d.Author, d.ClientID), decodeOnce)
	if err != nil || !ok || !t.now.Before(o.At.Add(store.ClientIDLife)) {
		return m, false, err
	}
	if o.Fingerprint != print {
		return m, false, store.ErrOtherClientID
	}
	m, ok, err = findMessage(t, o.ID)
	return m, ok, err
}

// fingerprint tells drafts apart that a client may not send under one client id.
func fingerprint(d store.Draft) (sum [8]byte) {
	if d.ClientID == "" {
		return sum
	}
	b := pack(64 + len(d.Content)).text(string(d.Room)).id(d.Parent).text(string(d.Type)).text(d.Content)
	hash := sha256.Sum256(b)
	copy(sum[:], hash[:])
	return sum
}

// identify gives m an id, or makes sure that the one it has is its own.
func identify(t *tx, m *store.Message) error {
	if m.ID.IsZero() {
		m.ID = t.newID()
		return nil
	}
	_, taken, err := findMessage(t, m.ID)
	if err == nil && taken {
		err = store.Conflict("message_exists", "Message already exists", "message_id: use a new one")
	}
	return err
}

// attach makes m a reply to parent, unless that is zero, and counts it at the root.
func attach(t *tx, m *store.Message, parent store.MessageID) error {
	if parent.IsZero() {
		return nil
	}
	p, ok, err := findMessage(t, parent)
	if err != nil {
		return err
	}
	if !ok || p.Room != m.Room {
		return store.Invalid("parent_id", "must be a message of this room")
	}
	m.Parent, m.Root, m.RootSeq = parent, p.Root, p.RootSeq
	root := p
	if p.RootSeq == 0 {
		m.Root, m.RootSeq = p.ID, p.Seq
	} else if root, err = messageAt(t, p.Room, p.RootSeq); err != nil {
		return err
	}
	root.ReplyCount++
	t.set(messageKey(root.Room, root.Seq), encodeMessage(&root))
	return nil
}

// putMessage gives m the next place in its room and writes it with its index entries.
// The caller writes the head, and the author's ordinal of what is no system line.
func putMessage(t *tx, h *head, m *store.Message) {
	h.Seq++
	h.Last = m.ID
	if m.Type != store.TypeSystem {
		h.Countable++
		h.LastAt = m.At
	}
	m.Seq, m.Countable = h.Seq, h.Countable
	t.set(messageKey(m.Room, m.Seq), encodeMessage(m))
	t.set(idKey(m.ID), place{m.Room, m.Seq}.encode())
	if m.RootSeq != 0 {
		t.set(replyKey(m.Room, m.RootSeq, m.Seq), present)
	}
}

// postLine stores a system line. The caller writes the head.
func postLine(t *tx, room store.RoomID, h *head, by store.UserID, line string) {
	m := store.Message{ID: t.newID(), Room: room, Author: by, Type: store.TypeSystem, Content: line, At: t.now}
	putMessage(t, h, &m)
	t.log(store.Change{Kind: store.MessagePosted, Room: room, User: by, Message: m.ID, Seq: m.Seq, RecordMessage: record(m)})
}

// record copies m for the log, where it is shared.
func record(m store.Message) *store.Message {
	m = cloneMessage(m)
	return &m
}

func cloneMessage(m store.Message) store.Message {
	m.Mentions = slices.Clone(m.Mentions)
	m.Reactions = slices.Clone(m.Reactions)
	for i := range m.Reactions {
		m.Reactions[i].Users = slices.Clone(m.Reactions[i].Users)
	}
	return m
}

// messageAt returns the message at a place where there must be one.
func messageAt(r reader, room store.RoomID, seq store.Seq) (store.Message, error) {
	m, ok, err := decoded(r, messageKey(room, seq), func(value []byte) (store.Message, error) {
		return decodeMessage(room, seq, value)
	})
	if err == nil && !ok {
		err = fmt.Errorf("message %d of %s: %w", seq, room, errDamaged)
	}
	return m, err
}

// findMessage looks for a message by id, in rooms that are not deleted.
func findMessage(r reader, id store.MessageID) (m store.Message, ok bool, err error) {
	p, ok, err := decoded(r, idKey(id), decodePlace)
	if err != nil || !ok {
		return m, false, err
	}
	if _, ok, err = r.get(headKey(p.Room)); err != nil || !ok {
		return m, false, err
	}
	m, err = messageAt(r, p.Room, p.Seq)
	return m, err == nil, err
}

func getMessage(r reader, id store.MessageID) (store.Message, error) {
	m, ok, err := findMessage(r, id)
	if err == nil && !ok {
		err = store.NotFound("message", id.String())
	}
	return m, err
}

// Message returns a message by its id.
func (s *Store) Message(ctx context.Context, id store.MessageID) (m store.Message, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		m, err = getMessage(r, id)
		return err
	})
	return m, err
}

// Page returns part of a room's history.
func (s *Store) Page(ctx context.Context, room store.RoomID, span store.Span) ([]store.Message, error) {
	var page []store.Message
	prefix := newKey(tagMessage).room(room)
	err := s.view(ctx, func(r *snapshot) error {
		if _, err := getHead(r, room); err != nil {
			return err
		}
		return walkSpan(r, prefix, span, func(seq store.Seq, value []byte) (bool, error) {
			m, err := decodeMessage(room, seq, value)
			page = append(page, m)
			return len(page) < span.Limit, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("page of %s: %w", room, err)
	}
	if backwards(span) {
		slices.Reverse(page)
	}
	return page, nil
}

// Thread returns part of the tree that a message belongs to.
func (s *Store) Thread(ctx context.Context, id store.MessageID, span store.Span) ([]store.Message, error) {
	var thread []store.Message
	err := s.view(ctx, func(r *snapshot) error {
		m, err := getMessage(r, id)
		if err != nil {
			return err
		}
		root := cmp.Or(m.RootSeq, m.Seq)
		add := func(seq store.Seq, _ []byte) (bool, error) {
			m, err := messageAt(r, m.Room, seq)
			thread = append(thread, m)
			return len(thread) < span.Limit, err
		}
		// The root is the oldest of its tree, so it is first going up and last going down.
		if !backwards(span) && root > span.After {
			if more, err := add(root, nil); err != nil || !more {
				return err
			}
		}
		prefix := newKey(tagReply).room(m.Room).seq(root)
		if err := walkSpan(r, prefix, span, add); err != nil {
			return err
		}
		if backwards(span) && len(thread) < span.Limit && (span.Before == 0 || root < span.Before) {
			_, err = add(root, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if backwards(span) {
		slices.Reverse(thread)
	}
	return thread, nil
}

// backwards reports whether a span is read from its newest message on.
func backwards(span store.Span) bool { return span.After == 0 && !span.Oldest }

// walkSpan visits keys that are prefix and a seq, in the direction of a span.
func walkSpan(r reader, prefix key, span store.Span, visit func(store.Seq, []byte) (bool, error)) error {
	each := func(k, value []byte) (bool, error) { return visit(lastSeq(k), value) }
	switch {
	case span.After > 0:
		return r.ascend(prefix, prefix.clone().seq(span.After+1), each)
	case span.Before > 0:
		return r.descend(prefix, prefix.clone().seq(span.Before-1), each)
	case span.Oldest:
		return r.ascend(prefix, prefix, each)
	}
	return r.descend(prefix, nil, each)
}
