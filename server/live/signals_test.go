package live_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// typists waits for a typing_update and returns who types.
func (c *client) typists() string {
	c.w.t.Helper()
	return c.expect("typing_update").text("typing_users")
}

func TestTyping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		defer w.end()
		w.patience = time.Hour
		p := w.crowd("ann", "bob", "cyd")
		room := w.room(p[0], false, p[1])
		ann, bob, cyd := w.online(p[0], ""), w.online(p[1], room), w.online(p[2], room)

		for range 50 {
			ann.tell(`{"type":"typing","room_id":%q,"is_typing":true}`, room)
			bob.tell(`{"type":"typing","is_typing":true}`)
		}
		if who := ann.typists(); who != "[1,2]" {
			t.Errorf("typing: %s", who)
		}
		began := time.Now()
		if who := ann.typists(); who != "[]" {
			t.Errorf("then typing: %s", who)
		}
		if took := time.Since(began); took < 5500*time.Millisecond || took > 6500*time.Millisecond {
			t.Errorf("typing ended after %v, want 6 s", took)
		}

		bob.tell(`{"type":"typing","is_typing":true}`)
		ann.typists()
		began = time.Now()
		bob.tell(`{"type":"message","content":"done"}`)
		if who := ann.typists(); who != "[]" || time.Since(began) > time.Second {
			t.Errorf("after the message %s type, %v later", who, time.Since(began))
		}

		bob.tell(`{"type":"typing","is_typing":true}`)
		ann.typists()
		bob.tell(`{"type":"typing","is_typing":false}`)
		if who := ann.typists(); who != "[]" {
			t.Errorf("having stopped: %s", who)
		}

		bob.tell(`{"type":"typing","is_typing":true}`)
		ann.typists()
		began = time.Now()
		bob.leave()
		if who := ann.typists(); who != "[]" || time.Since(began) > time.Second {
			t.Errorf("having gone: %s, %v later", who, time.Since(began))
		}

		cyd.tell(`{"type":"typing","is_typing":true}`)
		if e := cyd.expect("error"); e.text("code") != "join_first" {
			t.Errorf("a watcher typing: %v", e)
		}
	})
}

// status waits for somebody's presence to change.
func (c *client) status(u store.User) string {
	c.w.t.Helper()
	return c.expectIf("presence_change", func(e event) bool { return e.text("user_id") == u.ID.String() }).text("status")
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		defer w.end()
		w.patience = time.Hour
		p := w.crowd("ann", "bob", "cyd")
		room := w.room(p[0], false, p[1])
		ann := w.online(p[0], "")
		if got := ann.status(p[0]); got != "online" {
			t.Errorf("oneself: %s", got)
		}
		stranger := w.online(p[2], "")
		bob := w.online(p[1], room)
		if got := ann.status(p[1]); got != "online" || w.hub.Presence(p[1].ID) != live.Online || w.hub.Online(room) != 2 {
			t.Errorf("bob is %s; %s, %d here", got, w.hub.Presence(p[1].ID), w.hub.Online(room))
		}

		bob.tell(`{"type":"presence","status":"dnd"}`)
		if got := ann.status(p[1]); got != "dnd" {
			t.Errorf("bob said dnd: %s", got)
		}
		bob.tell(`{"type":"presence","status":"online"}`)
		ann.status(p[1])
		bob.tell(`{"type":"presence","status":"away"}`)
		if got := ann.status(p[1]); got != "away" {
			t.Errorf("bob said away: %s", got)
		}
		bob.tell(`{"type":"message","content":"back"}`)
		if got := ann.status(p[1]); got != "online" {
			t.Errorf("bob wrote: %s", got)
		}

		began := time.Now()
		done := make(chan struct{})
		go func() { // both stay connected all the while
			for range 12 {
				time.Sleep(30 * time.Second)
				bob.ping(nil)
				ann.ping(nil)
				stranger.ping(nil)
			}
			close(done)
		}()
		if got := ann.status(p[1]); got != "away" {
			t.Errorf("bob is idle: %s", got)
		}
		if took := time.Since(began); took < 5*time.Minute-time.Second || took > 5*time.Minute+2*time.Second {
			t.Errorf("away after %v", took)
		}
		<-done

		bob.leave()
		again := w.online(p[1], "")
		ann.status(p[1]) // online: a new socket is input
		again.leave()
		began = time.Now()
		if got := ann.status(p[1]); got != "offline" {
			t.Errorf("bob left: %s", got)
		}
		if took := time.Since(began); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("offline after %v", took)
		}
		for _, e := range ann.heard("presence_change") {
			if e.text("status") == "offline" && ann.seen[len(ann.seen)-1].text("timestamp") != e.text("timestamp") {
				t.Errorf("coming back at once was told: %v", e)
			}
		}
		if w.hub.Presence(p[1].ID) != live.Offline || w.hub.Online(room) != 1 {
			t.Errorf("bob left: %s, %d here", w.hub.Presence(p[1].ID), w.hub.Online(room))
		}
		stranger.settle()
		if some := stranger.heard("presence_change"); len(some) > 0 {
			t.Errorf("a stranger heard %v", some)
		}
	})
}

func TestASilentSocketIsClosedAndAPingedOneStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		defer w.end()
		w.patience = time.Hour
		p := w.crowd("ann")
		silent, alive := w.online(p[0], ""), w.online(p[0], "")
		began := time.Now()
		pings := 0
		for time.Since(began) < 3*time.Minute {
			f, ok := alive.next(time.Minute)
			if !ok {
				t.Fatal("the socket that answers was closed")
			}
			if f.op == 0x89 {
				pings++
				alive.ping(nil)
			}
		}
		if pings < 7 || pings > 9 {
			t.Errorf("%d pings in three minutes", pings)
		}
		silent.expectClose(live.CloseAway)

		alive.ping([]byte("payload"))
		for {
			f, ok := alive.next(time.Minute)
			if !ok {
				t.Fatal("no pong")
			}
			if f.op == 0x8a {
				if f.payload != "payload" {
					t.Errorf("pong %q", f.payload)
				}
				return
			}
		}
	})
}

func TestAnExpiredSessionIsNoticedByTheHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		defer w.end()
		w.patience = time.Hour
		p := w.crowd("ann")
		id := store.SessionID("0123456789abcdef0123456789abcdef")
		now := time.Now()
		w.must(w.people.OpenSession(ctx(), store.Session{ID: id, User: p[0].ID, CreatedAt: now, ExpiresAt: now.Add(time.Second)}, store.Hash{1}))
		c := w.connectOver(newWire(), p[0], id, live.Want{})
		c.expectClose(live.CloseEnded)
		if took := time.Since(now); took < time.Second || took > 27*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}
