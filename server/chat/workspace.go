package chat

import (
	"context"

	"github.com/hearthchat/hearth/store"
)

// Workspace returns the settings everybody may know.
func (s *Service) Workspace(ctx context.Context) (store.Settings, error) {
	return s.users.Settings(ctx)
}

// NeedsSetup reports whether there has been no administrator yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	code, err := s.users.SetupCode(ctx)
	return code != "", err
}

// RenameWorkspace changes the workspace's name.
func (s *Service) RenameWorkspace(ctx context.Context, by store.User, name string) (store.Settings, error) {
	if err := s.Administer(by); err != nil {
		return store.Settings{}, err
	}
	if err := store.CheckRoomName(name); err != nil {
		return store.Settings{}, err
	}
	return s.users.EditSettings(ctx, func(w *store.Settings) error {
		w.Name = name
		return nil
	})
}

// Administer takes one write from by's allowance for something only administrators do.
func (s *Service) Administer(by store.User) error {
	if !by.IsAdmin() {
		return errNotAdmin
	}
	return s.limits.write(by.ID)
}

// Inviting reports whether by may make an invite that leads to a room, or nowhere ("").
func (s *Service) Inviting(ctx context.Context, by store.User, room store.RoomID) error {
	if err := s.Administer(by); err != nil || room == "" {
		return err
	}
	a, err := s.visible(ctx, by, room)
	if err == nil && a.room.Kind == store.KindDirect {
		err = errDirect
	}
	return err
}

// Admit makes somebody who came with an invite a member of the room it leads to, private
// or not. ErrNotFound when the room is gone.
func (s *Service) Admit(ctx context.Context, user store.User, room store.RoomID) error {
	r, err := s.rooms.Room(ctx, room)
	if err == nil && r.Kind == store.KindDirect {
		err = errDirect
	}
	if err != nil {
		return err
	}
	_, err = s.rooms.Join(ctx, store.Member{Room: room, User: user.ID}, user.ID, store.LineJoined)
	return err
}

// Ping reads a little from each store and says what came in the way.
func (s *Service) Ping(ctx context.Context) (accounts, rooms error) {
	_, accounts = s.users.Settings(ctx)
	_, rooms = s.rooms.Head(ctx)
	return accounts, rooms
}
