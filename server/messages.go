package server

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// usualPage is how much of a history or a list a client gets that does not say.
const usualPage = 50

// messageAnswer puts a message on the wire under its author's present name.
func (s *Server) messageAnswer(m store.Message, names *people) compat.Message {
	author := names.user(m.Author)
	return compat.NewMessage(live.NewMessage(m, author.Username), author.Object)
}

// sendPage answers with messages; each author is looked up once.
func (s *Server) sendPage(c *fiber.Ctx, page []store.Message) error {
	out, names := make([]compat.Message, len(page)), s.names(c)
	size := 2
	for i, m := range page {
		out[i] = s.messageAnswer(m, names)
		size += messageSize + len(m.Content)
	}
	return sendJSON(c, compat.AppendMessages(make([]byte, 0, size), out))
}

// messageSize is about what a message takes in JSON besides its content.
const messageSize = 1000

// sendJSON answers with what is JSON already. The answer keeps text.
func sendJSON(c *fiber.Ctx, text []byte) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Context().Response.SetBodyRaw(text)
	return nil
}

// draft reads a message about to be posted.
func draft(in *body) store.Draft {
	d := store.Draft{
		Content: in.string("content"), Type: store.MessageType(in.string("message_type")),
		Parent: in.message("parent_id"), ClientID: in.string("client_id"),
	}
	if len(in.list("attachments")) > 0 {
		in.wrong("attachments", "must be empty")
	}
	if given := in.text("client_id"); given != nil && *given == "" {
		in.wrong("client_id", "must be 1 to 64 printable ASCII characters")
	}
	return d
}

// post stores a message and says whether it is a new one.
func (s *Server) post(c *fiber.Ctx, d store.Draft) (compat.Message, error) {
	by := viewer(c).User
	m, repeated, err := s.chat.Post(c.UserContext(), by, d)
	if err != nil {
		return compat.Message{}, err
	}
	if !repeated {
		c.Status(fiber.StatusCreated)
	}
	return compat.NewMessage(live.NewMessage(m, by.Username), by.Object), nil
}

func (s *Server) postMessage(c *fiber.Ctx) error {
	room, err := pathRoom(c)
	if err != nil {
		return err
	}
	in := decode(c)
	d := draft(in)
	if in.err != nil {
		return in.err
	}
	d.Room = room
	m, err := s.post(c, d)
	if err != nil {
		return err
	}
	return sendJSON(c, m.AppendJSON(nil))
}

func (s *Server) postMessageToRoom(c *fiber.Ctx) error {
	in := decode(c)
	d := draft(in)
	if d.Room = in.room("room_id"); d.Room == "" {
		in.wrong("room_id", "must be the id of a room, 1 to 50 bytes")
	}
	if in.err != nil {
		return in.err
	}
	m, err := s.post(c, d)
	if err != nil {
		return err
	}
	posted := compat.NewPosted(m)
	return sendJSON(c, posted.AppendJSON(nil))
}

func (s *Server) history(c *fiber.Ctx) error {
	room, err := pathRoom(c)
	if err != nil {
		return err
	}
	q, err := queryPage(c)
	if err != nil {
		return err
	}
	page, err := s.chat.History(c.UserContext(), viewer(c).User, room, q)
	if err != nil {
		return err
	}
	return s.sendPage(c, page)
}

func (s *Server) historyNewestFirst(c *fiber.Ctx) error {
	room, err := pathRoom(c)
	if err != nil {
		return err
	}
	limit, err := queryLimit(c, usualPage, chat.MaxPage)
	if err != nil {
		return err
	}
	offset, err := queryNumber(c, "offset")
	if err != nil {
		return err
	}
	page, err := s.chat.History(c.UserContext(), viewer(c).User, room, chat.Query{Offset: store.Seq(offset), Limit: limit})
	if err != nil {
		return err
	}
	slices.Reverse(page)
	return s.sendPage(c, page)
}

func (s *Server) showMessage(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	m, err := s.chat.Message(c.UserContext(), viewer(c).User, id)
	if err != nil {
		return err
	}
	out := s.messageAnswer(m, s.names(c))
	return sendJSON(c, out.AppendJSON(nil))
}

func (s *Server) thread(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	q, err := queryPage(c)
	if err != nil {
		return err
	}
	page, err := s.chat.Thread(c.UserContext(), viewer(c).User, id, q)
	if err != nil {
		return err
	}
	return s.sendPage(c, page)
}

func (s *Server) editMessage(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	in := decode(c)
	content := in.string("content")
	if in.err != nil {
		return in.err
	}
	m, err := s.chat.Edit(c.UserContext(), viewer(c).User, id, content)
	if err != nil {
		return err
	}
	out := s.messageAnswer(m, s.names(c))
	return sendJSON(c, out.AppendJSON(nil))
}

func (s *Server) deleteMessage(c *fiber.Ctx) error {
	id, err := pathMessage(c)
	if err != nil {
		return err
	}
	if _, err := s.chat.Delete(c.UserContext(), viewer(c).User, id); err != nil {
		return err
	}
	return c.JSON(done{"Message deleted"})
}

func (s *Server) addReaction(c *fiber.Ctx) error {
	in := decode(c)
	return s.react(c, in, in.message("message_id"), in.string("reaction"), true)
}

// removeReaction takes the query instead of a body: many clients cannot send one with DELETE.
func (s *Server) removeReaction(c *fiber.Ctx) error {
	in := decodeOptional(c)
	id, reaction := in.message("message_id"), in.string("reaction")
	if text, ok := query(c, "message_id"); ok && id.IsZero() {
		id, _ = store.ParseMessageID(text)
	}
	if text, ok := query(c, "reaction"); ok && reaction == "" {
		reaction = text
	}
	return s.react(c, in, id, reaction, false)
}

func (s *Server) react(c *fiber.Ctx, in *body, id store.MessageID, reaction string, on bool) error {
	if id.IsZero() {
		in.wrong("message_id", "must be the id of a message, a UUID")
	}
	if in.err != nil {
		return in.err
	}
	m, _, err := s.chat.React(c.UserContext(), viewer(c).User, id, reaction, on)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		MessageID live.ID        `json:"message_id"`
		RoomID    store.RoomID   `json:"room_id"`
		Reactions live.Reactions `json:"reactions"`
	}{live.ID(m.ID), m.Room, live.NewReactions(m.Reactions)})
}

func (s *Server) typing(c *fiber.Ctx) error {
	in := decode(c)
	room, on := in.room("room_id"), in.required("is_typing")
	if room == "" {
		in.wrong("room_id", "must be the id of a room, 1 to 50 bytes")
	}
	if in.err != nil {
		return in.err
	}
	by := viewer(c).User
	if err := s.chat.Typing(c.UserContext(), by, room); err != nil {
		return err
	}
	s.hub.Typing(by.ID, room, on)
	return c.JSON(done{"Typing status updated"})
}
