package storetest

import (
	"slices"

	"github.com/hearthchat/hearth/store"
)

var ownershipCases = []workspaceCase{
	{"what was handed out is the caller's to change", handedOut},
	{"what was handed in is the caller's again", handedIn},
	{"what an edit function leaves is the caller's again", handedToEdit},
	{"what rides along in the log is nobody else's", ridesAlong},
}

func handedOut(f *fixture) {
	room := f.room(ann, bob)
	m := f.append(store.Draft{Room: room, Author: ann, Content: "x", Mentions: []store.UserID{ann, bob}})
	reacted, _, err := f.React(f.ctx, m.ID, bob, "+1", true)
	f.fatal("react", err)
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "y"; return nil })
	f.fatal("edit", err)
	thread, err := f.Thread(f.ctx, m.ID, store.Span{Limit: 1})
	f.fatal("thread", err)
	want := f.message(m.ID)
	want.Mentions = slices.Clone(want.Mentions)
	want.Reactions = []store.Reaction{{Name: "+1", Users: []store.UserID{bob}}}
	for _, out := range []store.Message{m, reacted, edited, thread[0], f.message(m.ID), f.page(room, store.Span{Limit: 1})[0]} {
		out.Mentions[0] = 99
		for _, r := range out.Reactions {
			r.Users[0] = 99
		}
		wantSame(f.t, "message", f.message(m.ID), want)
		wantSame(f.t, "message in a page", f.page(room, store.Span{Limit: 1})[0], want)
	}
	members, err := f.Members(f.ctx, room, 0, 10)
	f.fatal("members", err)
	members[0].Role = store.RoomModerator
	if role := f.member(room, ann).Role; role != store.RoomOwner {
		f.t.Errorf("role = %s, want owner", role)
	}
}

func handedIn(f *fixture) {
	room := f.room(ann, bob)
	mentions := []store.UserID{ann, bob}
	m := f.append(store.Draft{Room: room, Author: ann, Content: "x", Mentions: mentions})
	mentions[1] = 99
	wantSame(f.t, "mentions", f.message(m.ID).Mentions, []store.UserID{ann, bob})
	f.wantUnread(room, bob, 1, 1, m.ID)

	people := []store.UserID{ann, bob}
	direct := f.direct(people...)
	people[0] = 99
	if again := f.direct(bob, ann); again != direct {
		f.t.Errorf("direct room = %s, want %s", again, direct)
	}
	first := firstMembers(ann, bob)
	other, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "x", Creator: ann}, first)
	f.fatal("create room", err)
	first[1].User = cyd
	f.member(other.ID, bob)

	messages := foreign(f.importRoom(), 0, 2)
	f.bring(messages[0].Room, messages, false)
	messages[0].Content = "z"
	if got := f.message(messages[0].ID).Content; got != "line 0" {
		f.t.Errorf("imported content = %q", got)
	}
}

func handedToEdit(f *fixture) {
	m := f.post(f.room(ann, bob), ann, "x")
	mentions := []store.UserID{bob, cyd}
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content, m.Mentions = "y", mentions; return nil })
	f.fatal("edit", err)
	mentions[0], edited.Mentions[1] = 98, 99
	wantSame(f.t, "mentions", f.message(m.ID).Mentions, []store.UserID{bob, cyd})
}

func ridesAlong(f *fixture) {
	room := f.room(ann, bob)
	before := f.head()
	m := f.append(store.Draft{Room: room, Author: ann, Content: "x", Mentions: []store.UserID{ann, bob}})
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "y"; return nil })
	f.fatal("edit", err)
	m.Mentions[0], edited.Mentions[0] = 99, 98
	_, err = f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Name = "New"; return nil })
	f.fatal("edit room", err)
	for _, c := range f.since(before) {
		if r := c.RecordMessage; r != nil {
			if r.ID != c.Message || r.Room != room || r.Seq != c.Seq {
				f.t.Errorf("message %+v rides along with %+v", r, c)
			}
			if r.Type != store.TypeSystem && !slices.Equal(r.Mentions, []store.UserID{ann, bob}) {
				f.t.Errorf("mentions that ride along = %v, want %d and %d", r.Mentions, ann, bob)
			}
		}
		if r := c.RecordRoom; r != nil && r.ID != room {
			f.t.Errorf("room %+v rides along with %+v", r, c)
		}
	}
}
