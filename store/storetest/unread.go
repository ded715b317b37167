package storetest

import "github.com/hearthchat/hearth/store"

var unreadCases = []workspaceCase{
	{"others' messages wait, one's own do not", unreadOwn},
	{"system lines never wait", unreadSystem},
	{"a deleted message does not wait", unreadDeleted},
	{"what was there before one joined does not wait", unreadBeforeJoin},
	{"messages read out of order leave the others", unreadOutOfOrder},
	{"mentions of the person and of everybody count", unreadMentions},
	{"a mention follows edits", unreadMentionEdited},
	{"posting moves the author along when nothing waits", unreadPostMoves},
	{"posting leaves what waits", unreadPostLeaves},
	{"unread comes by room, also with nothing", unreadByRoom},
	{"image and file messages wait like text", unreadTypes},
}

func unreadOwn(f *fixture) {
	room := f.room(ann, bob, cyd)
	a := f.post(room, ann, "a")
	b := f.post(room, bob, "b")
	f.wantUnread(room, ann, 1, 0, b.ID)
	f.wantUnread(room, bob, 1, 0, a.ID)
	f.wantUnread(room, cyd, 2, 0, a.ID)
}

func unreadSystem(f *fixture) {
	room := f.room(ann, bob)
	f.join(room, cyd)
	f.leave(room, cyd)
	_, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Name = "New"; return nil })
	f.fatal("rename", err)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	m := f.post(room, ann, "a")
	f.join(room, dan)
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 6, Count: 1, LastRead: f.all(room)[3].ID, First: m.ID})
}

func unreadDeleted(f *fixture) {
	room := f.room(ann, bob)
	a := f.append(store.Draft{Room: room, Author: ann, Content: "a", MentionsRoom: true})
	b, c := f.post(room, ann, "b"), f.post(room, ann, "c")
	f.delete(a, ann)
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 4, Count: 2, LastRead: a.ID, First: b.ID})
	f.read(bob, b)
	f.delete(b, ann)
	f.wantUnread(room, bob, 1, 0, c.ID)
	f.delete(c, ann)
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 4, LastRead: c.ID})
	f.mark(bob, a)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
}

func unreadBeforeJoin(f *fixture) {
	room := f.room(ann)
	f.append(store.Draft{Room: room, Author: ann, Content: "old", MentionsRoom: true})
	f.join(room, bob)
	u := f.unread(room, bob)
	if u.Count != 0 || u.Mentions != 0 || !u.First.IsZero() || u.Head != 3 {
		f.t.Errorf("unread of who just joined = %+v, want nothing", u)
	}
	m := f.append(store.Draft{Room: room, Author: ann, Content: "new", MentionsRoom: true})
	f.wantUnread(room, bob, 1, 1, m.ID)
}

func unreadOutOfOrder(f *fixture) {
	room := f.room(ann, bob)
	var all []store.Message
	for range 12 {
		all = append(all, f.post(room, ann, "x"))
	}
	waiting := map[int]bool{}
	for i := range all {
		waiting[i] = true
	}
	for _, i := range []int{6, 3, 5, 4, 11, 0, 9, 6, 1, 2, 10, 8, 7} {
		f.readOne(bob, all[i])
		delete(waiting, i)
		first := store.MessageID{}
		for j := range all {
			if waiting[j] {
				first = all[j].ID
				break
			}
		}
		f.wantUnread(room, bob, len(waiting), 0, first)
	}
}

func unreadMentions(f *fixture) {
	room := f.room(ann, bob, cyd)
	first := f.append(store.Draft{Room: room, Author: ann, Content: "a", Mentions: []store.UserID{bob}})
	second := f.append(store.Draft{Room: room, Author: ann, Content: "b", MentionsRoom: true})
	third := f.append(store.Draft{Room: room, Author: bob, Content: "c", Mentions: []store.UserID{bob, cyd}, MentionsRoom: true})
	f.wantUnread(room, bob, 2, 2, first.ID)
	f.wantUnread(room, cyd, 3, 2, first.ID)
	f.wantUnread(room, ann, 1, 1, third.ID)
	f.readOne(bob, second)
	f.wantUnread(room, bob, 1, 1, first.ID)
	f.read(bob, third)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	f.mark(bob, second)
	f.wantUnread(room, bob, 1, 1, second.ID)
	f.delete(third, bob)
	f.wantUnread(room, ann, 0, 0, store.MessageID{})
	f.wantUnread(room, cyd, 2, 1, first.ID)
}

func unreadMentionEdited(f *fixture) {
	room := f.room(ann, bob, cyd)
	m := f.append(store.Draft{Room: room, Author: ann, Content: "a", Mentions: []store.UserID{bob}})
	edit := func(content string, mentions []store.UserID, everybody bool) {
		_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error {
			m.Content, m.Mentions, m.MentionsRoom = content, mentions, everybody
			return nil
		})
		f.fatal("edit", err)
	}
	f.wantUnread(room, bob, 1, 1, m.ID)
	edit("b", []store.UserID{cyd}, false)
	f.wantUnread(room, bob, 1, 0, m.ID)
	f.wantUnread(room, cyd, 1, 1, m.ID)
	edit("c", []store.UserID{cyd}, true)
	f.wantUnread(room, bob, 1, 1, m.ID)
	f.wantUnread(room, cyd, 1, 1, m.ID)
	edit("d", nil, false)
	f.wantUnread(room, bob, 1, 0, m.ID)
	f.wantUnread(room, cyd, 1, 0, m.ID)
}

func unreadPostMoves(f *fixture) {
	room := f.room(ann, bob)
	f.read(bob, f.post(room, ann, "a"))
	own := f.post(room, bob, "own")
	u := f.unread(room, bob)
	if u.Count != 0 || u.LastRead != own.ID {
		f.t.Errorf("unread of the author = %+v, want read through their own %s", u, own.ID)
	}
	f.wantReaders(own, nil)
	next := f.post(room, ann, "b")
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 4, Count: 1, LastRead: own.ID, First: next.ID})
}

func unreadPostLeaves(f *fixture) {
	room := f.room(ann, bob)
	a := f.post(room, ann, "a")
	f.post(room, bob, "own")
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 3, Count: 1, LastRead: f.all(room)[0].ID, First: a.ID})
	f.wantReaders(a, nil)
}

func unreadByRoom(f *fixture) {
	for _, id := range []store.RoomID{"m", "b", "z", "a", "a-1"} {
		_, err := f.CreateRoom(f.ctx, store.Room{ID: id, Kind: store.KindClosed, Name: "Same", Creator: ann}, firstMembers(ann, bob))
		f.fatal("create room", err)
	}
	f.post("b", ann, "x")
	f.post("z", ann, "x")
	f.leave("m", bob)
	f.direct(ann, cyd)
	all, err := f.Unread(f.ctx, bob)
	f.fatal("unread", err)
	var got []store.RoomID
	for _, u := range all {
		got = append(got, u.Room)
		wantSame(f.t, "unread", u, f.unread(u.Room, bob))
	}
	wantSame(f.t, "rooms", got, []store.RoomID{"a", "a-1", "b", "z"})
	if all, err := f.Unread(f.ctx, dan); err != nil || len(all) != 0 {
		f.t.Errorf("unread of a stranger = %+v, %v, want none", all, err)
	}
}

func unreadTypes(f *fixture) {
	room := f.room(ann, bob)
	first := f.append(store.Draft{Room: room, Author: ann, Content: "a", Type: store.TypeImage})
	f.append(store.Draft{Room: room, Author: ann, Content: "b", Type: store.TypeFile})
	f.append(store.Draft{Room: room, Author: ann, Content: "c", Type: store.TypeText})
	f.wantUnread(room, bob, 3, 0, first.ID)
}
