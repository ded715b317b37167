package server

import (
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// done is the answer to what has nothing to show.
type done struct {
	Message string `json:"message"`
}

// roomAnswer puts a room on the wire for the person who asks.
func (s *Server) roomAnswer(v chat.RoomView, names *people) compat.Room {
	return compat.NewRoom(live.NewRoomView(v, s.hub.Online(v.ID)), names.object(v.Creator))
}

func (s *Server) createRoom(c *fiber.Ctx) error {
	in := decode(c)
	n := chat.NewRoom{
		Name: in.string("name"), Description: in.string("description"),
		Private: in.bool("is_private"), Invited: s.people(c, in, "invited_users", false),
	}
	if in.err != nil {
		return in.err
	}
	v, err := s.chat.CreateRoom(c.UserContext(), viewer(c).User, n)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(s.roomAnswer(v, s.names(c)))
}

// listRooms gives one room more than asked for a chance, to know whether there is a next page.
func (s *Server) listRooms(c *fiber.Ctx) error {
	limit, err := queryLimit(c, chat.MaxRooms, chat.MaxRooms)
	if err != nil {
		return err
	}
	after, given := query(c, "after")
	if given && !store.RoomID(after).Valid() {
		return store.Invalid("after", "must be the id of a room")
	}
	views, err := s.chat.Rooms(c.UserContext(), viewer(c).User, store.RoomID(after), limit+1)
	if err != nil {
		return err
	}
	if len(views) > limit {
		views = views[:limit]
		next := url.QueryEscape(string(views[limit-1].ID))
		c.Set(fiber.HeaderLink, fmt.Sprintf(`</api/chat/rooms?limit=%d&after=%s>; rel="next"`, limit, next))
	}
	rooms, names := make([]compat.Room, len(views)), s.names(c)
	for i, v := range views {
		rooms[i] = s.roomAnswer(v, names)
	}
	return c.JSON(rooms)
}

func (s *Server) showRoom(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	v, err := s.chat.Room(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	return c.JSON(s.roomAnswer(v, s.names(c)))
}

func (s *Server) editRoom(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	in := decode(c)
	e := chat.RoomEdit{Name: in.text("name"), Description: in.text("description"), Private: in.flag("is_private")}
	if in.err != nil {
		return in.err
	}
	v, err := s.chat.EditRoom(c.UserContext(), viewer(c).User, id, e)
	if err != nil {
		return err
	}
	return c.JSON(s.roomAnswer(v, s.names(c)))
}

func (s *Server) deleteRoom(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	if err := s.chat.DeleteRoom(c.UserContext(), viewer(c).User, id); err != nil {
		return err
	}
	return c.JSON(done{"Room deleted"})
}

func (s *Server) joinRoom(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	if in := decodeOptional(c); in.err != nil {
		return in.err
	}
	v, err := s.chat.Join(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Message string      `json:"message"`
		Room    compat.Room `json:"room"`
	}{"Successfully joined room", s.roomAnswer(v, s.names(c))})
}

func (s *Server) leaveRoom(c *fiber.Ctx) error {
	id, err := pathRoom(c)
	if err != nil {
		return err
	}
	if in := decodeOptional(c); in.err != nil {
		return in.err
	}
	if err := s.chat.Leave(c.UserContext(), viewer(c).User, id); err != nil {
		return err
	}
	return c.JSON(done{"Successfully left room"})
}

func (s *Server) openDirect(c *fiber.Ctx) error {
	in := decode(c)
	ids := s.people(c, in, "user_ids", true)
	if in.err != nil {
		return in.err
	}
	v, made, err := s.chat.Direct(c.UserContext(), viewer(c).User, ids)
	if err != nil {
		return err
	}
	if made {
		c.Status(fiber.StatusCreated)
	}
	return c.JSON(s.roomAnswer(v, s.names(c)))
}
