// Package chat says what people may do: post, edit, read, make rooms, join them and leave.
// Every door – HTTP, sockets, the command line – goes through it, so a rule written here
// holds everywhere. It knows no transport and no JSON.
//
// Who is asking is always a parameter: the account as it is now. What that person may not
// know of is store.ErrNotFound, with the same words as for what is not there.
package chat

import (
	"context"
	"errors"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Service answers what people ask for.
type Service struct {
	rooms  store.Workspace
	users  store.Accounts
	now    func() time.Time
	limits *limits
}

// Options adjust a Service. The zero value works.
type Options struct {
	Now       func() time.Time // the clock; nil means time.Now
	Unlimited bool             // no rate limits per account
}

// New returns a Service over the two stores.
func New(rooms store.Workspace, users store.Accounts, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{rooms: rooms, users: users, now: o.Now}
	if !o.Unlimited {
		s.limits = newLimits(o.Now)
	}
	return s
}

// access is a room as one person may know it.
type access struct {
	room   store.Room
	member store.Member
	inside bool
}

// visible returns a room that by may know of and read, or ErrNotFound. Both records are
// always asked for, so that an answer takes the same time whether the room is there or hidden.
func (s *Service) visible(ctx context.Context, by store.User, id store.RoomID) (access, error) {
	var a access
	var roomErr, memberErr error
	a.room, roomErr = s.rooms.Room(ctx, id)
	a.member, memberErr = s.rooms.Member(ctx, id, by.ID)
	for _, err := range []error{roomErr, memberErr} {
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return access{}, err
		}
	}
	a.inside = memberErr == nil
	if roomErr != nil || !a.room.VisibleTo(by.Role, a.inside) {
		return access{}, store.NotFound("room", string(id))
	}
	return a, nil
}

// joined returns a room that by is a member of; ErrJoinFirst if it is only visible.
func (s *Service) joined(ctx context.Context, by store.User, id store.RoomID) (access, error) {
	a, err := s.visible(ctx, by, id)
	if err == nil && !a.inside {
		err = store.ErrJoinFirst
	}
	return a, err
}

// managed returns a room that by owns, moderates, or administers because they can see it.
func (s *Service) managed(ctx context.Context, by store.User, id store.RoomID) (access, error) {
	a, err := s.visible(ctx, by, id)
	switch {
	case err != nil:
		return a, err
	case a.room.Kind == store.KindDirect:
		return a, errDirect
	case !by.IsAdmin() && !(a.inside && a.member.Owns()):
		return a, errNotOwner
	}
	return a, nil
}

// message returns a message that by may read, and its room. The room is asked for also
// when there is no message, so that the answer takes the same time.
func (s *Service) message(ctx context.Context, by store.User, id store.MessageID) (store.Message, access, error) {
	m, err := s.rooms.Message(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Message{}, access{}, err
	}
	a, hidden := s.visible(ctx, by, m.Room)
	switch {
	case errors.Is(err, store.ErrNotFound) || errors.Is(hidden, store.ErrNotFound):
		return store.Message{}, access{}, store.NotFound("message", id.String())
	case hidden != nil:
		return store.Message{}, access{}, hidden
	}
	return m, a, nil
}

// messageInside is message for members of its room only.
func (s *Service) messageInside(ctx context.Context, by store.User, id store.MessageID) (store.Message, access, error) {
	m, a, err := s.message(ctx, by, id)
	if err == nil && !a.inside {
		err = store.ErrJoinFirst
	}
	return m, a, err
}

var (
	errDirect    = store.Forbidden("direct_room", "A direct conversation stays as it is")
	errNotOwner  = store.Forbidden("not_room_owner", "Only owners and moderators of the room may do this")
	errNotAuthor = store.Forbidden("not_author", "Only the author may do this")
	errNotAdmin  = store.Forbidden("not_admin", "Only administrators may do this")
	errGuest     = store.Forbidden("guest", "Guests may not do this")
)

// Name returns the present name of an account, for messages and events.
func (s *Service) Name(ctx context.Context, id store.UserID) string {
	u, err := s.users.User(ctx, id)
	if err != nil {
		return store.DeletedName(id)
	}
	return u.Username
}
