package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hearthchat/hearth/store"
)

var editCases = []workspaceCase{
	{"editing the content sets EditedAt", edits},
	{"an edit changes nothing it may not", editsOnlyItsFields},
	{"an edit that fails changes nothing", editFails},
	{"an edit that changes nothing leaves no trace", editNothing},
	{"an edit function may run more than once", editTwice},
	{"edits at once are all made", editsAtOnce},
	{"a deleted message keeps its place and loses its content", deletes},
	{"who left can neither edit nor react", editNeedsMember},
	{"deleted messages and system lines stay as they are", editForbidden},
	{"reactions are given and taken back", reacts},
	{"reactions keep the order they were given in", reactionOrder},
	{"a message takes fifty kinds of reaction", reactionLimit},
}

func edits(f *fixture) {
	room := f.room(ann, bob)
	m := f.append(store.Draft{Room: room, Author: ann, Content: "teh", Mentions: []store.UserID{bob}})
	before, now := f.head(), f.clock.Now()
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error {
		m.Content, m.Mentions, m.MentionsRoom = "the", []store.UserID{ann, cyd}, true
		return nil
	})
	f.fatal("edit", err)
	want := m
	want.Content, want.Mentions, want.MentionsRoom, want.EditedAt = "the", []store.UserID{ann, cyd}, true, now
	wantSame(f.t, "edited", edited, want)
	f.reopen()
	wantSame(f.t, "edited, read", f.message(m.ID), want)
	f.wantKinds(before, store.MessageEdited)
	if c := f.since(before)[0]; c.Room != room || c.User != ann || c.Message != m.ID || c.Seq != m.Seq {
		f.t.Errorf("change = %+v, want of message %s by %d", c, m.ID, ann)
	}
}

func editsOnlyItsFields(f *fixture) {
	room, other := f.room(ann, bob), f.room(ann)
	m := f.append(store.Draft{Room: room, Author: ann, Content: "x", ClientID: "c-1"})
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(e *store.Message) error {
		*e = store.Message{
			ID: store.MessageID{1}, Room: other, Seq: 99, Author: bob, Type: store.TypeSystem, Content: "y", Parent: m.ID, Root: m.ID, RootSeq: 2,
			ClientID: "c-2", Countable: 99, Reactions: []store.Reaction{{Name: "x", Users: []store.UserID{cyd}}}, ReplyCount: 99,
		}
		return nil
	})
	f.fatal("edit", err)
	want := m
	want.Content, want.EditedAt = "y", f.clock.Now()
	wantSame(f.t, "edited", edited, want)
	wantSame(f.t, "edited, read", f.message(m.ID), want)
}

func editFails(f *fixture) {
	m := f.append(store.Draft{Room: f.room(ann), Author: ann, Content: "x", Mentions: []store.UserID{bob}})
	before := f.head()
	own := errors.New("a reason of the caller's own")
	_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error {
		m.Content, m.Deleted, m.Mentions[0] = "y", true, cyd
		return own
	})
	wantErr(f.t, "edit that fails", err, own)
	wantSame(f.t, "message", f.message(m.ID), m)
	f.wantKinds(before)
	_, err = f.EditMessage(f.ctx, store.MessageID{9}, ann, func(*store.Message) error { return nil })
	wantErr(f.t, "edit of no message", err, store.ErrNotFound)
}

func editNothing(f *fixture) {
	m := f.append(store.Draft{Room: f.room(ann), Author: ann, Content: "x", Mentions: []store.UserID{bob}})
	before := f.head()
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "x"; return nil })
	f.fatal("edit", err)
	wantSame(f.t, "edited", edited, m)
	f.wantKinds(before)
}

// editTwice hands over a function that works on what it is given: an engine that runs it
// again on its own first result, or on a copy it shares, would show.
func editTwice(f *fixture) {
	m := f.append(store.Draft{Room: f.room(ann), Author: ann, Content: "x", Mentions: []store.UserID{bob, cyd}})
	for range 3 {
		_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error {
			m.Content += "!"
			m.Mentions = append(m.Mentions[:1], dan, eve)
			return nil
		})
		f.fatal("edit", err)
	}
	got := f.message(m.ID)
	if got.Content != "x!!!" || !slices.Equal(got.Mentions, []store.UserID{bob, dan, eve}) {
		f.t.Errorf("message after three edits = %q %v, want x!!! and %v", got.Content, got.Mentions, []store.UserID{bob, dan, eve})
	}
}

func editsAtOnce(f *fixture) {
	const editors, each = 16, 5
	room := f.room(ann)
	m := f.post(room, ann, "0")
	before := f.head()
	var wg sync.WaitGroup
	for range editors {
		wg.Go(func() {
			for range each {
				_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error {
					n, err := strconv.Atoi(m.Content)
					m.Content = strconv.Itoa(n + 1)
					return err
				})
				if err != nil {
					f.t.Errorf("edit: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := f.message(m.ID).Content; got != strconv.Itoa(editors*each) {
		f.t.Errorf("counted to %s, want %d", got, editors*each)
	}
	if n := len(f.since(before)); n != editors*each {
		f.t.Errorf("%d changes, want %d", n, editors*each)
	}
}

func deletes(f *fixture) {
	room := f.room(ann, bob)
	root := f.post(room, ann, "secret")
	reply := f.reply(root, bob, "answer")
	before := f.head()
	f.delete(root, ann)
	f.wantKinds(before, store.MessageDeleted)
	if c := f.since(before)[0]; c.Room != room || c.User != ann || c.Message != root.ID || c.Seq != root.Seq {
		f.t.Errorf("change = %+v, want of message %s by %d", c, root.ID, ann)
	}
	f.reopen()
	got := f.message(root.ID)
	if !got.Deleted || got.Content != "" || got.Seq != root.Seq || got.Author != ann || got.ReplyCount != 1 || !got.At.Equal(root.At) {
		f.t.Errorf("deleted message = %+v, want its place without its content", got)
	}
	page := f.all(room)
	wantSame(f.t, "page", ids(page[1:]), ids([]store.Message{root, reply}))
	if !page[1].Deleted || page[1].Content != "" {
		f.t.Errorf("deleted message in a page = %+v", page[1])
	}
	again := f.post(room, ann, "both")
	edited, err := f.EditMessage(f.ctx, again.ID, ann, func(m *store.Message) error { m.Content, m.Deleted = "kept?", true; return nil })
	if err != nil || !edited.Deleted || edited.Content != "" {
		f.t.Errorf("edited and deleted = %+v, %v, want no content", edited, err)
	}
}

func editNeedsMember(f *fixture) {
	room := f.room(ann, bob)
	m := f.post(room, bob, "x")
	_, _, err := f.React(f.ctx, m.ID, bob, "+1", true)
	f.fatal("react", err)
	f.leave(room, bob)
	before := f.head()
	ran := false
	_, err = f.EditMessage(f.ctx, m.ID, bob, func(m *store.Message) error { ran = true; m.Content = "y"; return nil })
	wantErr(f.t, "edit after leaving", err, store.ErrJoinFirst)
	for _, on := range []bool{true, false} {
		_, _, err = f.React(f.ctx, m.ID, bob, fmt.Sprint("+", on), on)
		wantErr(f.t, "react after leaving", err, store.ErrJoinFirst)
	}
	f.wantKinds(before)
	if got := f.message(m.ID); got.Content != "x" || len(got.Reactions) != 1 {
		f.t.Errorf("message = %+v after refusals (function ran: %v), want it as it was", got, ran)
	}
}

func editForbidden(f *fixture) {
	room := f.room(ann)
	line, m := f.all(room)[0], f.post(room, ann, "x")
	f.delete(m, ann)
	before := f.head()
	for name, id := range map[string]store.MessageID{"a system line": line.ID, "a deleted message": m.ID} {
		_, err := f.EditMessage(f.ctx, id, ann, func(m *store.Message) error { m.Content = "y"; m.Deleted = false; return nil })
		wantErr(f.t, "edit of "+name, err, store.ErrForbidden)
		_, _, err = f.React(f.ctx, id, ann, "+1", true)
		wantErr(f.t, "reaction to "+name, err, store.ErrForbidden)
	}
	_, err := f.EditMessage(f.ctx, line.ID, ann, func(m *store.Message) error { m.Deleted = true; return nil })
	wantErr(f.t, "deletion of a system line", err, store.ErrForbidden)
	f.wantKinds(before)
}

func reacts(f *fixture) {
	room := f.room(ann, bob)
	m := f.post(room, ann, "x")
	steps := []struct {
		by      store.UserID
		on      bool
		changed bool
		users   []store.UserID
	}{
		{bob, true, true, []store.UserID{bob}},
		{bob, true, false, []store.UserID{bob}},
		{ann, true, true, []store.UserID{bob, ann}},
		{bob, false, true, []store.UserID{ann}},
		{bob, false, false, []store.UserID{ann}},
		{ann, false, true, nil},
		{ann, false, false, nil},
	}
	for _, s := range steps {
		before := f.head()
		got, changed, err := f.React(f.ctx, m.ID, s.by, "👍", s.on)
		f.fatal("react", err)
		want := m
		kind := store.ReactionRemoved
		if s.on {
			kind = store.ReactionAdded
		}
		if s.users != nil {
			want.Reactions = []store.Reaction{{Name: "👍", Users: s.users}}
		}
		wantSame(f.t, "message", got, want)
		wantSame(f.t, "message read", f.message(m.ID), want)
		if changed != s.changed {
			f.t.Errorf("%+v: changed %v", s, changed)
		}
		changes := f.since(before)
		if s.changed && (len(changes) != 1 || changes[0].Kind != kind || changes[0].User != s.by || changes[0].Text != "👍" || changes[0].Message != m.ID || changes[0].Room != room || changes[0].Seq != m.Seq) {
			f.t.Errorf("changes of %+v = %+v, want one", s, changes)
		}
		if !s.changed && len(changes) != 0 {
			f.t.Errorf("changes of %+v = %+v, want none", s, changes)
		}
	}
	_, _, err := f.React(f.ctx, store.MessageID{9}, ann, "x", true)
	wantErr(f.t, "reaction to no message", err, store.ErrNotFound)
}

func reactionOrder(f *fixture) {
	people := []store.UserID{ann, bob, cyd, dan, eve}
	m := f.post(f.room(people...), ann, "x")
	react := func(by store.UserID, name string, on bool) {
		_, _, err := f.React(f.ctx, m.ID, by, name, on)
		f.fatal("react", err)
	}
	for _, by := range []store.UserID{eve, bob, dan, ann} {
		react(by, "+1", true)
		react(by, "-1", true)
	}
	react(bob, "+1", false)
	react(cyd, "+1", true)
	react(bob, "+1", true)
	f.reopen()
	got := map[string][]store.UserID{}
	for _, r := range f.page(m.Room, store.Span{Limit: 1})[0].Reactions {
		got[r.Name] = r.Users
	}
	wantSame(f.t, "+1", got["+1"], []store.UserID{eve, dan, ann, cyd, bob})
	wantSame(f.t, "-1", got["-1"], []store.UserID{eve, bob, dan, ann})
	if len(got) != 2 {
		f.t.Errorf("reactions = %v, want two kinds", got)
	}
}

func reactionLimit(f *fixture) {
	m := f.post(f.room(ann, bob), ann, "x")
	for i := range store.MaxReactionKinds {
		_, _, err := f.React(f.ctx, m.ID, ann, strings.Repeat("r", 60)+strconv.Itoa(i), true)
		f.fatal("react", err)
	}
	before := f.head()
	_, _, err := f.React(f.ctx, m.ID, ann, "more", true)
	wantErr(f.t, "the 51st kind", err, store.ErrInvalid)
	f.wantKinds(before)
	first := strings.Repeat("r", 60) + "0"
	if _, changed, err := f.React(f.ctx, m.ID, bob, first, true); err != nil || !changed {
		f.t.Errorf("another person's reaction of a kind that is there = %v, %v", changed, err)
	}
	for _, by := range []store.UserID{ann, bob} {
		_, _, err = f.React(f.ctx, m.ID, by, first, false)
		f.fatal("take back", err)
	}
	if got, changed, err := f.React(f.ctx, m.ID, bob, "more", true); err != nil || !changed || len(got.Reactions) != store.MaxReactionKinds {
		f.t.Errorf("a kind in place of another = %d kinds, %v, %v", len(got.Reactions), changed, err)
	}
}
