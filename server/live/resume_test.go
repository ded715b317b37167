package live_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

func asEvent(w *world, v any) (e map[string]any) {
	w.t.Helper()
	p, err := json.Marshal(v)
	w.must(err)
	w.must(json.Unmarshal(p, &e))
	return e
}

// office is people who do all sorts of things in twenty rooms. The first of them owns the
// rooms, the second is the one who listens.
type office struct {
	*world
	random   *rand.Rand
	people   []store.User
	rooms    []store.RoomID
	in       map[store.RoomID][]store.User
	messages []store.Message
}

func (o *office) anyone(room store.RoomID) store.User {
	return o.in[room][o.random.IntN(len(o.in[room]))]
}

// something happens.
func (o *office) something(n int) {
	o.t.Helper()
	room := o.rooms[o.random.IntN(len(o.rooms))]
	by, m := o.anyone(room), o.messages[o.random.IntN(len(o.messages))]
	var err error
	switch dice := o.random.IntN(100); {
	case dice < 40:
		d := store.Draft{Room: room, Content: fmt.Sprintf("message %d for @%s", n, o.people[1].Username)}
		if m.Room == room && dice < 15 {
			d.Parent = m.ID
		}
		m, _, err = o.chat.Post(ctx(), by, d)
		o.messages = append(o.messages, m)
	case dice < 52:
		_, err = o.chat.Edit(ctx(), o.author(m), m.ID, fmt.Sprint("edit ", n))
	case dice < 57:
		_, err = o.chat.Delete(ctx(), o.people[0], m.ID)
		o.messages = slices.DeleteFunc(o.messages, func(one store.Message) bool { return one.ID == m.ID })
	case dice < 73:
		_, _, err = o.chat.React(ctx(), o.anyone(m.Room), m.ID, []string{"👍", "🎉"}[dice%2], dice < 69)
	case dice < 86:
		_, _, err = o.chat.ReadThrough(ctx(), o.anyone(m.Room), m.Room, m.ID)
	case dice < 96:
		err = o.comeOrGo(room, o.people[1+o.random.IntN(len(o.people)-1)])
	case dice < 98:
		name := fmt.Sprint("Room ", n)
		_, err = o.chat.EditRoom(ctx(), o.people[0], room, chat.RoomEdit{Name: &name})
	default:
		name := fmt.Sprint("person", n)
		_, err = o.chat.EditProfile(ctx(), by, chat.ProfileEdit{Username: &name})
	}
	o.must(err)
}

// author returns the author of a message, back in its room if they had left.
func (o *office) author(m store.Message) store.User {
	o.t.Helper()
	for _, u := range o.people {
		if u.ID == m.Author {
			if !slices.ContainsFunc(o.in[m.Room], func(in store.User) bool { return in.ID == u.ID }) {
				o.must(o.comeOrGo(m.Room, u))
			}
			return u
		}
	}
	o.t.Fatal("a message by nobody")
	return store.User{}
}

func (o *office) comeOrGo(room store.RoomID, u store.User) error {
	place := slices.IndexFunc(o.in[room], func(in store.User) bool { return in.ID == u.ID })
	if place >= 0 {
		if room == o.rooms[0] { // where the end is told
			return nil
		}
		o.in[room] = slices.Delete(o.in[room], place, place+1)
		return o.chat.RemoveMember(ctx(), o.people[0], room, u.ID)
	}
	o.in[room] = append(o.in[room], u)
	_, err := o.chat.AddMembers(ctx(), o.people[0], room, []store.UserID{u.ID})
	return err
}

// listen applies what a client hears until it hears a message or, with "", is live.
func (m *model) listen(c *client, content string) {
	m.w.t.Helper()
	for {
		e, ok := c.hear(m.w.patience)
		if !ok {
			m.w.t.Fatalf("closed with %d %q", c.code, c.reason)
		}
		m.apply(e)
		if content == "" && e.kind() == "live" || content != "" && e.text("message", "content") == content {
			return
		}
	}
}

// TestResumingComesToTheSameState is the proof that nothing is lost: a client that missed a
// thousand events and a restart of the server knows what one knows that heard them all.
func TestResumingComesToTheSameState(t *testing.T) {
	const seed = 20260304
	w := newWorld(t, live.Options{})
	o := &office{world: w, random: rand.New(rand.NewPCG(seed, 1)), in: map[store.RoomID][]store.User{}}
	o.people = w.crowd("ann", "bob", "cyd", "dan", "eve")
	for n := range 20 {
		id := w.room(o.people[0], n%2 == 0, o.people[1:]...)
		o.rooms = append(o.rooms, id)
		o.in[id] = slices.Clone(o.people)
		o.messages = append(o.messages, w.post(o.people[0], id, "first"), w.post(o.people[1], id, "second"))
	}
	me := o.people[1]
	steady, cut := newModel(w, me), newModel(w, me)
	for _, id := range o.rooms {
		steady.load(string(id))
		cut.load(string(id))
	}
	hears, leaves := w.connect(me, live.Want{}), w.connect(me, live.Want{})
	hears.settle()
	leaves.settle()
	for n := range 50 {
		o.something(n)
	}
	w.post(o.people[0], o.rooms[0], "cut")
	cut.listen(leaves, "cut")
	leaves.leave()
	cut.requests = 0

	for n := range 900 {
		o.something(100 + n)
	}
	gone := w.room(o.people[0], true, me)
	w.post(o.people[0], gone, "soon gone")
	w.must(w.chat.DeleteRoom(ctx(), o.people[0], gone))
	w.must(w.chat.DeleteRoom(ctx(), o.people[0], o.rooms[19]))
	o.rooms = o.rooms[:19]
	o.messages = slices.DeleteFunc(o.messages, func(m store.Message) bool { return !slices.Contains(o.rooms, m.Room) })
	w.post(o.people[0], o.rooms[0], "restart")
	steady.listen(hears, "restart")
	w.restart()
	o.chat = w.chat
	hears = w.connect(me, live.Want{Since: hears.cursor})
	steady.listen(hears, "")
	if some := hears.heard("message", "message_updated", "message_deleted", "user_left"); len(some) > 0 {
		t.Errorf("who had missed nothing was told %v", some)
	}
	for n := range 100 {
		o.something(1000 + n)
	}
	w.post(o.people[0], o.rooms[0], "end")
	steady.listen(hears, "end")

	leaves = w.connect(me, live.Want{Since: leaves.cursor})
	cut.listen(leaves, "")
	if where := steady.differs(cut); where != "" {
		t.Fatalf("seed %d: the states differ in %s", seed, where)
	}
	if cut.requests >= len(o.rooms) {
		t.Errorf("%d history requests for %d rooms", cut.requests, len(o.rooms))
	}
	checkReplay(t, leaves)
	waiting, err := w.chat.Unread(ctx(), me)
	w.must(err)
	for _, u := range waiting {
		state := asEvent(w, cut.waiting[string(u.Room)])
		if fmt.Sprint(state["unread"], state["mentions"], state["head_seq"]) != fmt.Sprint(u.Count, u.Mentions, u.Head) {
			t.Errorf("greeted with %v, want %+v", state, u)
		}
	}
	if len(waiting) != len(cut.waiting) {
		t.Errorf("greeted with %d rooms, want %d", len(cut.waiting), len(waiting))
	}
}

// checkReplay requires that a replay tells each thing once.
func checkReplay(t *testing.T, c *client) {
	t.Helper()
	told := map[string]int{}
	for _, e := range c.seen {
		switch e.kind() {
		case "message", "message_updated", "message_deleted":
			told[e.text("message", "id")]++
		case "user_joined", "user_left":
			told["member "+e.text("room_id")+e.text("user_id")]++
		case "read_receipt":
			told["receipt "+e.text("room_id")+e.text("user_id")]++
		case "room_created", "room_updated", "room_deleted":
			told["room "+e.text("room_id")]++
		case "live":
			told["live"]++
		}
	}
	for what, times := range told {
		if times > 1 {
			t.Errorf("%s was told %d times", what, times)
		}
	}
}

func TestCursorsThatCannotBeResumedFrom(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	room := w.room(p[0], false)
	head, err := w.rooms.Head(ctx())
	w.must(err)
	for name, since := range map[string]string{
		"another epoch":  store.Position{Epoch: head.Epoch + 1, Seq: 1}.String(),
		"not yet":        store.Position{Epoch: head.Epoch, Seq: head.Seq + 100}.String(),
		"no cursor":      "garbage",
		"from the start": store.Position{Epoch: head.Epoch + 1}.String(),
	} {
		c := w.connect(p[0], live.Want{Since: since})
		hello := c.expect("hello")
		c.expect("resync")
		w.post(p[0], room, name)
		c.expectMessage(name)
		if hello.text("cursor") == since {
			t.Errorf("%s: greeted with the cursor that cannot be used", name)
		}
		c.leave()
	}
}

func TestTooFarBehind(t *testing.T) {
	w := newWorld(t, live.Options{MaxMissed: 100, MaxScanned: 300})
	p := w.crowd("ann", "bob")
	mine, other := w.room(p[0], false), w.room(p[1], true)
	fill := func(by store.User, room store.RoomID, n int) {
		for i := range n {
			w.post(by, room, fmt.Sprint("message ", i))
		}
	}
	cut := func() *client {
		c := w.online(p[0], "")
		w.post(p[0], mine, "cut")
		c.expectMessage("cut")
		c.leave()
		return c
	}
	c := cut()
	fill(p[1], other, 150)
	fill(p[0], mine, 100)
	again := w.connect(p[0], live.Want{Since: c.cursor})
	again.expect("live")
	if got := contents(again.seen); len(got) != 100 {
		t.Errorf("told %d messages, want those of one's own room", len(got))
	}
	again.leave()
	fill(p[0], mine, 1)
	far := w.connect(p[0], live.Want{Since: c.cursor})
	far.expect("resync")
	if got := contents(far.seen); len(got) > 0 {
		t.Errorf("told %d messages before resync", len(got))
	}
	far.leave()

	c = cut()
	fill(p[1], other, 301)
	w.connect(p[0], live.Want{Since: c.cursor}).expect("resync")
}

func TestResumingInOneRoom(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room, other := w.room(p[0], false), w.room(p[0], false)
	c := w.online(p[1], room)
	m := w.post(p[0], room, "first")
	c.expectMessage("first")
	c.leave()

	_, err := w.chat.Edit(ctx(), p[0], m.ID, "first, edited")
	w.must(err)
	second := w.post(p[0], room, "second")
	_, err = w.chat.Edit(ctx(), p[0], second.ID, "second, edited")
	w.must(err)
	third := w.post(p[0], room, "third")
	_, err = w.chat.Delete(ctx(), p[0], third.ID)
	w.must(err)
	w.post(p[0], other, "elsewhere")
	_, err = w.chat.Join(ctx(), p[0], room)
	w.must(err)

	again := w.connect(p[1], live.Want{Room: room, Since: c.cursor})
	again.expect("live")
	var got []string
	for _, e := range again.seen {
		got = append(got, fmt.Sprint(e.kind(), " ", e.text("message", "content"), " ", e.text("message", "deleted")))
	}
	want := []string{"hello  ", "message second, edited false", "message  true", "message_updated first, edited false", "live  "}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}
