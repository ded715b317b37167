package live_test

import (
	"testing"

	"github.com/hearthchat/hearth/server/live"
)

func TestAMessageReachesEverybodyOnceAndItsSenderKnows(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room := w.room(p[0], false, p[1])
	ann, bob, cyd := w.online(p[0], ""), w.online(p[1], room), w.online(p[2], room)

	ann.tell(`{"type":"message","room_id":%q,"content":" hi ","client_id":"c-1"}`, room)
	ack := ann.expect("ack")
	if ack.text("client_id") != "c-1" || ack.text("message", "content") != "hi" || ack.text("cursor") == "" {
		t.Errorf("ack %v", ack)
	}
	for _, c := range []*client{ann, bob, cyd} {
		c.tell(`{"type":"ping"}`)
		c.expect("pong")
		w.post(p[1], room, "end")
		c.expectMessage("end")
		n := 0
		for _, m := range c.heard("message") {
			if m.text("message", "content") == "hi" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s heard it %d times: %v", c.user.Username, n, c.seen)
		}
	}
}
