package chat

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/hearthchat/hearth/store"
)

// User returns an account by its number, closed ones under their neutral name.
func (s *Service) User(ctx context.Context, id store.UserID) (store.User, error) {
	u, err := s.users.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = store.NotFound("user", id.String())
	}
	return u, err
}

// UserByObject returns an account by its other name.
func (s *Service) UserByObject(ctx context.Context, id store.ObjectID) (store.User, error) {
	u, err := s.users.UserByObject(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = store.NotFound("user", id.String())
	}
	return u, err
}

// People returns up to limit accounts whose name starts with prefix. Guests may not list.
func (s *Service) People(ctx context.Context, by store.User, prefix string, after store.UserID, limit int) ([]store.User, error) {
	if by.Role == store.RoleGuest {
		return nil, errGuest
	}
	return s.users.ListUsers(ctx, prefix, after, limit)
}

// ProfileEdit is what EditProfile changes; nil leaves a thing as it is.
type ProfileEdit struct {
	Username, FirstName, LastName, Avatar, DisplayName, Bio *string
}

// Limits of a profile's texts, in code points.
const (
	maxRealName    = 50
	maxDisplayName = 100
	maxBio         = 1000
	maxAvatar      = 500
)

// EditProfile changes what an account says about its person.
func (s *Service) EditProfile(ctx context.Context, by store.User, e ProfileEdit) (store.User, error) {
	if err := s.limits.write(by.ID); err != nil {
		return store.User{}, err
	}
	if err := e.check(by); err != nil {
		return store.User{}, err
	}
	return s.users.EditUser(ctx, by.ID, func(u *store.User) error {
		for _, set := range []struct {
			to   *string
			from *string
		}{
			{&u.Username, e.Username}, {&u.FirstName, e.FirstName}, {&u.LastName, e.LastName},
			{&u.Avatar, e.Avatar}, {&u.DisplayName, e.DisplayName}, {&u.Bio, e.Bio},
		} {
			if set.from != nil {
				*set.to = *set.from
			}
		}
		return nil
	})
}

func (e ProfileEdit) check(by store.User) error {
	if e.Username != nil && *e.Username != by.Username {
		if err := store.CheckUsername(*e.Username); err != nil {
			return err
		}
	}
	for _, text := range []struct {
		field string
		value *string
		max   int
	}{
		{"firstName", e.FirstName, maxRealName}, {"lastName", e.LastName, maxRealName},
		{"display_name", e.DisplayName, maxDisplayName}, {"bio", e.Bio, maxBio}, {"avatar", e.Avatar, maxAvatar},
	} {
		if text.value == nil {
			continue
		}
		if err := store.CheckText(text.field, *text.value, text.max); err != nil {
			return err
		}
	}
	if e.Avatar != nil && *e.Avatar != "" {
		u, err := url.Parse(*e.Avatar)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(*e.Avatar, " \t\r\n\"<>") {
			return store.Invalid("avatar", "must be an https address of at most 500 characters")
		}
	}
	return nil
}

// CloseAccount ends an account for good: its personal data goes at once, its sessions
// end, its rooms are left. Its messages stay under the neutral name. What a crash leaves
// undone Settle does.
func (s *Service) CloseAccount(ctx context.Context, id store.UserID) error {
	if err := s.limits.write(id); err != nil {
		return err
	}
	if _, err := s.users.EditUser(ctx, id, func(u *store.User) error {
		u.Close()
		return nil
	}); err != nil {
		return err
	}
	// Nobody can ask for the rest again once the account is closed.
	ctx = context.WithoutCancel(ctx)
	if err := s.users.EndSessions(ctx, id, ""); err != nil {
		return err
	}
	return s.leaveAll(ctx, id)
}

// leaveAll ends every membership of an account. A room that an import writes to is left
// without a line.
func (s *Service) leaveAll(ctx context.Context, id store.UserID) error {
	rooms, err := s.rooms.RoomsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range rooms {
		_, err := s.rooms.Leave(ctx, m.Room, id, id, store.LineLeft)
		if errors.Is(err, store.ErrImportRunning) {
			_, err = s.rooms.Leave(ctx, m.Room, id, id, "")
		}
		if ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

// Settle finishes what a change of an account asks of the rooms: a closed account is in none.
func (s *Service) Settle(ctx context.Context, c store.UserChange) error {
	if !c.Edited {
		return nil
	}
	u, err := s.users.User(ctx, c.User)
	if err != nil || !u.Closed {
		return ignoreNotFound(err)
	}
	return s.leaveAll(ctx, c.User)
}

// SetRole changes what an account may do in the workspace.
func (s *Service) SetRole(ctx context.Context, id store.UserID, role store.Role) (store.User, error) {
	if !role.Valid() {
		return store.User{}, store.Invalid("role", "must be admin, member or guest")
	}
	return s.users.EditUser(ctx, id, func(u *store.User) error {
		u.Role = role
		return nil
	})
}

// SetActive opens or closes an account for sign-in; closing ends its sessions.
func (s *Service) SetActive(ctx context.Context, id store.UserID, active bool) (store.User, error) {
	u, err := s.users.EditUser(ctx, id, func(u *store.User) error {
		if u.Closed {
			return store.Conflict("account_closed", "This account was closed by its owner", "")
		}
		u.Active = active
		return nil
	})
	if err == nil && !active {
		err = s.users.EndSessions(ctx, id, "")
	}
	return u, err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
