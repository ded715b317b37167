package server

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// maxUsers is the most people a list holds.
const maxUsers = 200

// people remembers the accounts that one answer names, so that each is looked up once.
type people struct {
	ctx  context.Context
	chat *chat.Service
	seen map[store.UserID]store.User
}

func (s *Server) names(c *fiber.Ctx) *people {
	return &people{c.UserContext(), s.chat, map[store.UserID]store.User{}}
}

// user returns an account; one that cannot be found has the neutral name.
func (p *people) user(id store.UserID) store.User {
	u, ok := p.seen[id]
	if !ok {
		var err error
		if u, err = p.chat.User(p.ctx, id); err != nil {
			u = store.User{ID: id, Username: store.DeletedName(id)}
		}
		p.seen[id] = u
	}
	return u
}

// object returns an account's other name; nil for nobody.
func (p *people) object(id store.UserID) *store.ObjectID {
	if id == 0 {
		return nil
	}
	object := p.user(id).Object
	return &object
}

// userAnswer puts an account on the wire, with its address if by may see it.
func (s *Server) userAnswer(by, u store.User) any {
	w := compat.NewUser(live.NewUser(u, s.hub.Presence(u.ID)))
	if by.ID == u.ID || by.IsAdmin() {
		return compat.NewAccount(w, u.Email)
	}
	return w
}

// selfAnswer is what happened to the caller's own account, and the account.
type selfAnswer struct {
	Message string `json:"message,omitempty"`
	User    any    `json:"user"`
}

func (s *Server) profile(c *fiber.Ctx) error {
	by := viewer(c).User
	return c.JSON(selfAnswer{User: s.userAnswer(by, by)})
}

func (s *Server) showUser(c *fiber.Ctx) error {
	u, err := s.pathUser(c, "id")
	if err != nil {
		return err
	}
	return c.JSON(selfAnswer{User: s.userAnswer(viewer(c).User, u)})
}

func (s *Server) listUsers(c *fiber.Ctx) error {
	limit, err := queryLimit(c, usualPage, maxUsers)
	if err != nil {
		return err
	}
	after, err := queryNumber(c, "after")
	if err != nil {
		return err
	}
	q, _ := query(c, "q")
	if err := store.CheckText("q", q, maxQuery); err != nil {
		return err
	}
	by := viewer(c).User
	found, err := s.chat.People(c.UserContext(), by, q, store.UserID(after), limit)
	if err != nil {
		return err
	}
	out := struct {
		Users []any `json:"users"`
	}{make([]any, len(found))}
	for i, u := range found {
		out.Users[i] = s.userAnswer(by, u)
	}
	return c.JSON(out)
}

// maxQuery is more characters than any name has.
const maxQuery = 200

// editProfile knows an avatar under two names. Clients that send a whole user back have
// changed one of the two at most: the one that differs from what is there.
func (s *Server) editProfile(c *fiber.Ctx) error {
	in, by := decode(c), viewer(c).User
	inner := in.object("profile")
	e := chat.ProfileEdit{
		Username: in.text("username"), FirstName: in.text("firstName"), LastName: in.text("lastName"),
		Avatar: in.text("avatar"), DisplayName: inner.text("display_name"), Bio: inner.text("bio"),
	}
	if url := inner.text("avatar_url"); url != nil && (e.Avatar == nil || *e.Avatar == by.Avatar) {
		e.Avatar = url
	}
	if in.merge(inner); in.err != nil {
		return in.err
	}
	u, err := s.chat.EditProfile(c.UserContext(), by, e)
	if err != nil {
		return err
	}
	return c.JSON(selfAnswer{"Profile updated", s.userAnswer(u, u)})
}

func (s *Server) closeAccount(c *fiber.Ctx) error {
	if err := s.chat.CloseAccount(c.UserContext(), viewer(c).User.ID); err != nil {
		return err
	}
	s.forgetCookie(c)
	return c.JSON(done{"Account deleted"})
}
