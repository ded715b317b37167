package storetest

import (
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

var importCases = []workspaceCase{
	{"messages are imported with what they bring", imports},
	{"an import again adds nothing", importsAgain},
	{"an import goes on where it stopped", importsOn},
	{"parents may be of the same import or an earlier one", importParents},
	{"a room with other messages takes an import only with mix", importMix},
	{"an import after other messages needs mix, also after a restart", importNeedsMix},
	{"a room is read-only while an import runs", importReadOnly},
	{"an import ends with a restart", importRestart},
	{"one import at a time", importOne},
	{"what was imported counts as seen, without receipts", importSeen},
	{"what waited before an import still waits", importKeepsUnread},
	{"an import notifies nobody", importQuiet},
}

// importRoom makes a room with a source: it has no line.
func (f *fixture) importRoom(people ...store.UserID) store.RoomID {
	f.t.Helper()
	r, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "#ubuntu", Source: "irc:ubuntu"}, firstMembers(people...))
	f.fatal("create room", err)
	f.clock.advance(time.Second)
	return r.ID
}

// foreign makes n messages from elsewhere, numbered from first, with ids made from the number.
func foreign(room store.RoomID, first, n int) []store.Message {
	var messages []store.Message
	for i := first; i < first+n; i++ {
		messages = append(messages, store.Message{
			ID: foreignID(i), Room: room, Author: store.UserID(100 + i%3), Type: store.TypeText,
			Content: fmt.Sprintf("line %d", i), At: time.Date(2004, 11, 23, 0, 0, i, 0, time.UTC),
		})
	}
	return messages
}

func foreignID(i int) store.MessageID {
	return store.MessageID{0: 0xee, 6: 0x80, 8: 0x80, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
}

// bring imports messages between BeginImport and EndImport.
func (f *fixture) bring(room store.RoomID, messages []store.Message, mix bool) int {
	f.t.Helper()
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	added, err := f.ImportMessages(f.ctx, room, messages, mix)
	f.fatal("import", err)
	f.fatal("end import", f.EndImport(f.ctx, room))
	return added
}

func imports(f *fixture) {
	room := f.importRoom()
	messages := foreign(room, 0, 5)
	messages[3].Type = store.TypeSystem
	if added := f.bring(room, messages, false); added != 5 {
		f.t.Errorf("added %d, want 5", added)
	}
	want := messages
	for i := range want {
		want[i].Seq = store.Seq(i + 1)
		want[i].Countable = uint64(i + 1)
		if i >= 3 {
			want[i].Countable--
		}
	}
	f.reopen()
	wantSame(f.t, "messages", f.all(room), want)
	for _, m := range want {
		wantSame(f.t, "message", f.message(m.ID), m)
	}
	r := f.look(room)
	if r.Head != 5 || r.Countable != 4 || !r.LastAt.Equal(want[4].At) || r.Importing {
		f.t.Errorf("room = %+v, want head 5, countable 4, last at %v, open", r, want[4].At)
	}
}

func importsAgain(f *fixture) {
	room := f.importRoom()
	f.bring(room, foreign(room, 0, 10), false)
	was := f.all(room)
	if added := f.bring(room, foreign(room, 0, 10), false); added != 0 {
		f.t.Errorf("added %d the second time, want 0", added)
	}
	wantSame(f.t, "messages", f.all(room), was)
}

func importsOn(f *fixture) {
	room := f.importRoom(ann)
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	if _, err := f.ImportMessages(f.ctx, room, foreign(room, 0, 4), false); err != nil {
		f.t.Fatal(err)
	}
	f.reopen()
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	added, err := f.ImportMessages(f.ctx, room, foreign(room, 0, 6), false)
	if err != nil || added != 2 {
		f.t.Errorf("added %d, %v, want the 2 that were missing", added, err)
	}
	added, err = f.ImportMessages(f.ctx, room, foreign(room, 5, 3), false)
	if err != nil || added != 2 {
		f.t.Errorf("added %d, %v, want the 2 that were missing", added, err)
	}
	f.fatal("end import", f.EndImport(f.ctx, room))
	wantSame(f.t, "messages", ids(f.all(room)), ids(foreign(room, 0, 8)))
	f.wantUnread(room, ann, 0, 0, store.MessageID{})
}

func importParents(f *fixture) {
	room := f.importRoom()
	messages := foreign(room, 0, 6)
	messages[1].Parent, messages[2].Parent, messages[4].Parent = messages[0].ID, messages[1].ID, messages[3].ID
	f.bring(room, messages[:4], false)
	f.bring(room, messages[4:], false)
	for i, root := range []int{-1, 0, 0, -1, 3, -1} {
		got := f.message(messages[i].ID)
		want, seq := store.MessageID{}, store.Seq(0)
		if root >= 0 {
			want, seq = messages[root].ID, store.Seq(root+1)
		}
		if got.Root != want || got.RootSeq != seq || got.Parent != messages[i].Parent {
			f.t.Errorf("message %d = %+v, want root %s, %d", i, got, want, seq)
		}
	}
	tree, err := f.Thread(f.ctx, messages[2].ID, store.Span{Oldest: true, Limit: 10})
	f.fatal("thread", err)
	wantSame(f.t, "thread", ids(tree), ids(messages[:3]))
	if n := f.message(messages[0].ID).ReplyCount; n != 2 {
		f.t.Errorf("reply count = %d, want 2", n)
	}
}

func importMix(f *fixture) {
	room := f.importRoom(ann)
	own := f.post(room, ann, "said here")
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	added, err := f.ImportMessages(f.ctx, room, foreign(room, 0, 3), false)
	wantCode(f.t, "import into a room with messages", err, store.ErrExists, "room_not_empty")
	if added != 0 || f.look(room).Head != 1 {
		f.t.Errorf("added %d to head %d without mix, want none", added, f.look(room).Head)
	}
	if added, err = f.ImportMessages(f.ctx, room, foreign(room, 0, 3), true); err != nil || added != 3 {
		f.t.Errorf("added %d with mix, %v, want 3", added, err)
	}
	f.fatal("end import", f.EndImport(f.ctx, room))
	wantSame(f.t, "messages", ids(f.all(room)), append([]store.MessageID{own.ID}, ids(foreign(room, 0, 3))...))
	wantErr(f.t, "import into no room", f.BeginImport(f.ctx, "nowhere"), store.ErrNotFound)
}

func importNeedsMix(f *fixture) {
	room := f.importRoom(ann)
	f.bring(room, foreign(room, 0, 3), false)
	f.post(room, ann, "said here")
	f.reopen()
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	_, err := f.ImportMessages(f.ctx, room, foreign(room, 0, 5), false)
	wantCode(f.t, "import into a room with messages", err, store.ErrExists, "room_not_empty")
	added, err := f.ImportMessages(f.ctx, room, foreign(room, 0, 5), true)
	if err != nil || added != 2 {
		f.t.Errorf("added %d with mix, %v, want 2", added, err)
	}
	f.fatal("end import", f.EndImport(f.ctx, room))
	for i, m := range f.all(room) {
		if m.Seq != store.Seq(i+1) {
			f.t.Errorf("message %d has seq %d", i, m.Seq)
		}
	}
}

func importReadOnly(f *fixture) {
	room := f.importRoom(ann, bob)
	other := f.room(ann)
	f.bring(room, foreign(room, 0, 2), false)
	m := f.post(room, ann, "x")
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	was, before := f.all(room), f.head()
	if !f.look(room).Importing {
		f.t.Error("the room does not say that it is importing")
	}
	tries := map[string]func() error{
		"Append": func() error {
			_, _, err := f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "x"})
			return err
		},
		"EditMessage": func() error {
			_, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "y"; return nil })
			return err
		},
		"React": func() error { _, _, err := f.React(f.ctx, m.ID, ann, "+1", true); return err },
		"Join": func() error {
			_, err := f.Join(f.ctx, store.Member{Room: room, User: cyd}, cyd, store.LineJoined)
			return err
		},
		"Leave": func() error { _, err := f.Leave(f.ctx, room, bob, bob, store.LineLeft); return err },
		"EditRoom": func() error {
			_, err := f.EditRoom(f.ctx, room, ann, func(r *store.Room) error { r.Name = "y"; return nil })
			return err
		},
		"SetRoomRole": func() error { return f.SetRoomRole(f.ctx, room, bob, store.RoomOwner) },
	}
	for name, try := range tries {
		wantErr(f.t, name+" while importing", try(), store.ErrImportRunning)
	}
	f.wantKinds(before)
	wantSame(f.t, "messages", f.all(room), was)
	f.post(other, ann, "elsewhere goes on")
	f.fatal("end import", f.EndImport(f.ctx, room))
	if f.look(room).Importing {
		f.t.Error("the room still says that it is importing")
	}
	f.post(room, ann, "again")
}

func importRestart(f *fixture) {
	room := f.importRoom(ann)
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	f.reopen()
	if f.look(room).Importing {
		f.t.Error("the room still says that it is importing")
	}
	f.post(room, ann, "x")
	f.fatal("begin after a restart", f.BeginImport(f.ctx, room))
}

func importOne(f *fixture) {
	room, other := f.importRoom(), f.importRoom()
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	wantErr(f.t, "begin twice", f.BeginImport(f.ctx, room), store.ErrImportRunning)
	f.fatal("begin elsewhere", f.BeginImport(f.ctx, other))
	f.fatal("end import", f.EndImport(f.ctx, room))
	f.fatal("begin after the end", f.BeginImport(f.ctx, room))
}

func importSeen(f *fixture) {
	room := f.importRoom(ann, bob)
	f.bring(room, foreign(room, 0, 4), false)
	for _, user := range []store.UserID{ann, bob} {
		u := f.unread(room, user)
		if u.Count != 0 || u.Mentions != 0 || !u.First.IsZero() || u.Head != 4 {
			f.t.Errorf("unread after an import = %+v, want nothing of 4", u)
		}
	}
	for _, m := range f.all(room) {
		f.wantReaders(m, nil)
	}
	next := f.post(room, bob, "new")
	f.wantUnread(room, ann, 1, 0, next.ID)
	f.reopen()
	f.wantUnread(room, ann, 1, 0, next.ID)
	f.mark(ann, f.message(foreignID(2)))
	f.wantUnread(room, ann, 3, 0, foreignID(2))
	f.join(room, cyd)
	f.wantUnread(room, cyd, 0, 0, store.MessageID{})
}

func importKeepsUnread(f *fixture) {
	room := f.importRoom(ann, bob)
	first := f.post(room, bob, "waits")
	f.append(store.Draft{Room: room, Author: bob, Content: "@ann waits", Mentions: []store.UserID{ann}})
	f.bring(room, foreign(room, 0, 4), true)
	f.wantUnread(room, ann, 2, 1, first.ID)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	f.post(room, bob, "waits too")
	f.wantUnread(room, ann, 3, 1, first.ID)
	f.readOne(ann, first)
	f.wantUnread(room, ann, 2, 1, f.all(room)[1].ID)
}

func importQuiet(f *fixture) {
	room := f.importRoom(ann)
	messages := foreign(room, 0, 6)
	for i := range messages {
		messages[i].Mentions, messages[i].MentionsRoom = []store.UserID{ann}, true
	}
	before := f.head()
	f.fatal("begin import", f.BeginImport(f.ctx, room))
	for _, part := range [][]store.Message{messages[:4], messages[2:]} {
		_, err := f.ImportMessages(f.ctx, room, part, false)
		f.fatal("import", err)
	}
	f.fatal("end import", f.EndImport(f.ctx, room))
	covered := map[store.Seq]int{}
	for _, c := range f.since(before) {
		switch c.Kind {
		case store.RoomImported:
			for seq := c.From; seq <= c.Seq; seq++ {
				covered[seq]++
			}
		case store.RoomEdited:
		default:
			f.t.Errorf("an import wrote %+v", c)
		}
	}
	if len(covered) != 6 || covered[0] != 0 || covered[7] != 0 {
		f.t.Errorf("the log says that these were imported: %v, want 1 to 6", covered)
	}
	f.mark(ann, f.message(foreignID(0)))
	f.wantUnread(room, ann, 6, 0, foreignID(0))
}
