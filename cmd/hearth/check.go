package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hearthchat/hearth/store"
)

var checkCommand = &command{
	name: "check", about: "read all data and report everything that does not fit together",
	more: "It changes nothing, and may run while the server does. Each problem is a line; if there\nis any, the exit code is 1.",
	work: check, examples: []string{"hearth check", "hearth check --data /srv/hearth"},
}

// check verifies each store by itself and then what one says of the other.
func check(ctx context.Context, s *system, j *job) error {
	problems := 0
	report := func(problem string) {
		problems++
		j.say(problem)
	}
	err := s.verifyStores(ctx, report)
	if err == nil {
		if err = s.verifyPeople(ctx, report); err != nil && ctx.Err() == nil && problems > 0 {
			report(fmt.Sprintf("what the rooms say of accounts could not be read to the end: %v", err))
			err = nil
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("check stopped after %d problems: %w", problems, err)
	case problems > 0:
		return fmt.Errorf("problems found: %d. Keep a copy of the folder and restore a backup", problems)
	}
	j.say("everything fits together")
	return nil
}

// verifyPeople reports whom the rooms name and the accounts do not know: creators,
// members and authors.
func (y *system) verifyPeople(ctx context.Context, report func(problem string)) error {
	c := &crossCheck{system: y, report: report, known: make(map[store.UserID]bool), rooms: make(map[store.RoomID]bool)}
	var lastUser store.UserID
	err := eachOf(func(limit int) ([]store.User, error) { return y.people.ListUsers(ctx, "", lastUser, limit) }, func(u store.User) error {
		lastUser = u.ID
		c.known[u.ID] = true
		memberships, err := y.rooms.RoomsOf(ctx, u.ID)
		for _, m := range memberships {
			c.rooms[m.Room] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	var lastRoom store.RoomID
	err = eachOf(func(limit int) ([]store.Room, error) { return y.rooms.OpenRooms(ctx, lastRoom, limit) }, func(r store.Room) error {
		lastRoom = r.ID
		c.rooms[r.ID] = true
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(c.rooms)) {
		if err := c.room(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) { // deleted meanwhile
			return err
		}
	}
	return nil
}

// crossCheck compares what the rooms say of people with the accounts.
type crossCheck struct {
	*system
	report func(problem string)
	known  map[store.UserID]bool
	rooms  map[store.RoomID]bool
}

// person reports an account that is not there, once a place.
func (c *crossCheck) person(ctx context.Context, id store.UserID, where string) error {
	there, seen := c.known[id]
	if !seen {
		_, err := c.people.User(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		there = err == nil
		c.known[id] = there
	}
	if !there {
		c.report(fmt.Sprintf("%s has the user_id %d, and there is no such account", where, id))
	}
	return nil
}

func (c *crossCheck) room(ctx context.Context, id store.RoomID) error {
	room, err := c.system.rooms.Room(ctx, id)
	if err != nil {
		return err
	}
	if room.Creator != 0 {
		if err := c.person(ctx, room.Creator, fmt.Sprintf("the creator of room %s", id)); err != nil {
			return err
		}
	}
	var last store.UserID
	err = eachOf(func(limit int) ([]store.Member, error) { return c.system.rooms.Members(ctx, id, last, limit) }, func(m store.Member) error {
		last = m.User
		return c.person(ctx, m.User, fmt.Sprintf("a member of room %s", id))
	})
	if err != nil {
		return err
	}
	span := store.Span{Oldest: true}
	return eachOf(func(limit int) ([]store.Message, error) {
		span.Limit = limit
		return c.system.rooms.Page(ctx, id, span)
	}, func(m store.Message) error {
		span.After, span.Oldest = m.Seq, false
		return c.person(ctx, m.Author, fmt.Sprintf("the author of message %s, number %d of room %s,", m.ID, m.Seq, id))
	})
}

// eachOf visits everything that comes in pages. page returns at most limit things that
// follow the last one visited.
func eachOf[T any](page func(limit int) ([]T, error), visit func(T) error) error {
	const limit = 1000
	for {
		things, err := page(limit)
		if err != nil {
			return err
		}
		for _, thing := range things {
			if err := visit(thing); err != nil {
				return err
			}
		}
		if len(things) < limit {
			return nil
		}
	}
}
