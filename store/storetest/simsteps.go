package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

func (s *simulation) stepCreate() {
	if len(s.rooms) > 12 {
		return
	}
	people := s.rnd.Perm(simUsers - 1)[:1+s.rnd.IntN(simUsers-1)]
	var members []store.Member
	for i, p := range people {
		role := [...]store.RoomRole{store.RoomOwner, store.RoomMember, store.RoomModerator, store.RoomMember, store.RoomOwner}[i]
		members = append(members, store.Member{User: store.UserID(p + 1), Role: role})
	}
	want := store.Room{Kind: store.KindOpen, Name: s.anyName(), Creator: members[0].User, CreatedAt: s.clock.Now(), Description: "d"}
	if s.chance(30) {
		want.Kind = store.KindClosed
	}
	if s.chance(20) {
		want.Source = "irc:x"
	}
	made, err := s.CreateRoom(s.ctx, want, members)
	s.fatal("create room", err)
	want.ID = made.ID
	r := s.add(want, members, s.clock.Now())
	s.note("%s %v", r.ID, people)
	s.expect(event{kind: store.RoomCreated, room: r.ID, user: want.Creator})
	for _, m := range members {
		s.expect(event{kind: store.MemberJoined, room: r.ID, user: m.User})
	}
	if want.Source == "" {
		s.newLines(r, want.Creator, store.LineCreated)
	}
	s.checkRoom(r)
}

func (s *simulation) anyName() string { return fmt.Sprintf("room %d", s.rnd.IntN(4)) }

func (s *simulation) stepDirect() {
	var people []store.UserID
	for _, p := range s.rnd.Perm(simUsers)[:1+s.rnd.IntN(3)] {
		people = append(people, store.UserID(p+1))
	}
	by := people[0]
	s.note("%v", people)
	old, there := s.anyRoom(func(r *modelRoom) bool {
		return r.Kind == store.KindDirect && len(r.members) == len(people) && !slices.ContainsFunc(people, func(p store.UserID) bool { return !r.has(p) })
	})
	got, made, err := s.DirectRoom(s.ctx, by, people)
	s.fatal("direct room", err)
	if made == there || there && got.ID != old.ID {
		s.t.Fatalf("direct room = %s, made %v, but there was one: %v", got.ID, made, there)
	}
	if made {
		old = s.add(store.Room{ID: got.ID, Kind: store.KindDirect, Creator: got.Creator, CreatedAt: s.clock.Now()}, nil, s.clock.Now())
		s.expect(event{kind: store.RoomCreated, room: got.ID, user: by})
		for _, p := range people {
			old.members[p] = store.Member{Room: got.ID, User: p, Role: store.RoomMember, JoinedAt: s.clock.Now()}
			s.expect(event{kind: store.MemberJoined, room: got.ID, user: p})
		}
	}
	s.show(old, by)
	s.checkRoom(old)
}

// show makes a hidden direct room visible for a person.
func (s *simulation) show(r *modelRoom, user store.UserID) {
	if m := r.members[user]; m.Hidden {
		m.Hidden = false
		r.members[user] = m
		s.expect(event{kind: store.MemberJoined, room: r.ID, user: user})
	}
}

func (s *simulation) stepEditRoom() {
	r, ok := s.anyRoom(notDirect)
	if !ok {
		return
	}
	by, was := s.anyMember(r), r.Room
	want := was
	switch s.rnd.IntN(4) {
	case 0:
		want.Name = s.anyName()
	case 1:
		want.Kind = [...]store.Kind{store.KindOpen, store.KindClosed}[s.rnd.IntN(2)]
	case 2:
		want.Description, want.Name = fmt.Sprint("about ", s.rnd.IntN(3)), s.anyName()
	}
	s.note("%s %q", r.ID, want.Name)
	fail := error(nil)
	if s.chance(10) {
		fail = errors.New("a reason of the caller's own")
	}
	_, err := s.EditRoom(s.ctx, r.ID, by, func(e *store.Room) error {
		e.Name, e.Description, e.Kind = want.Name, want.Description, want.Kind
		return fail
	})
	if s.wantError(err, fail) {
		r.Room = want
		if want.Name != was.Name {
			s.newLines(r, by, store.LineRenamed(want.Name))
		}
	}
	s.checkRoom(r)
}

func (s *simulation) stepDeleteRoom() {
	r, ok := s.anyRoom(notDirect)
	if !ok || s.chance(50) {
		return
	}
	s.note("%s", r.ID)
	by := s.anyone()
	s.fatal("delete room", s.DeleteRoom(s.ctx, r.ID, by))
	s.expect(event{kind: store.RoomDeleted, room: r.ID, user: by})
	delete(s.rooms, r.ID)
	for key, entry := range s.once {
		if entry.room == r.ID {
			delete(s.once, key)
		}
	}
	_, err := s.Room(s.ctx, r.ID)
	wantErr(s.t, "deleted room", err, store.ErrNotFound)
	if len(r.messages) > 0 {
		_, err = s.Message(s.ctx, s.anyMessage(r).ID)
		wantErr(s.t, "message of a deleted room", err, store.ErrNotFound)
	}
}

func (s *simulation) stepJoin() {
	r, ok := s.anyRoom(notDirect)
	if !ok {
		return
	}
	user, by := store.UserID(1+s.rnd.IntN(simUsers-1)), s.anyone()
	s.note("%s %d", r.ID, user)
	joined, err := s.Join(s.ctx, store.Member{Room: r.ID, User: user}, by, store.LineJoined)
	s.fatal("join", err)
	if joined == r.has(user) {
		s.t.Fatalf("joined %v, but a member: %v", joined, r.has(user))
	}
	if joined {
		s.expect(event{kind: store.MemberJoined, room: r.ID, user: user})
		head := store.Seq(len(r.messages))
		s.newLines(r, by, store.LineJoined)
		seq := s.member(r.ID, user).JoinedSeq
		if seq != head && seq != head+1 {
			s.t.Fatalf("joined at %d, want the head, %d, or %d with the line", seq, head, head+1)
		}
		r.members[user] = store.Member{Room: r.ID, User: user, Role: store.RoomMember, JoinedAt: s.clock.Now(), JoinedSeq: seq}
	}
	s.checkRoom(r)
}

func (s *simulation) stepLeave() {
	r, ok := s.anyRoom(everyRoom)
	if !ok {
		return
	}
	user, by := s.anyMember(r), s.anyone()
	s.note("%s %d", r.ID, user)
	member, was := r.members[user]
	if member.Hidden || !was && r.Kind == store.KindDirect {
		return
	}
	left, err := s.Leave(s.ctx, r.ID, user, by, store.LineLeft)
	s.fatal("leave", err)
	if left != was {
		s.t.Fatalf("left %v, but a member: %v", left, was)
	}
	if left {
		s.expect(event{kind: store.MemberLeft, room: r.ID, user: user})
	}
	switch {
	case left && r.Kind == store.KindDirect:
		member.Hidden = true
		r.members[user] = member
	case left:
		delete(r.members, user)
		s.newLines(r, by, store.LineLeft)
		s.handOn(r, member)
	}
	s.checkRoom(r)
}

// handOn makes the longest-standing member owner after the last owner left. Of several
// who came at once any may be it.
func (s *simulation) handOn(r *modelRoom, left store.Member) {
	list := r.memberList()
	if left.Role != store.RoomOwner || len(list) == 0 || slices.ContainsFunc(list, func(m store.Member) bool { return m.Role == store.RoomOwner }) {
		return
	}
	first := slices.MinFunc(list, func(a, b store.Member) int { return a.JoinedAt.Compare(b.JoinedAt) }).JoinedAt
	for _, m := range list {
		if m.JoinedAt.Equal(first) && s.member(r.ID, m.User).Role == store.RoomOwner {
			m.Role = store.RoomOwner
			r.members[m.User] = m
			s.expect(event{kind: store.MemberChanged, room: r.ID, user: m.User})
			return
		}
	}
	s.t.Fatalf("%s has no owner after the last one left", r.ID)
}

func (s *simulation) stepRole() {
	r, ok := s.anyRoom(notDirect)
	if !ok {
		return
	}
	user := s.anyMember(r)
	role := [...]store.RoomRole{store.RoomOwner, store.RoomModerator, store.RoomMember}[s.rnd.IntN(3)]
	s.note("%s %d %s", r.ID, user, role)
	m, ok := r.members[user]
	want := error(nil)
	if !ok {
		want = store.ErrNotFound
	}
	if s.wantError(s.SetRoomRole(s.ctx, r.ID, user, role), want) && m.Role != role {
		m.Role = role
		r.members[user] = m
		s.expect(event{kind: store.MemberChanged, room: r.ID, user: user})
	}
	s.checkRoom(r)
}

func (s *simulation) stepLook() {
	r, ok := s.anyRoom(hasMessages)
	if !ok {
		return
	}
	span := store.Span{Limit: 1 + s.rnd.IntN(20)}
	switch s.rnd.IntN(4) {
	case 0:
		span.After = store.Seq(1 + s.rnd.IntN(len(r.messages)+1))
	case 1:
		span.Before = store.Seq(1 + s.rnd.IntN(len(r.messages)+2))
	case 2:
		span.Oldest = true
	}
	m := s.anyMessage(r)
	s.note("%s %+v thread of %d", r.ID, span, m.Seq)
	s.checkMessages(r, "page", s.page(r.ID, span), inSpan(r.messages, span))
	tree, err := s.Thread(s.ctx, m.ID, span)
	s.fatal("thread", err)
	s.checkMessages(r, "thread", tree, inSpan(r.thread(m.Seq), span))
	s.checkMessage(r, m)
}

// stepImport brings a few messages into a room, some of them again.
func (s *simulation) stepImport() {
	r, ok := s.anyRoom(func(r *modelRoom) bool { return r.Source != "" })
	if !ok {
		return
	}
	if r.foreign == 0 {
		s.nextForeign += 10_000
		r.foreign = s.nextForeign
	}
	base := r.foreign - r.foreign%10_000
	first := max(base, r.foreign-s.rnd.IntN(4))
	messages := foreign(r.ID, first, 1+s.rnd.IntN(6))
	from := store.Seq(len(r.messages) + 1)
	for i := range messages {
		m, n := &messages[i], first+i
		if m.Author = store.UserID(1 + n%simUsers); n%5 == 3 {
			m.Type = store.TypeSystem
		}
		if n > base && n%3 == 1 && (n-1)%5 != 3 {
			m.Parent = foreignID(n - 1)
		}
	}
	fresh := messages[min(r.foreign-first, len(messages)):]
	s.note("%s %d to %d, %d new", r.ID, first, first+len(messages)-1, len(fresh))
	if added := s.bring(r.ID, messages, true); added != len(fresh) {
		s.t.Fatalf("imported %d, want %d", added, len(fresh))
	}
	for _, m := range fresh {
		r.post(m)
	}
	r.foreign += len(fresh)
	r.endImport(from)
	s.checkRoom(r)
}

func (s *simulation) stepRelay() {
	var changes []store.UserChange
	for range 1 + s.rnd.IntN(3) {
		s.relay += store.Revision(1 + s.rnd.IntN(3))
		c := store.UserChange{Revision: s.relay, User: s.anyone(), Edited: s.chance(50)}
		kind := store.SessionsEnded
		if c.Edited {
			kind = store.UserEdited
		}
		changes = append(changes, c)
		s.expect(event{kind: kind, user: c.User})
	}
	s.fatal("relay", s.RelayUsers(s.ctx, changes))
	if got, err := s.UsersRelayed(s.ctx); err != nil || got != s.relay {
		s.t.Errorf("relayed = %d, %v, want %d", got, err, s.relay)
	}
}

func (s *simulation) stepTrim() {
	before := s.logged
	before.Seq -= min(uint64(s.rnd.IntN(10)), before.Seq)
	if before.Seq < max(20, s.trimmed) {
		return
	}
	s.trimmed = before.Seq
	s.note("before %v", before)
	s.fatal("trim", s.Trim(s.ctx, before))
	_, err := s.Changes(s.ctx, store.Position{Epoch: before.Epoch, Seq: before.Seq - 2}, 10)
	wantErr(s.t, "changes that were trimmed", err, store.ErrExpired)
	if n := len(s.since(store.Position{Epoch: before.Epoch, Seq: before.Seq - 1})); n != int(s.logged.Seq-before.Seq)+1 {
		s.t.Errorf("%d changes are left, want %d", n, s.logged.Seq-before.Seq+1)
	}
}

func (s *simulation) stepReopen() {
	if s.chance(30) {
		s.clock.advance(store.ClientIDLife / 3)
		s.trimmed = s.logged.Seq + 1 // an engine may forget by age
	}
	s.reopen()
	s.checkAll()
}

// nearly reports whether an instant is so close that the order of two clocks would matter.
func nearly(a, b time.Time) bool { return a.Sub(b).Abs() < time.Minute }
