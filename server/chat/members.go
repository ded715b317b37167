package chat

import (
	"context"

	"github.com/hearthchat/hearth/store"
)

// Join makes by a member of a public room, or brings back a direct one. Who is inside stays so.
func (s *Service) Join(ctx context.Context, by store.User, id store.RoomID) (RoomView, error) {
	if err := s.limits.write(by.ID); err != nil {
		return RoomView{}, err
	}
	a, err := s.visible(ctx, by, id)
	if err != nil {
		return RoomView{}, err
	}
	switch {
	case a.inside && a.member.Hidden:
		err = s.unhide(ctx, by, id)
	case !a.inside:
		_, err = s.rooms.Join(ctx, store.Member{Room: id, User: by.ID}, by.ID, store.LineJoined)
	}
	if err != nil {
		return RoomView{}, err
	}
	return s.Room(ctx, by, id)
}

// unhide brings back a direct room that by left: asking for it again does that.
func (s *Service) unhide(ctx context.Context, by store.User, id store.RoomID) error {
	members, err := s.rooms.Members(ctx, id, 0, store.MaxDirectMembers)
	if err != nil {
		return err
	}
	people := make([]store.UserID, len(members))
	for i, m := range members {
		people[i] = m.User
	}
	_, _, err = s.rooms.DirectRoom(ctx, by.ID, people)
	return err
}

// Leave ends by's membership; in a direct room it hides the room until its next message.
// Who is not inside a visible room stays outside.
func (s *Service) Leave(ctx context.Context, by store.User, id store.RoomID) error {
	if err := s.limits.write(by.ID); err != nil {
		return err
	}
	a, err := s.visible(ctx, by, id)
	if err != nil || !a.inside {
		return err
	}
	_, err = s.rooms.Leave(ctx, id, by.ID, by.ID, store.LineLeft)
	return err
}

// Members returns up to limit members of a room that by is in, by user.
func (s *Service) Members(ctx context.Context, by store.User, id store.RoomID, after store.UserID, limit int) ([]store.Member, error) {
	if _, err := s.joined(ctx, by, id); err != nil {
		return nil, err
	}
	return s.rooms.Members(ctx, id, after, limit)
}

// AddMembers makes people members and returns those who were none. Members may add to
// public rooms, owners and moderators to private ones, administrators themselves to any
// but direct ones; only an administrator adds guests.
func (s *Service) AddMembers(ctx context.Context, by store.User, id store.RoomID, ids []store.UserID) (added []store.UserID, err error) {
	if err := s.limits.write(by.ID); err != nil {
		return nil, err
	}
	if err := s.mayAdd(ctx, by, id, ids); err != nil {
		return nil, err
	}
	people, err := s.people(ctx, by, ids, "user_ids")
	if err != nil {
		return nil, err
	}
	added = []store.UserID{}
	for _, u := range people {
		line := store.LineAdded(u.Username)
		if u.ID == by.ID {
			line = store.LineJoined
		}
		fresh, err := s.rooms.Join(ctx, store.Member{Room: id, User: u.ID}, by.ID, line)
		if err != nil {
			return added, err
		}
		if fresh {
			added = append(added, u.ID)
		}
	}
	return added, nil
}

func (s *Service) mayAdd(ctx context.Context, by store.User, id store.RoomID, ids []store.UserID) error {
	if by.IsAdmin() && len(ids) == 1 && ids[0] == by.ID {
		r, err := s.rooms.Room(ctx, id)
		if err == nil && r.Kind != store.KindDirect {
			return nil
		}
	}
	a, err := s.joined(ctx, by, id)
	switch {
	case err != nil:
		return err
	case a.room.Kind == store.KindDirect:
		return errDirect
	case a.room.Kind == store.KindClosed && !a.member.Owns():
		return errNotOwner
	}
	return nil
}

// RemoveMember ends somebody's membership. Owners and moderators may, but only an owner
// removes an owner; anybody may remove themselves.
func (s *Service) RemoveMember(ctx context.Context, by store.User, id store.RoomID, user store.UserID) error {
	if user == by.ID {
		a, err := s.joined(ctx, by, id)
		if err == nil && a.room.Kind == store.KindDirect {
			err = errDirect
		}
		if err != nil {
			return err
		}
		return s.Leave(ctx, by, id)
	}
	if err := s.limits.write(by.ID); err != nil {
		return err
	}
	a, err := s.joined(ctx, by, id)
	switch {
	case err != nil:
		return err
	case a.room.Kind == store.KindDirect:
		return errDirect
	case !a.member.Owns():
		return errNotOwner
	}
	m, err := s.rooms.Member(ctx, id, user)
	if err != nil {
		return ignoreNotFound(err)
	}
	if m.Role == store.RoomOwner && a.member.Role != store.RoomOwner {
		return store.Forbidden("owner", "Only an owner may remove an owner")
	}
	_, err = s.rooms.Leave(ctx, id, user, by.ID, store.LineRemoved(s.Name(ctx, user)))
	return err
}

// Audience reports whether by may open a socket on a room, and whether as a member.
func (s *Service) Audience(ctx context.Context, by store.User, id store.RoomID) (r store.Room, member bool, err error) {
	a, err := s.visible(ctx, by, id)
	return a.room, a.inside, err
}
