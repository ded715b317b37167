package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthchat/hearth/store"
)

// maxNames is how many people's names the follower remembers.
const maxNames = 10_000

// follower reads the log, looks up what changes are about and encodes it for the loop.
type follower struct {
	hub   *Hub
	names map[store.UserID]string
	kinds map[store.RoomID]store.Kind
}

func newFollower(h *Hub) *follower {
	return &follower{hub: h, names: map[store.UserID]string{}, kinds: map[store.RoomID]store.Kind{}}
}

// Position is the head of the log: what happened before the start is for resuming clients
// to ask for.
func (f *follower) Position(ctx context.Context) (store.Position, error) {
	head, err := f.restart(ctx)
	if err == nil {
		close(f.hub.started)
	}
	return head, err
}

// Rebuild starts again at the head. Everybody resumes.
func (f *follower) Rebuild(ctx context.Context) (store.Position, error) {
	f.hub.options.Log.Warn("live delivery starts again at the head of the log")
	return f.restart(ctx)
}

func (f *follower) restart(ctx context.Context) (store.Position, error) {
	clear(f.names)
	clear(f.kinds)
	head, err := f.hub.rooms.Head(ctx)
	if err != nil {
		return head, fmt.Errorf("head of the log: %w", err)
	}
	f.hub.epoch.Store(head.Epoch)
	f.hub.ask(func() { f.hub.loop.reset(head.Seq) })
	return head, nil
}

// Apply hands changes to the loop.
func (f *follower) Apply(ctx context.Context, changes []store.Change) error {
	events := make([]*event, len(changes))
	for i := range changes {
		e, err := f.event(ctx, &changes[i])
		if err != nil {
			return fmt.Errorf("tell of %s at %s: %w", changes[i].Kind, changes[i].Position, err)
		}
		events[i] = e
	}
	f.hub.do(func() { f.hub.loop.apply(events) })
	return nil
}

// event looks up what a change is about. What is not there any more is not told: a later
// change says why.
func (f *follower) event(ctx context.Context, c *store.Change) (*event, error) {
	e := &event{at: c.Position, kind: c.Kind, room: c.Room, user: c.User}
	var err error
	switch c.Kind {
	case store.MessagePosted, store.MessageEdited, store.MessageDeleted, store.ReactionAdded, store.ReactionRemoved:
		err = f.message(ctx, c, e)
	case store.MessagesRead:
		e.frame = encode(receiptFrame{"read_receipt", c.Room, c.User, ID(c.Message), c.Seq, Time(c.At), c.Position.String()})
	case store.MemberJoined, store.MemberLeft:
		err = f.member(ctx, c, e)
	case store.RoomEdited, store.RoomImported:
		err = f.room(ctx, c, e)
	case store.RoomDeleted:
		delete(f.kinds, c.Room)
		e.frame = encode(roomDeletedFrame{"room_deleted", c.Room, c.Position.String()})
	case store.UserEdited:
		err = f.account(ctx, c, e)
	}
	if isGone(err) {
		err = nil
	}
	return e, err
}

func (f *follower) message(ctx context.Context, c *store.Change, e *event) error {
	m := c.RecordMessage
	if m == nil {
		found, err := f.hub.rooms.Message(ctx, c.Message)
		if err != nil {
			return err
		}
		m = &found
	}
	cursor := c.Position.String()
	switch c.Kind {
	case store.ReactionAdded:
		e.frame = encode(reactionFrame{"reaction_added", c.Room, ID(c.Message), c.Text, c.User, NewReactions(m.Reactions), cursor})
		return nil
	case store.ReactionRemoved:
		e.frame = encode(reactionFrame{"reaction_removed", c.Room, ID(c.Message), c.Text, c.User, NewReactions(m.Reactions), cursor})
		return nil
	}
	name, err := f.name(ctx, m.Author)
	if err != nil {
		return err
	}
	w := NewMessage(*m, name)
	switch {
	case c.Kind == store.MessagePosted:
		e.frame = encode(messageFrame{"message", w, cursor})
	case m.Deleted:
		e.frame = encode(messageFrame{"message_deleted", w, cursor})
	default:
		e.frame = encode(messageFrame{"message_updated", w, cursor})
	}
	return nil
}

func (f *follower) member(ctx context.Context, c *store.Change, e *event) error {
	kind, err := f.kind(ctx, c)
	if errors.Is(err, store.ErrNotFound) {
		kind, err = store.KindClosed, nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	e.private, e.direct = kind != store.KindOpen, kind == store.KindDirect
	if c.Kind == store.MemberJoined && f.hub.expects(c.User) {
		if e.mine, err = f.hub.roomCreated(ctx, c.User, c.Room, c.Position); err != nil && !isGone(err) {
			return err
		}
	}
	name, err := f.name(ctx, c.User)
	if err != nil {
		return err
	}
	w := memberFrame{"user_joined", c.Room, c.User, name, Time(c.At), c.Position.String()}
	if c.Kind == store.MemberLeft {
		w.Type = "user_left"
	}
	switch {
	case !e.direct:
		e.frame = encode(w)
	case c.Kind == store.MemberLeft: // hiding a conversation is nobody else's business
		e.mine = encode(w)
	}
	return nil
}

// roomCreated tells a person of a room that has become theirs.
func (h *Hub) roomCreated(ctx context.Context, user store.UserID, room store.RoomID, at store.Position) ([]byte, error) {
	u, err := h.people.User(ctx, user)
	if err != nil {
		return nil, err
	}
	v, err := h.chat.Room(ctx, u, room)
	if err != nil {
		return nil, err
	}
	return encode(roomFrame{"room_created", NewRoomView(v, h.Online(room)), room, at.String()}), nil
}

func (f *follower) room(ctx context.Context, c *store.Change, e *event) error {
	r := c.RecordRoom
	if r == nil {
		found, err := f.hub.rooms.Room(ctx, c.Room)
		if err != nil {
			return err
		}
		r = &found
	}
	f.kinds[c.Room] = r.Kind
	if e.private, e.direct = r.Kind != store.KindOpen, r.Kind == store.KindDirect; !e.direct {
		e.frame = encode(roomFrame{"room_updated", NewRoom(*r, r.Name, f.hub.Online(c.Room)), c.Room, c.Position.String()})
	}
	return nil
}

func (f *follower) account(ctx context.Context, c *store.Change, e *event) error {
	u, err := f.hub.people.User(ctx, c.User)
	if err != nil {
		return err
	}
	f.remember(u.ID, u.Username)
	mine, err := f.hub.rooms.RoomsOf(ctx, c.User)
	if err != nil {
		return err
	}
	for _, m := range mine {
		e.rooms = append(e.rooms, m.Room)
	}
	e.account = &u
	e.frame = encode(userFrame{"user_updated", NewUser(u, f.hub.Presence(u.ID)), u.ID, c.Position.String()})
	return nil
}

// kind returns a room's kind, as last heard of in the log.
func (f *follower) kind(ctx context.Context, c *store.Change) (store.Kind, error) {
	if k, known := f.kinds[c.Room]; known {
		return k, nil
	}
	r, err := f.hub.rooms.Room(ctx, c.Room)
	if err != nil {
		return "", err
	}
	if len(f.kinds) >= maxNames {
		clear(f.kinds)
	}
	f.kinds[c.Room] = r.Kind
	return r.Kind, nil
}

// name returns a person's name, as last heard of in the log.
func (f *follower) name(ctx context.Context, id store.UserID) (string, error) {
	if name, known := f.names[id]; known {
		return name, nil
	}
	u, err := f.hub.people.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.DeletedName(id), nil
	}
	if err != nil {
		return "", err
	}
	f.remember(id, u.Username)
	return u.Username, nil
}

func (f *follower) remember(id store.UserID, name string) {
	if len(f.names) >= maxNames {
		clear(f.names)
	}
	f.names[id] = name
}
