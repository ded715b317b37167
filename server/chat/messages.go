package chat

import (
	"context"

	"github.com/hearthchat/hearth/store"
)

// MaxPage is the most messages a page holds.
const MaxPage = 200

// Post stores a message by an account in a room they are a member of. repeated says that
// the client id had been used for this very message before. Type may be empty, text,
// image or file.
func (s *Service) Post(ctx context.Context, by store.User, d store.Draft) (m store.Message, repeated bool, err error) {
	if err := s.limits.post(by.ID); err != nil {
		return m, false, err
	}
	if err := store.CheckClientID(d.ClientID); err != nil {
		return m, false, err
	}
	switch d.Type {
	case "":
		d.Type = store.TypeText
	case store.TypeText, store.TypeImage, store.TypeFile:
	default:
		return m, false, store.Invalid("message_type", "must be text, image or file")
	}
	if _, err := s.joined(ctx, by, d.Room); err != nil {
		return m, false, err
	}
	if d.Content, err = store.TrimContent(d.Content); err != nil {
		return m, false, err
	}
	d.ID, d.Author = store.MessageID{}, by.ID
	if d.Mentions, d.MentionsRoom, err = s.mentions(ctx, d.Room, d.Content); err != nil {
		return m, false, err
	}
	return s.rooms.Append(ctx, d)
}

// Edit changes the content of one's own message.
func (s *Service) Edit(ctx context.Context, by store.User, id store.MessageID, content string) (store.Message, error) {
	if err := s.limits.write(by.ID); err != nil {
		return store.Message{}, err
	}
	m, _, err := s.messageInside(ctx, by, id)
	if err != nil {
		return m, err
	}
	if m.Author != by.ID {
		return m, errNotAuthor
	}
	if content, err = store.TrimContent(content); err != nil {
		return m, err
	}
	people, room, err := s.mentions(ctx, m.Room, content)
	if err != nil {
		return m, err
	}
	return s.rooms.EditMessage(ctx, id, by.ID, func(m *store.Message) error {
		if m.Author != by.ID {
			return errNotAuthor
		}
		m.Content, m.Mentions, m.MentionsRoom = content, people, room
		return nil
	})
}

// Delete removes the content of a message: one's own, or as owner or moderator of the room
// anybody's. A message that is deleted already stays so.
func (s *Service) Delete(ctx context.Context, by store.User, id store.MessageID) (store.Message, error) {
	if err := s.limits.write(by.ID); err != nil {
		return store.Message{}, err
	}
	m, a, err := s.messageInside(ctx, by, id)
	if err != nil {
		return m, err
	}
	if m.Author != by.ID && !a.member.Owns() {
		return m, errNotAuthor
	}
	if m.Deleted {
		return m, nil
	}
	return s.rooms.EditMessage(ctx, id, by.ID, func(m *store.Message) error {
		m.Deleted = true
		return nil
	})
}

// React adds or takes back a reaction; changed is false when there was nothing to do.
func (s *Service) React(ctx context.Context, by store.User, id store.MessageID, reaction string, on bool) (m store.Message, changed bool, err error) {
	if err := s.limits.write(by.ID); err != nil {
		return m, false, err
	}
	if err := store.CheckReaction(reaction); err != nil {
		return m, false, err
	}
	if m, _, err = s.messageInside(ctx, by, id); err != nil {
		return m, false, err
	}
	return s.rooms.React(ctx, id, by.ID, reaction, on)
}

// Message returns a message of a room that by may read.
func (s *Service) Message(ctx context.Context, by store.User, id store.MessageID) (store.Message, error) {
	m, _, err := s.message(ctx, by, id)
	return m, err
}

// Query asks for a page. At most one of Before, After and Around is set; none asks for the
// newest page. Limit is between 1 and MaxPage.
type Query struct {
	Before store.MessageID
	After  store.MessageID
	Around store.MessageID
	Offset store.Seq // how many of the newest to pass over; only without the others
	Limit  int
}

// History returns a page of a room that by may read, in ascending Seq.
func (s *Service) History(ctx context.Context, by store.User, room store.RoomID, q Query) ([]store.Message, error) {
	a, err := s.visible(ctx, by, room)
	if err != nil {
		return nil, err
	}
	if q.Offset > 0 {
		if q.Offset >= a.room.Head {
			return nil, nil
		}
		return s.rooms.Page(ctx, room, store.Span{Before: a.room.Head + 1 - q.Offset, Limit: q.Limit})
	}
	return s.page(ctx, q, room, func(span store.Span) ([]store.Message, error) { return s.rooms.Page(ctx, room, span) })
}

// Thread returns a page of the tree that a message belongs to, from its root on.
func (s *Service) Thread(ctx context.Context, by store.User, id store.MessageID, q Query) ([]store.Message, error) {
	m, _, err := s.message(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return s.page(ctx, q, m.Room, func(span store.Span) ([]store.Message, error) {
		span.Oldest = span.Before == 0 && span.After == 0
		return s.rooms.Thread(ctx, id, span)
	})
}

// page turns the ids of a query into places and reads.
func (s *Service) page(ctx context.Context, q Query, room store.RoomID, read func(store.Span) ([]store.Message, error)) ([]store.Message, error) {
	switch {
	case !q.Before.IsZero():
		at, err := s.place(ctx, "before", q.Before, room)
		if err != nil {
			return nil, err
		}
		return read(store.Span{Before: at, Limit: q.Limit})
	case !q.After.IsZero():
		at, err := s.place(ctx, "after", q.After, room)
		if err != nil {
			return nil, err
		}
		return read(store.Span{After: at, Limit: q.Limit})
	case !q.Around.IsZero():
		at, err := s.place(ctx, "around", q.Around, room)
		if err != nil {
			return nil, err
		}
		older, err := read(store.Span{Before: at + 1, Limit: q.Limit/2 + 1})
		if err != nil || len(older) >= q.Limit {
			return older, err
		}
		newer, err := read(store.Span{After: at, Limit: q.Limit - len(older)})
		return append(older, newer...), err
	}
	return read(store.Span{Limit: q.Limit})
}

// place returns where in the room a message stands that a query names.
func (s *Service) place(ctx context.Context, field string, id store.MessageID, room store.RoomID) (store.Seq, error) {
	m, err := s.rooms.Message(ctx, id)
	if err != nil || m.Room != room {
		return 0, store.Invalid(field, "must be the id of a message in this room")
	}
	return m.Seq, nil
}

// Typing reports whether by may say in a room that they are typing.
func (s *Service) Typing(ctx context.Context, by store.User, room store.RoomID) error {
	if err := s.limits.write(by.ID); err != nil {
		return err
	}
	_, err := s.joined(ctx, by, room)
	return err
}
