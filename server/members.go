package server

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// memberAnswer is somebody in a room.
type memberAnswer struct {
	User     any            `json:"user"`
	Role     store.RoomRole `json:"role"`
	JoinedAt live.Time      `json:"joined_at"`
}

func (s *Server) listMembers(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	limit, err := queryLimit(c, usualPage, maxUsers)
	if err != nil {
		return err
	}
	after, err := queryNumber(c, "after")
	if err != nil {
		return err
	}
	members, err := s.chat.Members(c.UserContext(), viewer(c).User, id, store.UserID(after), limit)
	if err != nil {
		return err
	}
	out := struct {
		Members []memberAnswer `json:"members"`
	}{make([]memberAnswer, 0, len(members))}
	for _, m := range members {
		u, err := s.chat.User(c.UserContext(), m.User)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		out.Members = append(out.Members, memberAnswer{compat.NewUser(live.NewUser(u, s.hub.Presence(u.ID))), m.Role, live.Time(m.JoinedAt)})
	}
	return c.JSON(out)
}

func (s *Server) addMembers(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	in := decode(c)
	ids := s.people(c, in, "user_ids", true)
	if in.err != nil {
		return in.err
	}
	by := viewer(c).User
	added, err := s.chat.AddMembers(c.UserContext(), by, id, ids)
	if err != nil {
		return err
	}
	if slices.Contains(added, by.ID) { // nobody else gets into a room they are not in
		s.log.LogAttrs(c.UserContext(), slog.LevelWarn, "audit: an administrator added themselves to a room",
			slog.String("request_id", requestID(c)), slog.Int64("user_id", int64(by.ID)), slog.String("room_id", string(id)))
	}
	v, err := s.chat.Room(c.UserContext(), by, id)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Added []store.UserID `json:"added"`
		Room  compat.Room    `json:"room"`
	}{added, s.roomAnswer(v, s.names(c))})
}

// removeMember finds nobody to remove where there is nobody of that name, which is fine:
// the person is not in the room afterwards.
func (s *Server) removeMember(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	u, err := s.pathUser(c, "user")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.chat.RemoveMember(c.UserContext(), viewer(c).User, id, u.ID); err != nil {
		return err
	}
	return c.JSON(done{"Member removed"})
}
