package live_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

func TestWhatClientsMayAsk(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	ann, bob := w.online(p[0], room), w.online(p[1], "")
	m := w.post(p[0], room, "first")
	id := m.ID.String()

	bob.tell(`{"type":"message","room_id":%q,"content":"a reply","parent_id":%q,"client_id":"c-1"}`, room, id)
	reply := ann.expectMessage("a reply")
	if reply.text("message", "parent_id") != id || reply.text("message", "root_id") != id {
		t.Errorf("reply %v", reply)
	}
	bob.tell(`{"type":"message","room_id":%q,"content":"a reply","parent_id":%q,"client_id":"c-1"}`, room, id)
	first, again := bob.expect("ack"), bob.expect("ack")
	if first.text("message", "id") != again.text("message", "id") || first.text("message", "client_id") != "c-1" {
		t.Errorf("acknowledged %v and %v", first, again)
	}

	bob.tell(`{"type":"reaction","room_id":%q,"message_id":%q,"reaction":"👍"}`, room, id)
	if e := ann.expect("reaction_added"); e.text("message_id") != id || e.text("user_id") != "2" || e.text("reactions", "👍") != "[2]" {
		t.Errorf("heard %v", e)
	}
	bob.tell(`{"type":"reaction","room_id":%q,"message_id":%q,"reaction":"👍","remove":true}`, room, id)
	if e := ann.expect("reaction_removed"); e.text("reaction") != "👍" || e.text("reactions") != "{}" {
		t.Errorf("heard %v", e)
	}
	ann.tell(`{"type":"edit","message_id":%q,"content":"edited"}`, id)
	if e := bob.expect("message_updated"); e.text("message", "content") != "edited" || e.text("message", "edited_at") == "" {
		t.Errorf("heard %v", e)
	}
	bob.tell(`{"type":"read","room_id":%q,"message_id":%q}`, room, id)
	if e := ann.expect("read_receipt"); e.text("message_id") != id || e.text("seq") != fmt.Sprint(m.Seq) || e.text("read_at") == "" {
		t.Errorf("heard %v", e)
	}
	ann.tell(`{"type":"delete","message_id":%q}`, id)
	if e := bob.expect("message_deleted"); e.text("message", "content") != "" || e.text("message", "deleted") != "true" {
		t.Errorf("heard %v", e)
	}
	n := 0
	for _, e := range ann.heard("message") {
		if e.text("message", "content") == "a reply" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("a message sent twice was heard %d times", n)
	}
}

// TestRefusedFrames holds that what is refused is answered, changes nothing, and leaves the
// socket open.
func TestRefusedFrames(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room, other := w.room(p[0], false, p[1]), w.room(p[0], true)
	m, hidden := w.post(p[0], room, "first"), w.post(p[0], other, "hidden")
	one, all, watcher := w.online(p[1], room), w.online(p[1], ""), w.online(p[2], room)
	long := strings.Repeat("x", store.MaxContent+1)
	before, err := w.rooms.Head(ctx())
	w.must(err)
	for _, tt := range []struct {
		name  string
		c     *client
		frame string
		code  string
	}{
		{"not JSON", one, `hello`, "invalid_frame"},
		{"unknown type", one, `{"type":"shout","client_id":"c"}`, "unknown_type"},
		{"empty content", one, `{"type":"message","content":" \n ","client_id":"c"}`, "invalid_content"},
		{"long content", one, `{"type":"message","content":"` + long + `","client_id":"c"}`, "invalid_content"},
		{"NUL", one, `{"type":"message","content":"a\u0000","client_id":"c"}`, "invalid_content"},
		{"lone surrogate", one, `{"type":"message","content":"\ud800","client_id":"c"}`, "invalid_frame"},
		{"system line", one, `{"type":"message","content":"joined","message_type":"system","client_id":"c"}`, "invalid_message_type"},
		{"another room on the socket of one", one, fmt.Sprintf(`{"type":"message","content":"a","room_id":%q,"client_id":"c"}`, other), "invalid_room_id"},
		{"no room on the socket of all", all, `{"type":"message","content":"a","client_id":"c"}`, "invalid_room_id"},
		{"typing without room", all, `{"type":"typing","is_typing":true,"client_id":"c"}`, "invalid_room_id"},
		{"a room that is hidden", all, fmt.Sprintf(`{"type":"message","content":"a","room_id":%q,"client_id":"c"}`, other), "room_not_found"},
		{"a room that is not there", all, `{"type":"message","content":"a","room_id":"nowhere","client_id":"c"}`, "room_not_found"},
		{"typing in a hidden room", all, fmt.Sprintf(`{"type":"typing","is_typing":true,"room_id":%q,"client_id":"c"}`, other), "room_not_found"},
		{"edit of a hidden message", all, fmt.Sprintf(`{"type":"edit","message_id":%q,"content":"a","room_id":%q,"client_id":"c"}`, hidden.ID, room), "message_not_found"},
		{"reaction to a hidden message", all, fmt.Sprintf(`{"type":"reaction","message_id":%q,"reaction":"x","room_id":%q,"client_id":"c"}`, hidden.ID, other), "message_not_found"},
		{"read of a hidden message", all, fmt.Sprintf(`{"type":"read","message_id":%q,"room_id":%q,"client_id":"c"}`, hidden.ID, room), "message_not_found"},
		{"edit of another's message", one, fmt.Sprintf(`{"type":"edit","message_id":%q,"content":"a","client_id":"c"}`, m.ID), "not_author"},
		{"delete of another's message", one, fmt.Sprintf(`{"type":"delete","message_id":%q,"client_id":"c"}`, m.ID), "not_author"},
		{"reaction with a space", one, fmt.Sprintf(`{"type":"reaction","message_id":%q,"reaction":"a b","client_id":"c"}`, m.ID), "invalid_reaction"},
		{"message of a watcher", watcher, `{"type":"message","content":"a","client_id":"c"}`, "join_first"},
		{"reaction of a watcher", watcher, fmt.Sprintf(`{"type":"reaction","message_id":%q,"reaction":"x","client_id":"c"}`, m.ID), "join_first"},
		{"read by a watcher", watcher, fmt.Sprintf(`{"type":"read","message_id":%q,"client_id":"c"}`, m.ID), "join_first"},
	} {
		tt.c.tell("%s", tt.frame)
		e := tt.c.expect("error")
		if e.text("code") != tt.code || e.text("error") == "" || e.text("timestamp") == "" || e.text("client_id") != "c" && tt.code != "invalid_frame" {
			t.Errorf("%s: %v, want %s", tt.name, e, tt.code)
		}
	}
	if after, err := w.rooms.Head(ctx()); err != nil || after != before {
		t.Errorf("refused frames changed something: %s to %s, %v", before, after, err)
	}
	for _, c := range []*client{one, all, watcher} {
		c.settle()
	}
}

func TestAFrameThatIsTooBigEndsTheSocket(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	c := w.online(p[0], "")
	c.failing = live.ErrTooBig
	c.tell("x")
	c.expectClose(live.CloseTooBig)
}

func TestLimitsAreAnsweredWithWhenToRetry(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	room := w.room(p[0], false)
	start := time.Now()
	limited := chat.New(w.rooms, w.people, chat.Options{Now: func() time.Time { return start }}) // nothing is given back
	hub := live.NewHub(w.rooms, w.people, limited, live.Options{})
	w.follow(hub)
	w.hub = hub
	c := w.online(p[0], room)
	const sent = 300
	for n := range sent {
		c.tell(`{"type":"message","content":"message %d","client_id":"c-%d"}`, n, n)
	}
	answered := map[string]bool{}
	refused := 0
	for len(answered) < sent {
		e, ok := c.hear(w.patience)
		if !ok {
			t.Fatalf("%d of %d answered", len(answered), sent)
		}
		switch e.kind() {
		case "error":
			refused++
			if e.text("code") != "rate_limited" || e.text("retry_after") == "" {
				t.Fatalf("refused with %v", e)
			}
			answered[e.text("client_id")] = true
		case "ack":
			answered[e.text("client_id")] = true
		}
	}
	if want := sent - 200; refused != want {
		t.Errorf("%d refused, want all %d beyond the burst", refused, want)
	}
}

func TestUnreadIsToldToOneself(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	first, second := w.post(p[0], room, "one"), w.post(p[0], room, "two @bob")
	all, one, other := w.online(p[1], ""), w.online(p[1], room), w.online(p[0], "")
	hello := all.seen[0]
	if hello.text("rooms", string(room), "unread") != "2" || hello.text("rooms", string(room), "mentions") != "1" || hello.text("rooms", string(room), "head_seq") != "3" {
		t.Errorf("greeted with %v", hello)
	}
	_, _, err := w.chat.ReadThrough(ctx(), p[1], room, first.ID)
	w.must(err)
	for _, c := range []*client{all, one} {
		e := c.expect("unread_update")
		if e.text("unread") != "1" || e.text("mentions") != "1" || e.text("last_read_id") != first.ID.String() || e.text("first_unread_id") != second.ID.String() {
			t.Errorf("heard %v", e)
		}
	}
	_, err = w.chat.MarkUnread(ctx(), p[1], first.ID)
	w.must(err)
	if e := all.expectIf("unread_update", func(e event) bool { return e.text("unread") == "2" }); e.text("first_unread_id") != first.ID.String() {
		t.Errorf("marked unread: %v", e)
	}
	w.post(p[0], room, "end")
	other.expectMessage("end")
	if some := other.heard("unread_update"); len(some) > 0 {
		t.Errorf("others heard %v", some)
	}
}

// TestUnreadFollowsWhatWasHeard reads while much is said: the last number told, together
// with the messages that came after it, is what is unread.
func TestUnreadFollowsWhatWasHeard(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	c := w.online(p[1], "")
	var all sync.WaitGroup
	all.Go(func() {
		for n := range 100 {
			w.post(p[0], room, fmt.Sprint("message ", n))
		}
	})
	unread, done := 0, false
	for read := 0; !done || read < 10; {
		e, ok := c.hear(w.patience)
		if !ok {
			t.Fatalf("closed with %d", c.code)
		}
		switch {
		case e.kind() == "unread_update":
			fmt.Sscan(e.text("unread"), &unread)
		case e.kind() == "message":
			unread++
			if read++; read%10 == 0 {
				c.tell(`{"type":"read","room_id":%q,"message_id":%q}`, room, e.text("message", "id"))
			}
			done = e.text("message", "content") == "message 99"
		}
	}
	all.Wait()
	want := -1
	for n := 0; unread != want && n < 20; n++ {
		if e, ok := c.hear(w.patience / 20); ok && e.kind() == "unread_update" {
			fmt.Sscan(e.text("unread"), &unread)
		}
		u, err := w.chat.UnreadIn(ctx(), p[1], room)
		w.must(err)
		want = u.Count
	}
	if unread != want {
		t.Errorf("told %d unread, want %d", unread, want)
	}
}

// TestAnAcknowledgementIsSafeToResumeFrom cuts sockets right after an ack.
func TestAnAcknowledgementIsSafeToResumeFrom(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room := w.room(p[0], false, p[1:]...)
	stop := make(chan struct{})
	var talking sync.WaitGroup
	for _, u := range p[1:] {
		talking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.post(u, room, "chatter")
				}
			}
		})
	}
	last := 0
	note := func(e event) {
		if e.kind() != "message" {
			return
		}
		var seq int
		fmt.Sscan(e.text("message", "seq"), &seq)
		if last != 0 && seq > last+1 {
			t.Errorf("message %d after %d", seq, last)
		}
		last = max(last, seq)
	}
	c := w.online(p[0], room)
	for n := range 30 {
		c.tell(`{"type":"message","content":"message %d"}`, n)
		c.expect("ack")
		for _, e := range c.seen {
			note(e)
		}
		c.leave()
		c = w.connect(p[0], live.Want{Room: room, Since: c.cursor})
		c.expect("live")
	}
	close(stop)
	talking.Wait()
}
