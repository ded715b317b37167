package storetest

import (
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

var messageCases = []workspaceCase{
	{"a message becomes the newest of its room", appends},
	{"a message keeps what the draft says", appendKeeps},
	{"seq counts each room without gaps", appendDense},
	{"messages survive a restart", appendDurable},
	{"messages are found by id", messageByID},
	{"a client id again returns the first message", clientIDAgain},
	{"a client id with another message is refused", clientIDOther},
	{"a client id belongs to one author", clientIDOfAuthor},
	{"a client id is remembered for thirty days", clientIDLife},
	{"a client id is known after an edit, a deletion and a restart", clientIDAfterEdit},
	{"only members post, and only where there is a room", appendRefused},
	{"a parent must be a message of the room", parentInvalid},
	{"a reply knows its root", replies},
	{"a root counts its tree", replyCounts},
	{"a thread is the whole tree in order", threads},
	{"a thread comes in pages", threadPages},
	{"pages come from both ends", pages},
	{"pages of every span", pageSpans},
	{"times are UTC in whole milliseconds", wholeMilliseconds},
}

func appends(f *fixture) {
	room := f.room(ann, bob)
	before, now := f.head(), f.clock.Now()
	m, repeated, err := f.Append(f.ctx, store.Draft{Room: room, Author: bob, Content: "hello"})
	f.fatal("append", err)
	want := store.Message{ID: m.ID, Room: room, Seq: 2, Author: bob, Type: store.TypeText, Content: "hello", At: now, Countable: 1}
	wantSame(f.t, "message", m, want)
	if repeated || m.ID.IsZero() || m.ID[6]>>4 != 7 {
		f.t.Errorf("id = %s, repeated %v, want a new UUID of version 7", m.ID, repeated)
	}
	wantSame(f.t, "message read", f.message(m.ID), want)
	f.wantKinds(before, store.MessagePosted)
	c := f.since(before)[0]
	if c.Room != room || c.User != bob || c.Message != m.ID || c.Seq != 2 {
		f.t.Errorf("change = %+v, want of message %s", c, m.ID)
	}
	if c.RecordMessage != nil {
		wantSame(f.t, "message that rides along", *c.RecordMessage, want)
	}
	wantSame(f.t, "own unread", f.unread(room, bob), store.Unread{Room: room, Head: 2, LastRead: m.ID})
}

func appendKeeps(f *fixture) {
	room := f.room(ann, bob)
	id := store.MessageID{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}
	m := f.append(store.Draft{
		ID: id, Room: room, Author: ann, Type: store.TypeImage, Content: "  **né** \n 👍\u202e ", ClientID: "c-1",
		Mentions: []store.UserID{bob, 700}, MentionsRoom: true,
	})
	if m.ID != id || m.Type != store.TypeImage || m.Content != "  **né** \n 👍\u202e " || m.ClientID != "c-1" || !m.MentionsRoom {
		f.t.Errorf("message = %+v, want it as drafted", m)
	}
	wantSame(f.t, "mentions", m.Mentions, []store.UserID{bob, 700})
	f.reopen()
	wantSame(f.t, "message read", f.message(id), m)
}

func appendDense(f *fixture) {
	rooms := []store.RoomID{f.room(ann), f.room(ann), f.direct(ann)}
	next := []store.Seq{2, 2, 1}
	for i := range 30 {
		r := i * 7 % 3
		if m := f.post(rooms[r], ann, "x"); m.Seq != next[r] {
			f.t.Fatalf("seq = %d, want %d", m.Seq, next[r])
		}
		next[r]++
	}
}

func appendDurable(f *fixture) {
	room := f.room(ann, bob)
	for i := range 20 {
		f.post(room, ann, fmt.Sprint(i))
	}
	was, head := f.all(room), f.head()
	f.reopen()
	wantSame(f.t, "messages after a restart", f.all(room), was)
	if f.head() != head {
		f.t.Errorf("head after a restart = %v, want %v", f.head(), head)
	}
	if m := f.post(room, bob, "next"); m.Seq != 22 {
		f.t.Errorf("seq after a restart = %d, want 22", m.Seq)
	}
}

func messageByID(f *fixture) {
	room, other := f.room(ann), f.room(ann)
	a, b := f.post(room, ann, "a"), f.post(other, ann, "b")
	wantSame(f.t, "message a", f.message(a.ID), a)
	wantSame(f.t, "message b", f.message(b.ID), b)
	_, err := f.Message(f.ctx, store.MessageID{9})
	wantErr(f.t, "message", err, store.ErrNotFound)
	_, err = f.Thread(f.ctx, store.MessageID{9}, store.Span{Limit: 5})
	wantErr(f.t, "thread", err, store.ErrNotFound)
	_, err = f.Readers(f.ctx, store.MessageID{9})
	wantErr(f.t, "readers", err, store.ErrNotFound)
	_, err = f.ReadOne(f.ctx, store.MessageID{9}, ann, f.clock.Now())
	wantErr(f.t, "read one", err, store.ErrNotFound)
}

func clientIDAgain(f *fixture) {
	room := f.room(ann)
	parent := f.post(room, ann, "top")
	draft := store.Draft{Room: room, Author: ann, Content: "once", ClientID: "c-1", Parent: parent.ID, Type: store.TypeFile}
	first := f.append(draft)
	f.post(room, ann, "between")
	before := f.head()
	again, repeated, err := f.Append(f.ctx, draft)
	if err != nil || !repeated {
		f.t.Fatalf("append again: repeated %v, %v", repeated, err)
	}
	wantSame(f.t, "message again", again, first)
	f.wantKinds(before)
	if n := len(f.all(room)); n != 4 {
		f.t.Errorf("room has %d messages, want 4", n)
	}
	f.reopen()
	if again, repeated, err := f.Append(f.ctx, draft); err != nil || !repeated || again.ID != first.ID {
		f.t.Errorf("append after a restart = %+v, %v, %v, want the first", again, repeated, err)
	}
}

func clientIDOther(f *fixture) {
	room, other := f.room(ann), f.room(ann)
	parent := f.post(room, ann, "top")
	draft := store.Draft{Room: room, Author: ann, Content: "once", ClientID: "c-1"}
	f.append(draft)
	before := f.head()
	for name, change := range map[string]func(*store.Draft){
		"room":    func(d *store.Draft) { d.Room = other },
		"parent":  func(d *store.Draft) { d.Parent = parent.ID },
		"type":    func(d *store.Draft) { d.Type = store.TypeImage },
		"content": func(d *store.Draft) { d.Content = "twice" },
	} {
		d := draft
		change(&d)
		_, _, err := f.Append(f.ctx, d)
		wantErr(f.t, "append with another "+name, err, store.ErrOtherClientID)
	}
	f.wantKinds(before)
	draft.Type = store.TypeText
	if _, repeated, err := f.Append(f.ctx, draft); err != nil || !repeated {
		f.t.Errorf("append with the type spelled out: repeated %v, %v", repeated, err)
	}
}

func clientIDOfAuthor(f *fixture) {
	room := f.room(1, 11)
	a := f.append(store.Draft{Room: room, Author: 1, Content: "x", ClientID: "1x"})
	b := f.append(store.Draft{Room: room, Author: 11, Content: "x", ClientID: "x"})
	c := f.append(store.Draft{Room: room, Author: 11, Content: "x", ClientID: "1x"})
	d := f.append(store.Draft{Room: room, Author: 11, Content: "x"})
	e := f.append(store.Draft{Room: room, Author: 11, Content: "x"})
	if a.ID == b.ID || b.ID == c.ID || a.ID == c.ID || d.ID == e.ID {
		f.t.Errorf("messages %v, want five", []store.MessageID{a.ID, b.ID, c.ID, d.ID, e.ID})
	}
}

func clientIDLife(f *fixture) {
	room := f.room(ann)
	draft := store.Draft{Room: room, Author: ann, Content: "once", ClientID: "c-1"}
	start := f.clock.Now()
	first := f.append(draft)
	f.clock.advance(start.Add(store.ClientIDLife).Sub(f.clock.Now()) - time.Second)
	if m, repeated, err := f.Append(f.ctx, draft); err != nil || !repeated || m.ID != first.ID {
		f.t.Errorf("append a second before thirty days = %+v, %v, %v, want the first", m, repeated, err)
	}
	f.clock.advance(2 * time.Second)
	draft.Content = "something else"
	m, repeated, err := f.Append(f.ctx, draft)
	if err != nil || repeated || m.ID == first.ID {
		f.t.Errorf("append after thirty days = %+v, %v, %v, want a new one", m, repeated, err)
	}
	if again, repeated, err := f.Append(f.ctx, draft); err != nil || !repeated || again.ID != m.ID {
		f.t.Errorf("append once more = %+v, %v, %v, want the second", again, repeated, err)
	}
}

func clientIDAfterEdit(f *fixture) {
	room := f.room(ann)
	edited := store.Draft{Room: room, Author: ann, Content: "first words", ClientID: "c-1"}
	deleted := store.Draft{Room: room, Author: ann, Content: "regretted", ClientID: "c-2"}
	a, b := f.append(edited), f.append(deleted)
	_, err := f.EditMessage(f.ctx, a.ID, ann, func(m *store.Message) error { m.Content = "better words"; return nil })
	f.fatal("edit", err)
	f.delete(b, ann)
	for range 2 {
		if m, repeated, err := f.Append(f.ctx, edited); err != nil || !repeated || m.ID != a.ID || m.Content != "better words" {
			f.t.Errorf("append of an edited message = %+v, %v, %v, want it as it is now", m, repeated, err)
		}
		if m, repeated, err := f.Append(f.ctx, deleted); err != nil || !repeated || m.ID != b.ID || !m.Deleted {
			f.t.Errorf("append of a deleted message = %+v, %v, %v, want it as it is now", m, repeated, err)
		}
		f.reopen()
	}
}

func appendRefused(f *fixture) {
	room := f.room(ann)
	before := f.head()
	_, _, err := f.Append(f.ctx, store.Draft{Room: "nowhere", Author: ann, Content: "x"})
	wantErr(f.t, "post to no room", err, store.ErrNotFound)
	_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: bob, Content: "x"})
	wantErr(f.t, "post without membership", err, store.ErrJoinFirst)
	_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: bob, Content: "x", ClientID: "c-1"})
	wantErr(f.t, "post without membership", err, store.ErrJoinFirst)
	f.wantKinds(before)
	f.join(room, bob)
	f.append(store.Draft{Room: room, Author: bob, Content: "y", ClientID: "c-1"})
}

func parentInvalid(f *fixture) {
	room, other := f.room(ann), f.room(ann)
	before := f.head()
	elsewhere, line := f.post(other, ann, "x"), f.all(room)[0]
	for name, parent := range map[string]store.MessageID{"of another room": elsewhere.ID, "that is not there": {7}} {
		_, _, err := f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "x", Parent: parent})
		wantErr(f.t, "a parent "+name, err, store.ErrInvalid)
	}
	if reply := f.reply(line, ann, "to a system line"); reply.Parent != line.ID || reply.RootSeq != line.Seq {
		f.t.Errorf("reply to a system line = %+v, want it in the line's tree", reply)
	}
	f.wantKinds(before, store.MessagePosted, store.MessagePosted)
}

func replies(f *fixture) {
	room := f.room(ann, bob)
	root := f.post(room, ann, "root")
	child := f.reply(root, bob, "child")
	grandchild := f.reply(child, ann, "grandchild")
	f.delete(child, bob)
	last := f.reply(child, bob, "to a deleted one")
	if root.Root != (store.MessageID{}) || root.RootSeq != 0 || root.Parent != (store.MessageID{}) {
		f.t.Errorf("root = %+v, want neither parent nor root", root)
	}
	for m, parent := range map[store.MessageID]store.MessageID{child.ID: root.ID, grandchild.ID: child.ID, last.ID: child.ID} {
		if got := f.message(m); got.Parent != parent || got.Root != root.ID || got.RootSeq != root.Seq {
			f.t.Errorf("reply = %+v, want parent %s and root %s, %d", got, parent, root.ID, root.Seq)
		}
	}
}

func replyCounts(f *fixture) {
	room := f.room(ann, bob)
	root, other := f.post(room, ann, "root"), f.post(room, ann, "other")
	child := f.reply(root, bob, "child")
	grandchild := f.reply(child, bob, "grandchild")
	f.delete(grandchild, bob)
	counts := map[store.MessageID]int{root.ID: 2, other.ID: 0, child.ID: 0, grandchild.ID: 0}
	check := func(how string, m store.Message) {
		if want, ok := counts[m.ID]; ok && m.ReplyCount != want {
			f.t.Errorf("reply count of %q by %s = %d, want %d", m.Content, how, m.ReplyCount, want)
		}
	}
	for _, m := range f.all(room) {
		check("page", m)
		check("id", f.message(m.ID))
	}
	tree, err := f.Thread(f.ctx, root.ID, store.Span{Oldest: true, Limit: 10})
	f.fatal("thread", err)
	for _, m := range tree {
		check("thread", m)
	}
	edited, err := f.EditMessage(f.ctx, root.ID, ann, func(m *store.Message) error { m.Content = "top"; return nil })
	f.fatal("edit", err)
	check("edit", edited)
	reacted, _, err := f.React(f.ctx, root.ID, bob, "+1", true)
	f.fatal("react", err)
	check("reaction", reacted)
}

func threads(f *fixture) {
	room := f.room(ann, bob)
	root := f.post(room, ann, "root")
	other := f.post(room, ann, "other root")
	a := f.reply(root, bob, "a")
	x := f.reply(other, bob, "x")
	b := f.reply(a, ann, "b")
	alone := f.post(room, bob, "alone")
	c := f.reply(root, bob, "c")
	f.delete(a, bob)
	for _, tree := range [][]store.Message{{root, a, b, c}, {other, x}, {alone}} {
		for _, m := range tree {
			got, err := f.Thread(f.ctx, m.ID, store.Span{Oldest: true, Limit: 100})
			f.fatal("thread", err)
			wantSame(f.t, "thread of "+m.Content, ids(got), ids(tree))
			for _, g := range got {
				wantSame(f.t, "message of a thread", g, f.message(g.ID))
			}
		}
	}
	got, err := f.Thread(f.ctx, f.all(room)[0].ID, store.Span{Limit: 3})
	if err != nil || len(got) != 1 {
		f.t.Errorf("thread of a system line = %+v, %v, want it alone", got, err)
	}
}

func threadPages(f *fixture) {
	room := f.room(ann)
	root := f.post(room, ann, "root")
	tree := []store.Message{root}
	for i := range 6 {
		f.post(room, ann, "noise")
		tree = append(tree, f.reply(tree[i/2], ann, "reply"))
	}
	f.post(room, ann, "noise")
	checkSpans(f, "thread", tree, f.look(room).Head, func(span store.Span) []store.Message {
		got, err := f.Thread(f.ctx, tree[3].ID, span)
		f.fatal("thread", err)
		return got
	})
}

func pages(f *fixture) {
	room := f.room(ann)
	var all []store.Message
	for i := range 9 {
		all = append(all, f.post(room, ann, fmt.Sprint(i+2)))
	}
	for name, c := range map[string]struct {
		span store.Span
		want []store.Message
	}{
		"the newest":             {store.Span{Limit: 3}, all[6:]},
		"the oldest after 4":     {store.Span{After: 4, Limit: 3}, all[3:6]},
		"the newest before 8":    {store.Span{Before: 8, Limit: 3}, all[3:6]},
		"nothing after the head": {store.Span{After: 10, Limit: 3}, nil},
		"nothing before 1":       {store.Span{Before: 1, Limit: 3}, nil},
	} {
		wantSame(f.t, name, f.page(room, c.span), c.want)
	}
}

func pageSpans(f *fixture) {
	room := f.room(ann)
	for i := range 7 {
		f.post(room, ann, fmt.Sprint(i))
	}
	f.post(f.room(ann), ann, "elsewhere")
	empty, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "Empty", Source: "irc:x"}, nil)
	f.fatal("create room", err)
	checkSpans(f, "page", f.all(room), 8, func(span store.Span) []store.Message { return f.page(room, span) })
	checkSpans(f, "page of nothing", nil, 0, func(span store.Span) []store.Message { return f.page(empty.ID, span) })
}

// checkSpans compares every span of a list with what the definition of Span says.
func checkSpans(f *fixture, what string, all []store.Message, head store.Seq, get func(store.Span) []store.Message) {
	f.t.Helper()
	for limit := 1; limit <= len(all)+1; limit++ {
		spans := []store.Span{{Limit: limit}, {Limit: limit, Oldest: true}}
		for seq := store.Seq(1); seq <= head+2; seq++ {
			spans = append(spans, store.Span{Limit: limit, After: seq}, store.Span{Limit: limit, Before: seq})
		}
		for _, span := range spans {
			wantSame(f.t, fmt.Sprintf("%s %+v", what, span), ids(get(span)), ids(inSpan(all, span)))
		}
	}
}

// inSpan picks from messages in ascending order what a span asks for.
func inSpan(all []store.Message, span store.Span) []store.Message {
	var in []store.Message
	for _, m := range all {
		if m.Seq > span.After && (span.Before == 0 || m.Seq < span.Before) {
			in = append(in, m)
		}
	}
	switch {
	case len(in) <= span.Limit:
		return in
	case span.After > 0 || span.Oldest:
		return in[:span.Limit]
	default:
		return in[len(in)-span.Limit:]
	}
}

func wholeMilliseconds(f *fixture) {
	closeEngine(f.t, f.Workspace)
	zone := time.FixedZone("east", 3*3600)
	now := time.Date(2026, 3, 4, 23, 30, 0, 123_456_789, zone)
	f.Workspace = f.open(f.t, Options{Dir: f.dir, Now: func() time.Time { return now }})
	room := f.room(ann, bob)
	m := f.post(room, ann, "x")
	edited, err := f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "y"; return nil })
	f.fatal("edit", err)
	first, err := f.ReadOne(f.ctx, m.ID, bob, now)
	f.fatal("read one", err)
	for name, at := range map[string]time.Time{
		"room": f.look(room).CreatedAt, "last": f.look(room).LastAt, "member": f.member(room, bob).JoinedAt,
		"message": m.At, "message read": f.message(m.ID).At, "edit": edited.EditedAt, "edit read": f.message(m.ID).EditedAt,
		"first read": first, "receipt": f.readers(m.ID)[0].At,
	} {
		if at.Location() != time.UTC || at.Nanosecond()%1e6 != 0 || now.Sub(at).Abs() > time.Millisecond {
			f.t.Errorf("time of %s = %v, want %v in UTC and whole milliseconds", name, at, now)
		}
	}
}
