package server

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// workspaceAnswer is what a visitor may know.
type workspaceAnswer struct {
	ID           store.ObjectID     `json:"id"`
	Name         string             `json:"name"`
	Version      string             `json:"version"`
	Registration store.Registration `json:"registration"`
	NeedsSetup   bool               `json:"needs_setup"`
	Email        bool               `json:"email"` // whether mail is configured
}

func (s *Server) workspace(c *fiber.Ctx) error {
	w, err := s.chat.Workspace(c.UserContext())
	if err != nil {
		return err
	}
	return s.sendWorkspace(c, w)
}

func (s *Server) editWorkspace(c *fiber.Ctx) error {
	in := decode(c)
	name := in.string("name")
	if in.err != nil {
		return in.err
	}
	w, err := s.chat.RenameWorkspace(c.UserContext(), viewer(c).User, name)
	if err != nil {
		return err
	}
	return s.sendWorkspace(c, w)
}

func (s *Server) sendWorkspace(c *fiber.Ctx, w store.Settings) error {
	setup, err := s.chat.NeedsSetup(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(workspaceAnswer{ID: w.ID, Name: w.Name, Version: s.version, Registration: s.auth.Registration(), NeedsSetup: setup, Email: s.auth.SendsMail()})
}

func (s *Server) createInvite(c *fiber.Ctx) error {
	in, by := decodeOptional(c), viewer(c).User
	room := in.room("room_id")
	if in.err != nil {
		return in.err
	}
	if err := s.chat.Inviting(c.UserContext(), by, room); err != nil {
		return err
	}
	invite, err := s.auth.MakeInvite(c.UserContext(), by.ID, room)
	if err != nil {
		return err
	}
	out := struct {
		Code      string        `json:"code"`
		URL       string        `json:"url"`
		Room      *store.RoomID `json:"room_id"`
		ExpiresAt live.Time     `json:"expires_at"`
	}{Code: invite.Code, URL: s.public(c) + "/join/" + url.PathEscape(invite.Code), ExpiresAt: live.Time(invite.Expires)}
	if room != "" {
		out.Room = &room
	}
	return c.Status(fiber.StatusCreated).JSON(out)
}

func (s *Server) createResetLink(c *fiber.Ctx) error {
	if in := decodeOptional(c); in.err != nil {
		return in.err
	}
	if err := s.chat.Administer(viewer(c).User); err != nil {
		return err
	}
	u, err := s.pathUser(c, "id")
	if err != nil {
		return err
	}
	token, expires, err := s.auth.MakeResetLink(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(struct {
		URL       string    `json:"url"`
		ExpiresAt live.Time `json:"expires_at"`
	}{s.public(c) + "/reset#" + url.PathEscape(token), live.Time(expires)})
}
