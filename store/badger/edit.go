package badger

import (
	"context"
	"slices"

	"github.com/hearthchat/hearth/store"
)

// addMentions writes who is named by m. One's own name, and those who are not in the room
// and so have nothing unread there, are left out.
func addMentions(t *tx, h *head, m *store.Message) error {
	if m.MentionsRoom {
		t.set(roomMentionKey(m.Room, m.Seq), encodeNumber(uint64(m.Author)))
		h.LastRoomMention = max(h.LastRoomMention, m.Seq)
	}
	for _, user := range m.Mentions {
		if user == m.Author {
			continue
		}
		state, ok, err := getMembership(t, m.Room, user)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		t.set(mentionKey(user, m.Room, m.Seq), present)
		if m.Seq > state.LastMention {
			state.LastMention = m.Seq
			setMembership(t, m.Room, user, state)
		}
	}
	return nil
}

// dropMentions deletes what addMentions wrote.
func dropMentions(t *tx, m *store.Message) {
	if m.MentionsRoom {
		t.delete(roomMentionKey(m.Room, m.Seq))
	}
	for _, user := range m.Mentions {
		if user != m.Author {
			t.delete(mentionKey(user, m.Room, m.Seq))
		}
	}
}

// changeable returns a message that by may change now. gone is what deleted and system
// messages get.
func changeable(t *tx, id store.MessageID, by store.UserID, gone error) (m store.Message, h head, err error) {
	if m, err = getMessage(t, id); err != nil {
		return m, h, err
	}
	if h, err = getHead(t, m.Room); err != nil {
		return m, h, err
	}
	if _, err = joined(t, m.Room, by); err != nil {
		return m, h, err
	}
	if m.Deleted || m.Type == store.TypeSystem {
		return m, h, gone
	}
	if h.Importing {
		return m, h, store.ErrImportRunning
	}
	return m, h, nil
}

var (
	errNotEditable = store.Forbidden("message_not_editable", "System lines and deleted messages cannot be changed")
	errNoReactions = store.Forbidden("no_reactions", "System lines and deleted messages take no reactions")
)

// EditMessage lets edit change a message.
func (s *Store) EditMessage(ctx context.Context, id store.MessageID, by store.UserID, edit func(*store.Message) error) (store.Message, error) {
	return writeFor(ctx, s, func(t *tx) (store.Message, error) {
		before, h, err := changeable(t, id, by, errNotEditable)
		if err != nil {
			return before, err
		}
		edited := cloneMessage(before)
		if err := edit(&edited); err != nil {
			return before, err
		}
		return applyEdit(t, h, before, edited, by)
	})
}

// applyEdit writes what may differ between before and edited, and returns the outcome.
func applyEdit(t *tx, h head, before, edited store.Message, by store.UserID) (store.Message, error) {
	m := cloneMessage(before)
	kind := store.MessageEdited
	if edited.Deleted {
		kind = store.MessageDeleted
		m.Deleted, m.Content, m.Mentions, m.MentionsRoom = true, "", nil, false
	} else {
		if len(edited.Content) > maxContentBytes {
			return m, store.Invalid("content", "is too long")
		}
		m.Content, m.MentionsRoom = edited.Content, edited.MentionsRoom
		m.Mentions = slices.Compact(slices.Sorted(slices.Values(edited.Mentions)))
		if m.Content != before.Content {
			m.EditedAt = t.now
		} else if m.MentionsRoom == before.MentionsRoom && slices.Equal(m.Mentions, before.Mentions) {
			return m, nil
		}
	}
	dropMentions(t, &before)
	if m.Deleted {
		t.set(tombKey(m.Room, m.Seq), encodeNumber(uint64(m.Author)))
		h.LastTomb = max(h.LastTomb, m.Seq)
	} else if err := addMentions(t, &h, &m); err != nil {
		return m, err
	}
	t.set(messageKey(m.Room, m.Seq), encodeMessage(&m))
	t.set(headKey(m.Room), h.encode())
	t.log(store.Change{Kind: kind, Room: m.Room, User: by, Message: m.ID, Seq: m.Seq, RecordMessage: record(m)})
	return m, nil
}

// React adds or takes back one person's reaction.
func (s *Store) React(ctx context.Context, id store.MessageID, by store.UserID, reaction string, on bool) (m store.Message, changed bool, err error) {
	if reaction == "" || len(reaction) > store.MaxReaction {
		return m, false, store.Invalid("reaction", "must be 1 to 64 bytes")
	}
	type outcome struct {
		message store.Message
		changed bool
	}
	o, err := writeFor(ctx, s, func(t *tx) (o outcome, err error) {
		m, _, err := changeable(t, id, by, errNoReactions)
		if err != nil {
			return o, err
		}
		kind, changed := store.ReactionRemoved, false
		if on {
			kind = store.ReactionAdded
			changed, err = addReaction(&m, by, reaction)
		} else {
			changed = removeReaction(&m, by, reaction)
		}
		if err != nil || !changed {
			return outcome{m, false}, err
		}
		t.set(messageKey(m.Room, m.Seq), encodeMessage(&m))
		t.log(store.Change{Kind: kind, Room: m.Room, User: by, Message: m.ID, Seq: m.Seq, Text: reaction, RecordMessage: record(m)})
		return outcome{m, true}, nil
	})
	return o.message, o.changed, err
}

func reactionNamed(m *store.Message, name string) int {
	return slices.IndexFunc(m.Reactions, func(r store.Reaction) bool { return r.Name == name })
}

func addReaction(m *store.Message, by store.UserID, name string) (bool, error) {
	i := reactionNamed(m, name)
	if i < 0 {
		if len(m.Reactions) == store.MaxReactionKinds {
			return false, store.Invalid("reaction", "a message takes at most 50 different reactions")
		}
		m.Reactions = append(m.Reactions, store.Reaction{Name: name, Users: []store.UserID{by}})
		return true, nil
	}
	if slices.Contains(m.Reactions[i].Users, by) {
		return false, nil
	}
	m.Reactions[i].Users = append(m.Reactions[i].Users, by)
	return true, nil
}

func removeReaction(m *store.Message, by store.UserID, name string) bool {
	i := reactionNamed(m, name)
	if i < 0 {
		return false
	}
	j := slices.Index(m.Reactions[i].Users, by)
	if j < 0 {
		return false
	}
	m.Reactions[i].Users = slices.Delete(m.Reactions[i].Users, j, j+1)
	if len(m.Reactions[i].Users) == 0 {
		m.Reactions = slices.Delete(m.Reactions, i, i+1)
	}
	return true
}
