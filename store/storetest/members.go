package storetest

import (
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

var memberCases = []workspaceCase{
	{"joining makes a member and stores a line", joins},
	{"who is a member already stays as they are", joinsTwice},
	{"leaving ends a membership and stores a line", leaves},
	{"who was no member cannot leave", leavesNothing},
	{"who comes back is a new member", rejoins},
	{"the last owner hands on to the longest-standing", handsOn},
	{"an owner of several just leaves", ownerOfSeveral},
	{"a role changes", roleChanges},
	{"members come by id in pages", membersPaged},
	{"rooms of a person come by id", roomsOf},
	{"the same people have the same direct room", directSame},
	{"a direct room of other people is another", directOthers},
	{"a direct room is left by hiding it", directHides},
	{"a hidden direct room shows again at its next message", directShowsByMessage},
	{"a hidden direct room shows again for who asks", directShowsByAsking},
	{"a direct room has at most fifty people", directLimit},
}

func joins(f *fixture) {
	room := f.room(ann)
	f.post(room, ann, "one")
	before, now := f.head(), f.clock.Now()
	joined, err := f.Join(f.ctx, store.Member{Room: room, User: bob}, ann, store.LineAdded("bob"))
	f.fatal("join", err)
	m := f.member(room, bob)
	if !joined || m.Role != store.RoomMember || m.Room != room || m.User != bob || !m.JoinedAt.Equal(now) || m.Hidden {
		f.t.Errorf("join = %v, member %+v, want a member since %v", joined, m, now)
	}
	if m.JoinedSeq != 2 && m.JoinedSeq != 3 {
		f.t.Errorf("joined at seq %d, want the head, 2 or 3 with the line", m.JoinedSeq)
	}
	all := f.all(room)
	line := all[len(all)-1]
	if line.Type != store.TypeSystem || line.Content != store.LineAdded("bob") || line.Author != ann || line.Seq != 3 {
		f.t.Errorf("line = %+v, want %q by %d", line, store.LineAdded("bob"), ann)
	}
	joinedInLog(f, before, store.MemberJoined, bob)
	joined, err = f.Join(f.ctx, store.Member{Room: room, User: cyd, Role: store.RoomModerator}, cyd, store.LineJoined)
	if role := f.member(room, cyd).Role; err != nil || !joined || role != store.RoomModerator {
		f.t.Errorf("join as moderator = %v, %v with role %s", joined, err, role)
	}
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	if n := f.look(room).Members; n != 3 {
		f.t.Errorf("members = %d, want 3", n)
	}
}

// joinedInLog requires one change of a membership and one line, in either order.
func joinedInLog(f *fixture, before store.Position, kind store.ChangeKind, user store.UserID) {
	f.t.Helper()
	var lines, members int
	changes := f.since(before)
	for _, c := range changes {
		switch {
		case c.Kind == kind && c.User == user:
			members++
		case c.Kind == store.MessagePosted:
			lines++
		}
	}
	if lines != 1 || members != 1 || len(changes) != 2 {
		f.t.Errorf("changes = %+v, want one %q of %d and one line", changes, kind, user)
	}
}

func joinsTwice(f *fixture) {
	room := f.room(ann, bob)
	was, before := f.member(room, ann), f.head()
	f.clock.advance(time.Minute)
	joined, err := f.Join(f.ctx, store.Member{Room: room, User: ann, Role: store.RoomMember}, bob, store.LineJoined)
	if err != nil || joined {
		f.t.Errorf("second join = %v, %v, want false", joined, err)
	}
	wantSame(f.t, "member", f.member(room, ann), was)
	f.wantKinds(before)
	_, err = f.Join(f.ctx, store.Member{Room: "nowhere", User: ann}, ann, store.LineJoined)
	wantErr(f.t, "join no room", err, store.ErrNotFound)
}

func leaves(f *fixture) {
	room := f.room(ann, bob)
	before := f.head()
	left, err := f.Leave(f.ctx, room, bob, ann, store.LineRemoved("bob"))
	if err != nil || !left {
		f.t.Fatalf("leave = %v, %v, want true", left, err)
	}
	_, err = f.Member(f.ctx, room, bob)
	wantErr(f.t, "member who left", err, store.ErrNotFound)
	all := f.all(room)
	if line := all[len(all)-1]; line.Content != store.LineRemoved("bob") || line.Author != ann || line.Type != store.TypeSystem {
		f.t.Errorf("line = %+v, want %q by %d", line, store.LineRemoved("bob"), ann)
	}
	joinedInLog(f, before, store.MemberLeft, bob)
	rooms, err := f.RoomsOf(f.ctx, bob)
	if err != nil || len(rooms) != 0 || f.look(room).Members != 1 {
		f.t.Errorf("rooms of who left = %+v, %v, want none", rooms, err)
	}
	_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: bob, Content: "x"})
	wantErr(f.t, "post after leaving", err, store.ErrJoinFirst)
}

func leavesNothing(f *fixture) {
	room := f.room(ann)
	before := f.head()
	left, err := f.Leave(f.ctx, room, bob, bob, store.LineLeft)
	if err != nil || left {
		f.t.Errorf("leave without membership = %v, %v, want false", left, err)
	}
	f.wantKinds(before)
	_, err = f.Leave(f.ctx, "nowhere", bob, bob, store.LineLeft)
	wantErr(f.t, "leave no room", err, store.ErrNotFound)
}

func rejoins(f *fixture) {
	room := f.room(ann, bob)
	f.fatal("role", f.SetRoomRole(f.ctx, room, bob, store.RoomModerator))
	f.post(room, ann, "one")
	f.leave(room, bob)
	missed := f.post(room, ann, "two")
	f.join(room, bob)
	m := f.member(room, bob)
	if m.Role != store.RoomMember || m.JoinedSeq < missed.Seq {
		f.t.Errorf("member who came back = %+v, want a plain one since seq %d", m, missed.Seq)
	}
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	next := f.post(room, ann, "three")
	f.wantUnread(room, bob, 1, 0, next.ID)
}

func handsOn(f *fixture) {
	room := f.room(ann, eve)
	f.leave(room, eve)
	f.join(room, dan)
	f.join(room, bob)
	f.join(room, eve)
	f.fatal("role", f.SetRoomRole(f.ctx, room, eve, store.RoomModerator))
	before := f.head()
	f.leave(room, ann)
	if role := f.member(room, dan).Role; role != store.RoomOwner {
		f.t.Errorf("role of the longest-standing = %s, want owner", role)
	}
	if a, b := f.member(room, bob).Role, f.member(room, eve).Role; a != store.RoomMember || b != store.RoomModerator {
		f.t.Errorf("roles of the others = %s and %s, want member and moderator", a, b)
	}
	changed := 0
	for _, c := range f.since(before) {
		if c.Kind == store.MemberChanged && c.User == dan && c.Room == room {
			changed++
		}
	}
	if changed != 1 {
		f.t.Errorf("changes of the new owner = %d, want 1", changed)
	}
	for _, user := range []store.UserID{dan, bob, eve} {
		f.leave(room, user)
	}
	if n := f.look(room).Members; n != 0 {
		f.t.Errorf("members of a room all left = %d, want 0", n)
	}
}

func ownerOfSeveral(f *fixture) {
	room := f.room(ann, bob, cyd)
	f.fatal("role", f.SetRoomRole(f.ctx, room, cyd, store.RoomOwner))
	before := f.head()
	f.leave(room, ann)
	for _, c := range f.since(before) {
		if c.Kind == store.MemberChanged {
			f.t.Errorf("a role changed: %+v", c)
		}
	}
	if a, b := f.member(room, bob).Role, f.member(room, cyd).Role; a != store.RoomMember || b != store.RoomOwner {
		f.t.Errorf("roles = %s and %s, want member and owner", a, b)
	}
}

func roleChanges(f *fixture) {
	room := f.room(ann, bob)
	before := f.head()
	f.fatal("role", f.SetRoomRole(f.ctx, room, bob, store.RoomModerator))
	f.fatal("same role", f.SetRoomRole(f.ctx, room, bob, store.RoomModerator))
	f.wantKinds(before, store.MemberChanged)
	if c := f.since(before)[0]; c.Room != room || c.User != bob {
		f.t.Errorf("change = %+v, want of %d", c, bob)
	}
	rooms, err := f.RoomsOf(f.ctx, bob)
	if err != nil || len(rooms) != 1 || rooms[0].Role != store.RoomModerator || f.member(room, bob).Role != store.RoomModerator {
		f.t.Errorf("rooms of a moderator = %+v, %v", rooms, err)
	}
	wantErr(f.t, "role of no member", f.SetRoomRole(f.ctx, room, cyd, store.RoomOwner), store.ErrNotFound)
	wantErr(f.t, "role in no room", f.SetRoomRole(f.ctx, "nowhere", ann, store.RoomOwner), store.ErrNotFound)
}

func membersPaged(f *fixture) {
	people := []store.UserID{3, 1, 2, 300, 255, 256, 1 << 40, 65536}
	want := []store.UserID{1, 2, 3, 255, 256, 300, 65536, 1 << 40}
	room := f.room(people...)
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []store.UserID
		for after := store.UserID(0); ; after = got[len(got)-1] {
			members, err := f.Members(f.ctx, room, after, limit)
			f.fatal("members", err)
			if len(members) > limit {
				f.t.Fatalf("%d members, want at most %d", len(members), limit)
			}
			for _, m := range members {
				got = append(got, m.User)
			}
			if len(members) == 0 {
				break
			}
		}
		wantSame(f.t, fmt.Sprintf("members in pages of %d", limit), got, want)
	}
}

func roomsOf(f *fixture) {
	for _, id := range []store.RoomID{"m", "b", "a-1", "z", "a"} {
		_, err := f.CreateRoom(f.ctx, store.Room{ID: id, Kind: store.KindClosed, Name: "Same", Creator: ann}, firstMembers(ann, bob))
		f.fatal("create room", err)
	}
	f.leave("m", bob)
	rooms, err := f.RoomsOf(f.ctx, bob)
	f.fatal("rooms of", err)
	var got []store.RoomID
	for _, m := range rooms {
		got = append(got, m.Room)
		wantSame(f.t, "membership", m, f.member(m.Room, bob))
	}
	wantSame(f.t, "rooms of", got, []store.RoomID{"a", "a-1", "b", "z"})
	if rooms, err := f.RoomsOf(f.ctx, cyd); err != nil || len(rooms) != 0 {
		f.t.Errorf("rooms of a stranger = %+v, %v, want none", rooms, err)
	}
}

func directSame(f *fixture) {
	before := f.head()
	r, made, err := f.DirectRoom(f.ctx, ann, []store.UserID{ann, cyd, bob})
	f.fatal("direct room", err)
	if !made || r.Kind != store.KindDirect || r.Name != "" || r.Members != 3 || r.Head != 0 || !r.ID.Valid() {
		f.t.Errorf("direct room = %+v, made %v, want a new one of 3 without messages", r, made)
	}
	f.wantKinds(before, store.RoomCreated, store.MemberJoined, store.MemberJoined, store.MemberJoined)
	before = f.head()
	again, made, err := f.DirectRoom(f.ctx, bob, []store.UserID{bob, ann, cyd})
	f.fatal("direct room again", err)
	if made {
		f.t.Error("the direct room was made twice")
	}
	wantSame(f.t, "direct room again", again, r)
	f.wantKinds(before)
	members, err := f.Members(f.ctx, r.ID, 0, 10)
	f.fatal("members", err)
	for i, m := range members {
		if m.User != store.UserID(i+1) || m.Role != store.RoomMember || m.Hidden {
			f.t.Errorf("member %d = %+v, want a plain one", i, m)
		}
	}
	f.reopen()
	again, made, err = f.DirectRoom(f.ctx, cyd, []store.UserID{ann, bob, cyd})
	if err != nil || made || again.ID != r.ID {
		f.t.Errorf("direct room after a restart = %+v, %v, %v, want the same", again, made, err)
	}
}

func directOthers(f *fixture) {
	seen := map[store.RoomID]bool{}
	for _, people := range [][]store.UserID{{ann}, {ann, bob}, {ann, cyd}, {ann, bob, cyd}, {ann, bob, cyd, dan}, {1, 23}, {12, 3, 1}} {
		seen[f.direct(people...)] = true
	}
	if len(seen) != 7 {
		f.t.Errorf("%d direct rooms for 7 sets of people", len(seen))
	}
}

func directHides(f *fixture) {
	room := f.direct(ann, bob)
	f.post(room, ann, "hi")
	was, before := f.member(room, bob), f.head()
	left, err := f.Leave(f.ctx, room, bob, bob, store.LineLeft)
	if err != nil || !left {
		f.t.Fatalf("leave = %v, %v, want true", left, err)
	}
	f.wantKinds(before, store.MemberLeft)
	was.Hidden = true
	wantSame(f.t, "member who hid the room", f.member(room, bob), was)
	rooms, err := f.RoomsOf(f.ctx, bob)
	if err != nil || len(rooms) != 1 || !rooms[0].Hidden {
		f.t.Errorf("rooms of who hid = %+v, %v, want the hidden one", rooms, err)
	}
	if f.member(room, ann).Hidden || f.look(room).Members != 2 || len(f.all(room)) != 1 {
		f.t.Error("hiding changed more than the one membership")
	}
	before = f.head()
	_, err = f.Leave(f.ctx, room, bob, bob, store.LineLeft)
	f.fatal("hide twice", err)
	f.wantKinds(before)
}

func directShowsByMessage(f *fixture) {
	room := f.direct(ann, bob, cyd)
	unseen := f.post(room, ann, "hi")
	f.leave(room, bob)
	f.leave(room, ann)
	before := f.head()
	f.post(room, cyd, "hello?")
	shown := map[store.UserID]int{}
	for _, c := range f.since(before) {
		if c.Kind == store.MemberJoined && c.Room == room {
			shown[c.User]++
		}
	}
	if len(shown) != 2 || shown[ann] != 1 || shown[bob] != 1 {
		f.t.Errorf("shown again for %v, want %d and %d", shown, ann, bob)
	}
	if f.member(room, ann).Hidden || f.member(room, bob).Hidden || f.member(room, cyd).Hidden {
		f.t.Error("the room is still hidden")
	}
	f.wantUnread(room, bob, 2, 0, unseen.ID)
}

func directShowsByAsking(f *fixture) {
	room := f.direct(ann, bob)
	f.leave(room, ann)
	f.leave(room, bob)
	before := f.head()
	r, made, err := f.DirectRoom(f.ctx, bob, []store.UserID{ann, bob})
	if err != nil || made || r.ID != room {
		f.t.Fatalf("direct room = %+v, %v, %v, want %s", r, made, err, room)
	}
	f.wantKinds(before, store.MemberJoined)
	if f.member(room, bob).Hidden || !f.member(room, ann).Hidden {
		f.t.Error("want the room shown for who asked and hidden for the other")
	}
}

func directLimit(f *fixture) {
	var people []store.UserID
	for i := range store.MaxDirectMembers + 1 {
		people = append(people, store.UserID(i+1))
	}
	_, _, err := f.DirectRoom(f.ctx, ann, people)
	wantErr(f.t, "direct room of 51", err, store.ErrInvalid)
	r, made, err := f.DirectRoom(f.ctx, ann, people[:store.MaxDirectMembers])
	if err != nil || !made || r.Members != store.MaxDirectMembers {
		f.t.Errorf("direct room of 50 = %+v, %v, %v", r, made, err)
	}
}
