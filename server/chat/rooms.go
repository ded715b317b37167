package chat

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hearthchat/hearth/store"
)

// MaxRooms is the most rooms a listing holds, MaxAdded the most people one call adds.
const (
	MaxRooms = 1000
	MaxAdded = 1000
)

// RoomView is a room as one person sees it.
type RoomView struct {
	store.Room              // Name is computed for direct rooms
	Joined     bool         // the person is a member
	Hidden     bool         // a direct room the person left
	Unread     store.Unread // zero unless Joined
}

// NewRoom is a room about to be made.
type NewRoom struct {
	Name        string
	Description string
	Private     bool
	Invited     []store.UserID // members at once
}

// CreateRoom makes a room that by owns.
func (s *Service) CreateRoom(ctx context.Context, by store.User, n NewRoom) (RoomView, error) {
	if err := s.limits.write(by.ID); err != nil {
		return RoomView{}, err
	}
	if by.Role == store.RoleGuest {
		return RoomView{}, errGuest
	}
	r := store.Room{Kind: store.KindOpen, Name: n.Name, Description: n.Description, Creator: by.ID}
	if n.Private {
		r.Kind = store.KindClosed
	}
	if err := checkRoom(r); err != nil {
		return RoomView{}, err
	}
	members := []store.Member{{User: by.ID, Role: store.RoomOwner}}
	invited, err := s.people(ctx, by, n.Invited, "invited_users")
	if err != nil {
		return RoomView{}, err
	}
	for _, u := range invited {
		if u.ID != by.ID {
			members = append(members, store.Member{User: u.ID, Role: store.RoomMember})
		}
	}
	if r, err = s.rooms.CreateRoom(ctx, r, members); err != nil {
		return RoomView{}, err
	}
	return s.Room(ctx, by, r.ID)
}

func checkRoom(r store.Room) error {
	if err := store.CheckRoomName(r.Name); err != nil {
		return err
	}
	return store.CheckText("description", r.Description, store.MaxRoomDescription)
}

// people returns the accounts that by may bring into a room, each once: ErrInvalid names
// field if one is not there, ErrForbidden if one is a guest and by no administrator.
func (s *Service) people(ctx context.Context, by store.User, ids []store.UserID, field string) ([]store.User, error) {
	if len(ids) > MaxAdded {
		return nil, store.Invalid(field, "must name at most 1000 people")
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	people := make([]store.User, 0, len(ids))
	for _, id := range slices.Compact(ids) {
		u, err := s.users.User(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && u.Closed {
			return nil, store.Invalid(field, "nobody here has the user_id "+id.String())
		}
		if err != nil {
			return nil, err
		}
		if u.Role == store.RoleGuest && u.ID != by.ID && !by.IsAdmin() {
			return nil, store.Forbidden("guest_by_admin", "Only an administrator can bring in a guest")
		}
		people = append(people, u)
	}
	return people, nil
}

// Direct returns the direct room of by and the given people, making it on first use.
func (s *Service) Direct(ctx context.Context, by store.User, ids []store.UserID) (v RoomView, made bool, err error) {
	if err := s.limits.write(by.ID); err != nil {
		return v, false, err
	}
	if by.Role == store.RoleGuest {
		return v, false, errGuest
	}
	everybody, err := s.people(ctx, by, append([]store.UserID{by.ID}, ids...), "user_ids")
	if err != nil {
		return v, false, err
	}
	if len(everybody) > store.MaxDirectMembers {
		return v, false, store.Invalid("user_ids", "a direct conversation has at most 50 people")
	}
	all := make([]store.UserID, len(everybody))
	for i, u := range everybody {
		all[i] = u.ID
	}
	r, made, err := s.rooms.DirectRoom(ctx, by.ID, all)
	if err != nil {
		return v, false, err
	}
	v, err = s.Room(ctx, by, r.ID)
	return v, made, err
}

// Room returns a room that by may know of.
func (s *Service) Room(ctx context.Context, by store.User, id store.RoomID) (RoomView, error) {
	a, err := s.visible(ctx, by, id)
	if err != nil {
		return RoomView{}, err
	}
	return s.view(ctx, by, a)
}

func (s *Service) view(ctx context.Context, by store.User, a access) (v RoomView, err error) {
	v = RoomView{Room: a.room, Joined: a.inside, Hidden: a.member.Hidden}
	if a.inside {
		if v.Unread, err = s.rooms.UnreadIn(ctx, a.room.ID, by.ID); err != nil {
			return v, err
		}
	}
	v.Name, err = s.roomName(ctx, by, a.room)
	return v, err
}

// Rooms returns up to limit rooms after an id, by id: those by is in, and the public ones
// unless by is a guest. Direct rooms that by left are not among them.
func (s *Service) Rooms(ctx context.Context, by store.User, after store.RoomID, limit int) ([]RoomView, error) {
	waiting, err := s.rooms.Unread(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	mine, err := s.rooms.RoomsOf(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	unread := make(map[store.RoomID]store.Unread, len(waiting))
	for _, u := range waiting {
		unread[u.Room] = u
	}
	views := make([]RoomView, 0, min(limit, len(mine)))
	joined := make(map[store.RoomID]bool, len(mine))
	for _, m := range mine {
		joined[m.Room] = true
		if m.Hidden || m.Room <= after || len(views) == limit {
			continue
		}
		r, err := s.rooms.Room(ctx, m.Room)
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		v := RoomView{Room: r, Joined: true, Unread: unread[m.Room]}
		if v.Name, err = s.roomName(ctx, by, r); err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	if by.Role == store.RoleGuest {
		return views, nil
	}
	open, err := s.rooms.OpenRooms(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		if !joined[r.ID] {
			views = append(views, RoomView{Room: r})
		}
	}
	slices.SortFunc(views, func(a, b RoomView) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return views[:min(limit, len(views))], nil
}

// roomName is a room's name for one person: of a direct room the names of the others.
func (s *Service) roomName(ctx context.Context, by store.User, r store.Room) (string, error) {
	if r.Kind != store.KindDirect {
		return r.Name, nil
	}
	members, err := s.rooms.Members(ctx, r.ID, 0, store.MaxDirectMembers)
	if err != nil {
		return "", err
	}
	var names []string
	for _, m := range members {
		if m.User != by.ID {
			names = append(names, s.Name(ctx, m.User))
		}
	}
	if len(names) == 0 {
		return by.Username, nil
	}
	return strings.Join(names, ", "), nil
}

// RoomEdit is what EditRoom changes; nil leaves a thing as it is.
type RoomEdit struct {
	Name        *string
	Description *string
	Private     *bool
}

// EditRoom changes a room that by owns, moderates or administers, and returns it also to
// an administrator who has just hidden it from themselves.
func (s *Service) EditRoom(ctx context.Context, by store.User, id store.RoomID, e RoomEdit) (RoomView, error) {
	if err := s.limits.write(by.ID); err != nil {
		return RoomView{}, err
	}
	a, err := s.managed(ctx, by, id)
	if err != nil {
		return RoomView{}, err
	}
	a.room, err = s.rooms.EditRoom(ctx, id, by.ID, func(r *store.Room) error {
		if e.Name != nil {
			r.Name = *e.Name
		}
		if e.Description != nil {
			r.Description = *e.Description
		}
		if e.Private != nil {
			r.Kind = store.KindOpen
			if *e.Private {
				r.Kind = store.KindClosed
			}
		}
		return checkRoom(*r)
	})
	if err != nil {
		return RoomView{}, err
	}
	return s.view(ctx, by, a)
}

// DeleteRoom removes a room that by owns, moderates or administers.
func (s *Service) DeleteRoom(ctx context.Context, by store.User, id store.RoomID) error {
	if err := s.limits.write(by.ID); err != nil {
		return err
	}
	if _, err := s.managed(ctx, by, id); err != nil {
		return err
	}
	return s.rooms.DeleteRoom(ctx, id, by.ID)
}
