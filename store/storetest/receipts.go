package storetest

import (
	"time"

	"github.com/hearthchat/hearth/store"
)

var receiptCases = []workspaceCase{
	{"reading gives receipts through a message", readsThrough},
	{"earlier receipts keep their time", readKeepsTime},
	{"reading begins at the latest join", readSinceJoin},
	{"reading again changes nothing", readTwice},
	{"reading needs a member and a message of the room", readRefused},
	{"one message is read alone", readsOne},
	{"one's own, system and deleted messages get no receipt", readOneNothing},
	{"receipts never cover what one said oneself", readsOthersOnly},
	{"readers come by id and stay when they leave", readersListed},
	{"receipts survive a restart", receiptsDurable},
	{"reading writes what was read into the log", readInLog},
	{"the marker makes messages unread again and keeps receipts", marks},
	{"what is read after the marker was set stays read", marksThenReads},
	{"a new marker takes the place of the old", marksAgain},
	{"a marker needs a member", markRefused},
}

// wantReaders requires who read a message, and when.
func (f *fixture) wantReaders(m store.Message, want map[store.UserID]time.Time) {
	f.t.Helper()
	readers := f.readers(m.ID)
	last := store.UserID(0)
	for _, r := range readers {
		at, ok := want[r.User]
		if !ok || !at.Equal(r.At) || r.Room != m.Room || r.From != m.Seq || r.Through != m.Seq || r.User <= last {
			f.t.Errorf("receipt of seq %d = %+v, want those of %v in order", m.Seq, r, want)
		}
		last = r.User
	}
	if len(readers) != len(want) {
		f.t.Errorf("readers of seq %d = %+v, want %v", m.Seq, readers, want)
	}
}

func readsThrough(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c")
	f.wantUnread(room, bob, 3, 0, a.ID)
	at := f.clock.Now().Add(-time.Hour)
	u, err := f.Read(f.ctx, room, bob, b.ID, at)
	f.fatal("read", err)
	want := store.Unread{Room: room, Head: 4, Count: 1, LastRead: b.ID, First: c.ID}
	wantSame(f.t, "unread after reading", u, want)
	wantSame(f.t, "unread in", f.unread(room, bob), want)
	f.wantReaders(a, map[store.UserID]time.Time{bob: at})
	f.wantReaders(b, map[store.UserID]time.Time{bob: at})
	f.wantReaders(c, nil)
	f.wantReaders(f.all(room)[0], nil)
}

func readKeepsTime(f *fixture) {
	room := f.room(ann, bob)
	a, b, c, d := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c"), f.post(room, ann, "d")
	first := f.readOne(bob, b)
	f.wantUnread(room, bob, 3, 0, a.ID)
	f.read(bob, c)
	second := f.clock.Now()
	f.read(bob, d)
	third := f.clock.Now()
	f.wantReaders(a, map[store.UserID]time.Time{bob: second})
	f.wantReaders(b, map[store.UserID]time.Time{bob: first})
	f.wantReaders(c, map[store.UserID]time.Time{bob: second})
	f.wantReaders(d, map[store.UserID]time.Time{bob: third})
	if at := f.readOne(bob, c); !at.Equal(second) {
		f.t.Errorf("read again at %v, want the first time %v", at, second)
	}
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
}

func readSinceJoin(f *fixture) {
	room := f.room(ann, bob)
	a := f.post(room, ann, "before")
	f.leave(room, bob)
	b := f.post(room, ann, "between")
	f.join(room, bob)
	c := f.post(room, ann, "after")
	f.wantUnread(room, bob, 1, 0, c.ID)
	f.read(bob, b)
	f.wantUnread(room, bob, 1, 0, c.ID)
	f.read(bob, c)
	at := f.clock.Now()
	f.wantReaders(a, nil)
	f.wantReaders(b, nil)
	f.wantReaders(c, map[store.UserID]time.Time{bob: at})
	early := f.readOne(bob, a)
	f.wantReaders(a, map[store.UserID]time.Time{bob: early})
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
}

func readTwice(f *fixture) {
	room := f.room(ann, bob)
	a, b := f.post(room, ann, "a"), f.post(room, ann, "b")
	f.read(bob, b)
	at := f.clock.Now()
	before := f.head()
	f.read(bob, b)
	f.read(bob, a)
	f.readOne(bob, a)
	f.readOne(bob, b)
	f.wantKinds(before)
	f.wantReaders(a, map[store.UserID]time.Time{bob: at})
}

func readRefused(f *fixture) {
	room, other := f.room(ann, bob), f.room(ann, bob)
	m, elsewhere := f.post(room, ann, "a"), f.post(other, ann, "b")
	f.leave(room, bob)
	before, now := f.head(), f.clock.Now()
	_, err := f.Read(f.ctx, room, bob, m.ID, now)
	wantErr(f.t, "read without membership", err, store.ErrJoinFirst)
	_, err = f.ReadOne(f.ctx, m.ID, bob, now)
	wantErr(f.t, "read one without membership", err, store.ErrJoinFirst)
	_, err = f.UnreadIn(f.ctx, room, bob)
	wantErr(f.t, "unread without membership", err, store.ErrJoinFirst)
	_, err = f.Read(f.ctx, other, bob, m.ID, now)
	wantErr(f.t, "read through a message of another room", err, store.ErrNotFound)
	_, err = f.Read(f.ctx, other, bob, store.MessageID{9}, now)
	wantErr(f.t, "read through no message", err, store.ErrNotFound)
	_, err = f.Read(f.ctx, "nowhere", bob, m.ID, now)
	wantErr(f.t, "read in no room", err, store.ErrNotFound)
	_, err = f.UnreadIn(f.ctx, "nowhere", bob)
	wantErr(f.t, "unread in no room", err, store.ErrNotFound)
	f.wantKinds(before)
	f.wantUnread(other, bob, 1, 0, elsewhere.ID)
}

func readsOne(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c")
	at := f.clock.Now().Add(-time.Minute)
	got, err := f.ReadOne(f.ctx, b.ID, bob, at)
	if err != nil || !got.Equal(at) {
		f.t.Errorf("first read = %v, %v, want %v", got, err, at)
	}
	again, err := f.ReadOne(f.ctx, b.ID, bob, at.Add(-time.Hour))
	if err != nil || !again.Equal(at) {
		f.t.Errorf("second read = %v, %v, want the first time %v", again, err, at)
	}
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 4, Count: 2, LastRead: f.all(room)[0].ID, First: a.ID})
	f.wantReaders(a, nil)
	f.wantReaders(b, map[store.UserID]time.Time{bob: at})
	f.wantReaders(c, nil)
	f.readOne(bob, a)
	wantSame(f.t, "unread", f.unread(room, bob), store.Unread{Room: room, Head: 4, Count: 1, LastRead: b.ID, First: c.ID})
}

func readOneNothing(f *fixture) {
	room := f.room(ann, bob)
	line, own, gone := f.all(room)[0], f.post(room, bob, "own"), f.post(room, ann, "gone")
	f.delete(gone, ann)
	before := f.head()
	for name, m := range map[string]store.Message{"system line": line, "own message": own, "deleted message": gone} {
		for range 2 {
			if at := f.readOne(bob, m); !at.Equal(f.clock.Now()) {
				f.t.Errorf("%s read at %v, want now, %v", name, at, f.clock.Now())
			}
		}
		f.wantReaders(m, nil)
	}
	f.wantKinds(before)
}

func readsOthersOnly(f *fixture) {
	room := f.room(ann, bob)
	a, own, b := f.post(room, ann, "a"), f.post(room, bob, "own"), f.post(room, ann, "b")
	f.join(room, cyd)
	line := f.all(room)[4]
	u := f.read(bob, line)
	at := f.clock.Now()
	wantSame(f.t, "unread", u, store.Unread{Room: room, Head: 5, LastRead: line.ID})
	f.wantReaders(a, map[store.UserID]time.Time{bob: at})
	f.wantReaders(own, nil)
	f.wantReaders(b, map[store.UserID]time.Time{bob: at})
	f.wantReaders(line, nil)
	f.read(ann, b)
	f.wantReaders(own, map[store.UserID]time.Time{ann: f.clock.Now()})
}

func readersListed(f *fixture) {
	room := f.room(ann, 300, bob, 255)
	m := f.post(room, ann, "a")
	want := map[store.UserID]time.Time{}
	for _, user := range []store.UserID{300, bob, 255} {
		want[user] = f.readOne(user, m)
	}
	f.leave(room, 300)
	f.wantReaders(m, want)
	f.join(room, 300)
	f.wantReaders(m, want)
	if at := f.readOne(300, m); !at.Equal(want[300]) {
		f.t.Errorf("read again after coming back at %v, want the first time %v", at, want[300])
	}
}

func receiptsDurable(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c")
	f.readOne(bob, c)
	last := f.clock.Now()
	f.read(bob, a)
	first := f.clock.Now()
	f.mark(bob, c)
	was := f.unread(room, bob)
	f.reopen()
	wantSame(f.t, "unread after a restart", f.unread(room, bob), was)
	f.wantUnread(room, bob, 2, 0, b.ID)
	f.wantReaders(a, map[store.UserID]time.Time{bob: first})
	f.wantReaders(b, nil)
	f.wantReaders(c, map[store.UserID]time.Time{bob: last})
}

func readInLog(f *fixture) {
	room := f.room(ann, bob)
	f.post(room, ann, "a")
	b := f.post(room, ann, "b")
	c := f.post(room, ann, "c")
	before := f.head()
	f.read(bob, b)
	at := f.clock.Now()
	f.wantKinds(before, store.MessagesRead)
	got := f.since(before)[0]
	if got.Room != room || got.User != bob || got.From > 2 || got.Seq != b.Seq || got.Message != b.ID || !got.At.Equal(at) {
		f.t.Errorf("change = %+v, want of %d through %d at %v", got, bob, b.Seq, at)
	}
	before = f.head()
	f.readOne(bob, c)
	f.wantKinds(before, store.MessagesRead)
	if got := f.since(before)[0]; got.From != c.Seq || got.Seq != c.Seq || got.Message != c.ID || got.User != bob {
		f.t.Errorf("change = %+v, want of %d exactly", got, c.Seq)
	}
	before = f.head()
	f.mark(bob, b)
	f.wantKinds(before, store.MarkedUnread)
	if got := f.since(before)[0]; got.Seq != b.Seq || got.Message != b.ID || got.User != bob || got.Room != room {
		f.t.Errorf("change = %+v, want the marker at %d", got, b.Seq)
	}
}

func marks(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.append(store.Draft{Room: room, Author: ann, Content: "c", Mentions: []store.UserID{bob}})
	f.read(bob, c)
	at := f.clock.Now()
	u := f.mark(bob, b)
	wantSame(f.t, "unread after the marker", u, store.Unread{Room: room, Head: 4, Count: 2, Mentions: 1, LastRead: a.ID, First: b.ID})
	wantSame(f.t, "unread in", f.unread(room, bob), u)
	f.wantReaders(b, map[store.UserID]time.Time{bob: at})
	f.wantReaders(c, map[store.UserID]time.Time{bob: at})
	d := f.post(room, ann, "d")
	f.wantUnread(room, bob, 3, 1, b.ID)
	f.read(bob, c)
	f.wantUnread(room, bob, 1, 0, d.ID)
	f.wantReaders(c, map[store.UserID]time.Time{bob: at})
	f.read(bob, d)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	f.wantReaders(d, map[store.UserID]time.Time{bob: f.clock.Now()})
}

func marksThenReads(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c")
	own := f.post(room, bob, "own")
	f.read(bob, own)
	at := f.clock.Now()
	f.mark(bob, a)
	f.wantUnread(room, bob, 3, 0, a.ID)
	if first := f.readOne(bob, b); !first.Equal(at) {
		f.t.Errorf("read again at %v, want the first time %v", first, at)
	}
	f.wantUnread(room, bob, 2, 0, a.ID)
	f.delete(a, ann)
	f.wantUnread(room, bob, 1, 0, c.ID)
	f.reopen()
	f.wantUnread(room, bob, 1, 0, c.ID)
	f.readOne(bob, c)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	f.mark(bob, own)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	d := f.post(room, ann, "d")
	f.wantUnread(room, bob, 1, 0, d.ID)
}

func marksAgain(f *fixture) {
	room := f.room(ann, bob)
	a, b, c := f.post(room, ann, "a"), f.post(room, ann, "b"), f.post(room, ann, "c")
	f.read(bob, c)
	f.mark(bob, a)
	f.readOne(bob, c)
	f.mark(bob, b)
	f.wantUnread(room, bob, 2, 0, b.ID)
	f.mark(bob, a)
	f.wantUnread(room, bob, 3, 0, a.ID)
	f.leave(room, bob)
	f.join(room, bob)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	f.mark(bob, a)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
	d := f.post(room, ann, "d")
	f.wantUnread(room, bob, 1, 0, d.ID)
	f.read(bob, d)
	f.wantUnread(room, bob, 0, 0, store.MessageID{})
}

func markRefused(f *fixture) {
	room := f.room(ann)
	m := f.post(room, ann, "a")
	before := f.head()
	_, err := f.MarkUnread(f.ctx, m.ID, bob)
	wantErr(f.t, "mark without membership", err, store.ErrJoinFirst)
	_, err = f.MarkUnread(f.ctx, store.MessageID{9}, ann)
	wantErr(f.t, "mark no message", err, store.ErrNotFound)
	f.wantKinds(before)
}
