package server

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// Everything fiber hands out points into a buffer that the next request overwrites, so
// what is read here is copied before it goes any further.

// segment returns a parameter of the path, percent-decoded once; "" if it cannot be.
func segment(c *fiber.Ctx, name string) string {
	text, err := url.PathUnescape(strings.Clone(c.Params(name)))
	if err != nil {
		return ""
	}
	return text
}

// maxEcho is how much of a malformed id an answer repeats.
const maxEcho = 64

func noSuch(thing, id string) error {
	return store.NotFound(thing, id[:min(len(id), maxEcho)])
}

// pathRoom returns the room a path names. A malformed id is that of no room.
func pathRoom(c *fiber.Ctx) (store.RoomID, error) {
	id := store.RoomID(segment(c, "id"))
	if !id.Valid() {
		return "", noSuch("room", string(id))
	}
	return id, nil
}

// pathMessage returns the message a path names.
func pathMessage(c *fiber.Ctx) (store.MessageID, error) {
	text := segment(c, "id")
	id, ok := store.ParseMessageID(text)
	if !ok {
		return id, noSuch("message", text)
	}
	return id, nil
}

// reference is how a path, query or body names a person: 24 hexadecimal digits, a number, or me.
type reference struct {
	text   string
	object store.ObjectID
	number store.UserID // 0: object counts
	me     bool
}

// maxSafeUser is the largest number that JSON clients can hold; no account gets that far.
const maxSafeUser = 1<<53 - 1

func parseReference(text string) (r reference, ok bool) {
	r.text = text
	if text == "me" {
		r.me = true
		return r, true
	}
	if r.object, ok = store.ParseObjectID(text); ok {
		return r, true
	}
	n, ok := digits(text)
	r.number = store.UserID(n)
	return r, ok && n > 0 && n <= maxSafeUser
}

// digits reads an unsigned decimal number; ok is false for anything else. Numbers beyond
// int64 count as the largest.
func digits(text string) (n int64, ok bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

// user returns the account a reference names.
func (s *Server) user(c *fiber.Ctx, r reference) (store.User, error) {
	switch {
	case r.me:
		return viewer(c).User, nil
	case r.number == 0:
		return s.chat.UserByObject(c.UserContext(), r.object)
	}
	return s.chat.User(c.UserContext(), r.number)
}

// pathUser returns the account that a parameter of the path names.
func (s *Server) pathUser(c *fiber.Ctx, name string) (store.User, error) {
	text := segment(c, name)
	r, ok := parseReference(text)
	if !ok {
		return store.User{}, noSuch("user", text)
	}
	return s.user(c, r)
}

// people returns the numbers of those whom an array in a body names, by either name.
// There may be none; an absent array is wrong if it is needed.
func (s *Server) people(c *fiber.Ctx, in *body, name string, needed bool) []store.UserID {
	items := in.list(name)
	if items == nil && needed {
		in.wrong(name, "must be an array of users")
	}
	if len(items) > chat.MaxAdded {
		in.wrong(name, "must name at most 1000 people")
		return nil
	}
	ids := make([]store.UserID, 0, len(items))
	for _, item := range items {
		r, ok := parseReference(strings.Trim(string(item), `"`))
		if !ok || r.me {
			in.wrong(name, "must be numbers or ids of users")
		}
		if in.err != nil {
			return nil
		}
		id, err := s.number(c, r)
		switch {
		case errors.Is(err, store.ErrNotFound):
			in.wrong(name, "nobody here has the id "+r.text)
		case err != nil:
			in.err = err
		}
		ids = append(ids, id)
	}
	return ids
}

// number returns the number of the account a reference names. Whether there is an
// account with a number is not asked here.
func (s *Server) number(c *fiber.Ctx, r reference) (store.UserID, error) {
	if r.number != 0 {
		return r.number, nil
	}
	u, err := s.user(c, r)
	return u.ID, err
}

// query returns a parameter of the query; ok says whether it is there at all.
func query(c *fiber.Ctx, name string) (text string, ok bool) {
	args := c.Context().QueryArgs()
	return string(args.Peek(name)), args.Has(name)
}

// queryLimit returns how much of a list is asked for: usual when the query does not say,
// never more than most.
func queryLimit(c *fiber.Ctx, usual, most int) (int, error) {
	text, ok := query(c, "limit")
	if !ok {
		return usual, nil
	}
	n, ok := digits(text)
	if !ok || n < 1 {
		return 0, store.Invalid("limit", "must be a number from 1")
	}
	return int(min(n, int64(most))), nil
}

// queryNumber returns a number that may be absent, and then is 0.
func queryNumber(c *fiber.Ctx, name string) (int64, error) {
	text, ok := query(c, name)
	if !ok {
		return 0, nil
	}
	n, ok := digits(text)
	if !ok {
		return 0, store.Invalid(name, "must be a number from 0")
	}
	return n, nil
}

// queryPage returns which part of a history is asked for.
func queryPage(c *fiber.Ctx) (q chat.Query, err error) {
	if q.Limit, err = queryLimit(c, usualPage, chat.MaxPage); err != nil {
		return q, err
	}
	given := 0
	for name, id := range map[string]*store.MessageID{"before": &q.Before, "after": &q.After, "around": &q.Around} {
		text, ok := query(c, name)
		if !ok {
			continue
		}
		given++
		if *id, ok = store.ParseMessageID(text); !ok || id.IsZero() {
			return q, store.Invalid(name, "must be the id of a message, a UUID")
		}
	}
	if given > 1 {
		return q, store.Invalid("before", "goes without after and around: one of the three at most")
	}
	return q, nil
}
