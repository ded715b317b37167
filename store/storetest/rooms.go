package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

var roomCases = []workspaceCase{
	{"a room is made with its first members and a line", roomIsMade},
	{"a room with a source gets no line", roomWithSource},
	{"an empty id is filled in and a taken one refused", roomIDs},
	{"what the engine keeps up to date is ignored on making", roomCountersIgnored},
	{"a room counts its messages and members", roomCounters},
	{"there is no room that was never made", roomMissing},
	{"editing changes name, description and kind alone", roomEdited},
	{"a new name stores a line", roomRenamed},
	{"an edit that fails or changes nothing leaves no trace", roomEditFails},
	{"no room becomes direct and no direct room another", roomStaysDirect},
	{"a deleted room is gone for everything", roomDeleted},
	{"a deleted room stays gone after a restart", roomDeletedDurably},
	{"open rooms come by id in pages", openRooms},
	{"the oldest open room of a name is found", openRoomNamed},
}

func roomIsMade(f *fixture) {
	before := f.head()
	now := f.clock.Now()
	r, err := f.CreateRoom(f.ctx, store.Room{ID: "kitchen", Kind: store.KindClosed, Name: "Kitchen", Description: "Food", Creator: ann},
		[]store.Member{{User: ann, Role: store.RoomOwner}, {User: cyd, Role: store.RoomModerator}, {User: bob, Role: store.RoomMember}})
	f.fatal("create room", err)
	want := store.Room{ID: "kitchen", Kind: store.KindClosed, Name: "Kitchen", Description: "Food", Creator: ann, CreatedAt: now, Head: 1, Members: 3}
	wantSame(f.t, "room made", r, want)
	wantSame(f.t, "room read", f.look("kitchen"), want)

	members, err := f.Members(f.ctx, "kitchen", 0, 10)
	f.fatal("members", err)
	wantSame(f.t, "members", members, []store.Member{
		{Room: "kitchen", User: ann, Role: store.RoomOwner, JoinedAt: now},
		{Room: "kitchen", User: bob, Role: store.RoomMember, JoinedAt: now},
		{Room: "kitchen", User: cyd, Role: store.RoomModerator, JoinedAt: now},
	})
	lines := f.all("kitchen")
	if len(lines) != 1 || lines[0].Type != store.TypeSystem || lines[0].Content != store.LineCreated || lines[0].Author != ann || lines[0].Seq != 1 {
		f.t.Errorf("messages of a new room = %+v, want the line %q by %d", lines, store.LineCreated, ann)
	}
	roomIsMadeInLog(f, before)
}

// roomIsMadeInLog requires RoomCreated first, and one MemberJoined of each after it.
func roomIsMadeInLog(f *fixture, before store.Position) {
	changes := f.since(before)
	if len(changes) == 0 || changes[0].Kind != store.RoomCreated || changes[0].User != ann || changes[0].Room != "kitchen" {
		f.t.Fatalf("changes = %+v, want RoomCreated by %d first", changes, ann)
	}
	joined := map[store.UserID]int{}
	posted := 0
	for _, c := range changes[1:] {
		switch {
		case c.Kind == store.MemberJoined && c.Room == "kitchen":
			joined[c.User]++
		case c.Kind == store.MessagePosted && c.Seq == 1 && c.User == ann:
			posted++
		default:
			f.t.Errorf("unexpected change %+v", c)
		}
	}
	if joined[ann] != 1 || joined[bob] != 1 || joined[cyd] != 1 || len(joined) != 3 || posted != 1 {
		f.t.Errorf("changes say joined %v and posted %d, want one of each member and the line", joined, posted)
	}
}

func roomWithSource(f *fixture) {
	r, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "#ubuntu", Source: "irc:ubuntu"}, nil)
	f.fatal("create room", err)
	if r.Head != 0 || r.Members != 0 || r.Source != "irc:ubuntu" || len(f.all(r.ID)) != 0 {
		f.t.Errorf("room with a source = %+v, want no message and no member", r)
	}
}

func roomIDs(f *fixture) {
	a, b := f.room(ann), f.room(ann)
	if a == b || !a.Valid() || !b.Valid() {
		f.t.Errorf("ids made = %q and %q, want two valid ones", a, b)
	}
	before := f.head()
	_, err := f.CreateRoom(f.ctx, store.Room{ID: a, Kind: store.KindOpen, Name: "Other", Creator: bob}, firstMembers(bob))
	wantErr(f.t, "create a room with a taken id", err, store.ErrExists)
	f.wantKinds(before)
	if name := f.look(a).Name; name != "Lobby" {
		f.t.Errorf("name after a refused room = %q, want Lobby", name)
	}
}

func roomCountersIgnored(f *fixture) {
	r, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "New", Creator: ann, Head: 9, Countable: 9, LastAt: f.clock.Now(), Members: 9}, firstMembers(ann))
	f.fatal("create room", err)
	if r.Head != 1 || r.Countable != 0 || !r.LastAt.IsZero() || r.Members != 1 {
		f.t.Errorf("new room = %+v, want head 1, countable 0, no last time, 1 member", r)
	}
}

func roomCounters(f *fixture) {
	room := f.room(ann, bob)
	first := f.post(room, ann, "one")
	f.join(room, cyd)
	second := f.post(room, bob, "two")
	if first.Countable != 1 || second.Countable != 2 {
		f.t.Errorf("countable of the messages = %d and %d, want 1 and 2", first.Countable, second.Countable)
	}
	f.leave(room, cyd)
	f.delete(second, bob)
	r := f.look(room)
	if r.Head != 5 || r.Countable != 2 || !r.LastAt.Equal(second.At) || r.Members != 2 {
		f.t.Errorf("room = %+v, want head 5, countable 2, last at %v, 2 members", r, second.At)
	}
}

func roomMissing(f *fixture) {
	_, err := f.Room(f.ctx, "nowhere")
	wantErr(f.t, "room", err, store.ErrNotFound)
	_, err = f.Member(f.ctx, "nowhere", ann)
	wantErr(f.t, "member of no room", err, store.ErrNotFound)
	_, err = f.Member(f.ctx, f.room(ann), bob)
	wantErr(f.t, "no member of a room", err, store.ErrNotFound)
	_, err = f.OpenRoomNamed(f.ctx, "Nowhere")
	wantErr(f.t, "open room of no name", err, store.ErrNotFound)
}

func roomEdited(f *fixture) {
	room := f.room(ann)
	was, before := f.look(room), f.head()
	edited, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error {
		r.Description, r.Kind = "New", store.KindClosed
		r.ID, r.Creator, r.Head, r.Members, r.Countable, r.Source = "other", dan, 99, 99, 99, "irc:x"
		return nil
	})
	f.fatal("edit room", err)
	want := was
	want.Description, want.Kind = "New", store.KindClosed
	wantSame(f.t, "edited room", edited, want)
	wantSame(f.t, "room read after the edit", f.look(room), want)
	f.wantKinds(before, store.RoomEdited)
	f.reopen()
	wantSame(f.t, "room after a restart", f.look(room), want)
}

func roomRenamed(f *fixture) {
	room := f.room(ann, bob)
	before := f.head()
	r, err := f.EditRoom(f.ctx, room, bob, func(r *store.Room) error { r.Name = "Parlour"; return nil })
	f.fatal("rename", err)
	lines := f.all(room)
	last := lines[len(lines)-1]
	if r.Name != "Parlour" || r.Head != 2 || last.Type != store.TypeSystem || last.Content != store.LineRenamed("Parlour") || last.Author != bob {
		f.t.Errorf("renamed room = %+v with last line %+v, want %q by %d", r, last, store.LineRenamed("Parlour"), bob)
	}
	kinds := map[store.ChangeKind]int{}
	for _, c := range f.since(before) {
		kinds[c.Kind]++
	}
	if kinds[store.RoomEdited] != 1 || kinds[store.MessagePosted] != 1 || len(kinds) != 2 {
		f.t.Errorf("changes of a new name = %v, want one edit and one line", kinds)
	}
}

func roomEditFails(f *fixture) {
	room := f.room(ann)
	was, before := f.look(room), f.head()
	own := errors.New("a reason of the caller's own")
	_, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Name = "Half"; return own })
	wantErr(f.t, "edit that fails", err, own)
	_, err = f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { return nil })
	f.fatal("edit that changes nothing", err)
	wantSame(f.t, "room", f.look(room), was)
	f.wantKinds(before)
	_, err = f.EditRoom(f.ctx, "nowhere", ann, func(r *store.Room) error { return nil })
	wantErr(f.t, "edit of no room", err, store.ErrNotFound)
}

func roomStaysDirect(f *fixture) {
	room, direct := f.room(ann), f.direct(ann, bob)
	if _, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Kind = store.KindDirect; return nil }); err == nil {
		f.t.Error("a room was made direct")
	}
	if _, err := f.EditRoom(f.ctx, direct, ann, func(r *store.Room) error { r.Kind = store.KindOpen; return nil }); err == nil {
		f.t.Error("a direct room was opened")
	}
	if a, b := f.look(room).Kind, f.look(direct).Kind; a != store.KindOpen || b != store.KindDirect {
		f.t.Errorf("kinds = %s and %s, want open and direct", a, b)
	}
}

func roomDeleted(f *fixture) {
	room, other := f.room(ann, bob), f.room(ann)
	m := f.post(room, ann, "hi")
	reply := f.reply(m, bob, "hello")
	before := f.head()
	f.fatal("delete room", f.DeleteRoom(f.ctx, room, ann))
	f.wantKinds(before, store.RoomDeleted)
	roomIsGone(f, room, m)
	roomIsGone(f, room, reply)
	for _, user := range []store.UserID{ann, bob} {
		rooms, err := f.RoomsOf(f.ctx, user)
		f.fatal("rooms of", err)
		unread, err := f.Unread(f.ctx, user)
		f.fatal("unread", err)
		for _, r := range rooms {
			if r.Room == room {
				f.t.Errorf("%d is in the deleted room", user)
			}
		}
		if len(rooms) != len(unread) {
			f.t.Errorf("%d has %d rooms and unread of %d", user, len(rooms), len(unread))
		}
	}
	open, err := f.OpenRooms(f.ctx, "", 10)
	f.fatal("open rooms", err)
	if len(open) != 1 || open[0].ID != other {
		f.t.Errorf("open rooms = %+v, want %s alone", open, other)
	}
	if named, err := f.OpenRoomNamed(f.ctx, "Lobby"); err != nil || named.ID != other {
		f.t.Errorf("open room of the same name = %+v, %v, want %s", named, err, other)
	}
}

// roomIsGone requires ErrNotFound from everything that names the room or its message m.
func roomIsGone(f *fixture, room store.RoomID, m store.Message) {
	tries := map[string]func() error{
		"Room":   func() error { _, err := f.Room(f.ctx, room); return err },
		"Member": func() error { _, err := f.Member(f.ctx, room, ann); return err },
		"Members": func() error {
			_, err := f.Members(f.ctx, room, 0, 10)
			return err
		},
		"EditRoom": func() error {
			_, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Name = "x"; return nil })
			return err
		},
		"Join":        func() error { _, err := f.Join(f.ctx, store.Member{Room: room, User: cyd}, cyd, "x"); return err },
		"Leave":       func() error { _, err := f.Leave(f.ctx, room, ann, ann, "x"); return err },
		"SetRoomRole": func() error { return f.SetRoomRole(f.ctx, room, ann, store.RoomModerator) },
		"Append": func() error {
			_, _, err := f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "x"})
			return err
		},
		"Message": func() error { _, err := f.Message(f.ctx, m.ID); return err },
		"EditMessage": func() error {
			_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "x"; return nil })
			return err
		},
		"React":  func() error { _, _, err := f.React(f.ctx, m.ID, ann, "x", true); return err },
		"Page":   func() error { _, err := f.Page(f.ctx, room, store.Span{Limit: 10}); return err },
		"Thread": func() error { _, err := f.Thread(f.ctx, m.ID, store.Span{Limit: 10}); return err },
		"BeginImport": func() error {
			return f.BeginImport(f.ctx, room)
		},
		"Read":       func() error { _, err := f.Read(f.ctx, room, ann, m.ID, f.clock.Now()); return err },
		"ReadOne":    func() error { _, err := f.ReadOne(f.ctx, m.ID, ann, f.clock.Now()); return err },
		"MarkUnread": func() error { _, err := f.MarkUnread(f.ctx, m.ID, ann); return err },
		"UnreadIn":   func() error { _, err := f.UnreadIn(f.ctx, room, ann); return err },
		"Readers":    func() error { _, err := f.Readers(f.ctx, m.ID); return err },
	}
	before := f.head()
	for name, try := range tries {
		wantErr(f.t, name+" in a deleted room", try(), store.ErrNotFound)
	}
	f.wantKinds(before)
}

func roomDeletedDurably(f *fixture) {
	room := f.room(ann, bob)
	m := f.post(room, ann, "hi")
	for i := range 300 {
		f.post(room, bob, fmt.Sprint(i))
	}
	f.fatal("delete room", f.DeleteRoom(f.ctx, room, ann))
	f.reopen()
	roomIsGone(f, room, m)
}

func openRooms(f *fixture) {
	var want []store.RoomID
	for _, id := range []store.RoomID{"m", "b", "z", "a", "Ä", "a-1"} {
		_, err := f.CreateRoom(f.ctx, store.Room{ID: id, Kind: store.KindOpen, Name: "Same", Creator: ann}, firstMembers(ann))
		f.fatal("create room", err)
	}
	_, err := f.CreateRoom(f.ctx, store.Room{ID: "c", Kind: store.KindClosed, Name: "Same", Creator: ann}, firstMembers(ann))
	f.fatal("create room", err)
	f.direct(ann, bob)
	want = []store.RoomID{"a", "a-1", "b", "m", "z", "Ä"}
	for limit := 1; limit <= 7; limit++ {
		var got []store.RoomID
		after := store.RoomID("")
		for {
			rooms, err := f.OpenRooms(f.ctx, after, limit)
			f.fatal("open rooms", err)
			if len(rooms) == 0 {
				break
			}
			if len(rooms) > limit {
				f.t.Fatalf("%d rooms, want at most %d", len(rooms), limit)
			}
			for _, r := range rooms {
				got = append(got, r.ID)
			}
			after = got[len(got)-1]
		}
		wantSame(f.t, fmt.Sprintf("open rooms in pages of %d", limit), got, want)
	}
}

func openRoomNamed(f *fixture) {
	first := f.room(ann)
	f.clock.advance(time.Hour)
	f.room(bob)
	for _, name := range []string{"lobby", "Lobb", "Lobby ", strings.ToUpper("Lobby")} {
		_, err := f.OpenRoomNamed(f.ctx, name)
		wantErr(f.t, "open room named "+name, err, store.ErrNotFound)
	}
	if r, err := f.OpenRoomNamed(f.ctx, "Lobby"); err != nil || r.ID != first {
		f.t.Errorf("open room named Lobby = %+v, %v, want the oldest, %s", r, err, first)
	}
	_, err := f.EditRoom(f.ctx, first, ann, func(r *store.Room) error { r.Kind = store.KindClosed; return nil })
	f.fatal("close room", err)
	if r, err := f.OpenRoomNamed(f.ctx, "Lobby"); err != nil || r.ID == first {
		f.t.Errorf("open room named Lobby = %+v, %v, want the other one", r, err)
	}
}
