package server

import (
	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

func (s *Server) readMessage(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	if in := decodeOptional(c); in.err != nil {
		return in.err
	}
	at, err := s.chat.ReadOne(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Message string    `json:"message"`
		ReadAt  live.Time `json:"read_at"`
	}{"Message marked as read", live.Time(at)})
}

func (s *Server) readRoom(c *fiber.Ctx) error {
	room, err := pathRoom(c)
	if err != nil {
		return err
	}
	in := decode(c)
	through := in.message("up_to")
	if through.IsZero() {
		in.wrong("up_to", "must be the id of a message, a UUID")
	}
	if in.err != nil {
		return in.err
	}
	u, at, err := s.chat.ReadThrough(c.UserContext(), viewer(c).User, room, through)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Message  string    `json:"message"`
		ReadAt   live.Time `json:"read_at"`
		Unread   int       `json:"unread"`
		Mentions int       `json:"mentions"`
	}{"Messages marked as read", live.Time(at), u.Count, u.Mentions})
}

func (s *Server) markUnread(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	if in := decodeOptional(c); in.err != nil {
		return in.err
	}
	u, err := s.chat.MarkUnread(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Message  string `json:"message"`
		Unread   int    `json:"unread"`
		Mentions int    `json:"mentions"`
	}{"Message marked as unread", u.Count, u.Mentions})
}

// receiptAnswer says that somebody read a message.
type receiptAnswer struct {
	UserID   store.UserID `json:"user_id"`
	Username string       `json:"username"`
	ReadAt   live.Time    `json:"read_at"`
}

func (s *Server) receipts(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	readers, err := s.chat.Readers(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	out := struct {
		Receipts []receiptAnswer `json:"receipts"`
	}{make([]receiptAnswer, len(readers))}
	names := s.names(c)
	for i, r := range readers {
		out.Receipts[i] = receiptAnswer{r.User, names.user(r.User).Username, live.Time(r.At)}
	}
	return c.JSON(out)
}

// roomUnread is what waits in one room.
type roomUnread struct {
	Unread   int     `json:"unread"`
	Mentions int     `json:"mentions"`
	LastRead live.ID `json:"last_read_id"`
	First    live.ID `json:"first_unread_id"`
}

// unread answers for the caller alone, whatever name they use; of others it does not even
// say whether they exist.
func (s *Server) unread(c *fiber.Ctx) error {
	text, by := segment(c, "user_id"), viewer(c).User
	r, ok := parseReference(text)
	switch {
	case !ok:
		return noSuch("user", text)
	case !r.me && r.number != by.ID && (r.number != 0 || r.object != by.Object):
		return store.Forbidden("not_yours", "Only your own unread messages are yours to see")
	}
	waiting, err := s.chat.Unread(c.UserContext(), by)
	if err != nil {
		return err
	}
	out := struct {
		UserID   store.UserID                `json:"user_id"`
		Unread   int                         `json:"total_unread"`
		Mentions int                         `json:"total_mentions"`
		Rooms    map[store.RoomID]roomUnread `json:"rooms"`
	}{UserID: by.ID, Rooms: make(map[store.RoomID]roomUnread, len(waiting))}
	for _, u := range waiting {
		out.Unread += u.Count
		out.Mentions += u.Mentions
		out.Rooms[u.Room] = roomUnread{u.Count, u.Mentions, live.ID(u.LastRead), live.ID(u.First)}
	}
	return c.JSON(out)
}
