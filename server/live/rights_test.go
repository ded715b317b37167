package live_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// contents returns what the messages among events say.
func contents(events []event) (some []string) {
	for _, e := range events {
		if e.kind() == "message" && e.text("message", "message_type") != "system" {
			some = append(some, e.text("message", "content"))
		}
	}
	return some
}

func TestWhoIsRemovedHearsEverythingBeforeAndNothingAfter(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room, other := w.room(p[0], true, p[1]), w.room(p[0], false, p[1])
	all, one := w.online(p[1], ""), w.online(p[1], room)
	for range 20 {
		w.post(p[0], room, "before")
		w.must(w.chat.RemoveMember(ctx(), p[0], room, p[1].ID))
		w.post(p[0], room, "after")
		all.expectIf("user_left", func(e event) bool { return e.text("user_id") == p[1].ID.String() })
		w.post(p[0], other, "end")
		all.expectMessage("end")
		if before := one.expectClose(live.CloseNotYours); len(contents(before)) != 1 || before[len(before)-1].kind() != "user_left" {
			t.Fatalf("the socket of the room heard %v", before)
		}
		if got := contents(all.seen); len(got) != 2 || got[0] != "before" {
			t.Fatalf("heard %q", got)
		}
		_, err := w.chat.AddMembers(ctx(), p[0], room, []store.UserID{p[1].ID})
		w.must(err)
		created := all.expect("room_created")
		if created.text("room_id") != string(room) || created.text("room", "joined") != "true" {
			t.Fatalf("added again: %v", created)
		}
		all.seen = nil
		one = w.online(p[1], room)
	}
}

func TestASessionThatEndsTakesItsSocketsAlong(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	for _, tt := range []struct {
		name string
		end  func(c *client) error
	}{
		{"signed out", func(c *client) error { return w.people.EndSession(ctx(), c.session) }},
		{"all sessions ended", func(c *client) error { return w.people.EndSessions(ctx(), c.user.ID, "") }},
		{"deactivated", func(c *client) error {
			_, err := w.chat.SetActive(ctx(), c.user.ID, false)
			return err
		}},
	} {
		gone, stays := w.online(p[1], ""), w.online(p[0], room)
		began := time.Now()
		w.must(tt.end(gone))
		gone.expectClose(live.CloseEnded)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: closed after %v", tt.name, took)
		}
		w.post(p[0], room, tt.name)
		stays.expectMessage(tt.name)
		stays.leave()
	}
}

func TestOnlyTheSessionThatEndedIsClosed(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	room := w.room(p[0], false)
	first, second := w.online(p[0], ""), w.online(p[0], "")
	w.must(w.people.EndSessions(ctx(), p[0].ID, second.session))
	first.expectClose(live.CloseEnded)
	w.post(p[0], room, "still here")
	second.expectMessage("still here")
}

func TestASessionThatEndedBeforeItsSocketWasReadyIsClosed(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	session := w.session(p[0])
	w.must(w.people.EndSession(ctx(), session))
	w.connectOver(newWire(), p[0], session, live.Want{}).expectClose(live.CloseEnded)
}

func TestWatchersOfPublicRooms(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room := w.room(p[0], false, p[1])
	member, watcher := w.online(p[1], room), w.online(p[2], room)

	m := w.post(p[0], room, "hello")
	_, _, err := w.chat.ReadThrough(ctx(), p[1], room, m.ID)
	w.must(err)
	w.post(p[0], room, "read it?")
	member.expect("read_receipt")
	watcher.expectMessage("read it?")
	if some := watcher.heard("read_receipt"); len(some) > 0 {
		t.Errorf("a watcher heard %v", some)
	}

	_, err = w.chat.Join(ctx(), p[2], room)
	w.must(err)
	watcher.expectIf("user_joined", func(e event) bool { return e.text("user_id") == p[2].ID.String() })
	_, _, err = w.chat.ReadThrough(ctx(), p[0], room, w.post(p[1], room, "now?").ID)
	w.must(err)
	watcher.expect("read_receipt")
	w.must(w.chat.Leave(ctx(), p[2], room))
	watcher.expectIf("user_left", func(e event) bool { return e.text("user_id") == p[2].ID.String() })

	private := true
	_, err = w.chat.EditRoom(ctx(), p[0], room, chat.RoomEdit{Private: &private})
	w.must(err)
	w.post(p[0], room, "among us")
	for _, e := range watcher.expectClose(live.CloseNotYours) {
		if e.kind() == "room_updated" || e.text("message", "content") == "among us" {
			t.Errorf("a watcher heard %v", e)
		}
	}
	member.expectIf("room_updated", func(e event) bool { return e.text("room", "is_private") == "true" })
	member.expectMessage("among us")

	w.connect(p[2], live.Want{Room: room}).expectClose(live.CloseGone)
	w.connect(p[2], live.Want{Room: "nowhere"}).expectClose(live.CloseGone)
}

func TestADeletedRoom(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room := w.room(p[0], false, p[1])
	all, one, watcher := w.online(p[1], ""), w.online(p[1], room), w.online(p[2], room)
	w.must(w.chat.DeleteRoom(ctx(), p[0], room))
	if e := all.expect("room_deleted"); e.text("room_id") != string(room) {
		t.Errorf("heard %v", e)
	}
	one.expectClose(live.CloseGone)
	watcher.expectClose(live.CloseGone)
}

func TestGuestsHearOnlyTheirRooms(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	guest := w.person("guest", store.RoleGuest)
	given, public := w.room(p[0], true), w.room(p[0], false)
	_, err := w.rooms.Join(ctx(), store.Member{Room: given, User: guest.ID}, p[0].ID, "")
	w.must(err)
	w.connect(guest, live.Want{Room: public}).expectClose(live.CloseGone)
	all := w.connect(guest, live.Want{})
	if rooms := all.expect("hello")["rooms"].(map[string]any); len(rooms) != 1 || rooms[string(given)] == nil {
		t.Errorf("greeted with %v", rooms)
	}
	all.settle()
	w.post(p[0], public, "not for guests")
	w.post(p[0], given, "for guests")
	all.expectMessage("for guests")
	if got := contents(all.seen); len(got) != 1 {
		t.Errorf("heard %q", got)
	}

	watching := w.online(p[1], public)
	_, err = w.chat.SetRole(ctx(), p[1].ID, store.RoleGuest)
	w.must(err)
	watching.expectClose(live.CloseNotYours)
}

func TestRoomsAppearWhenTheyBecomeOnes(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	ann, bob, cyd := w.online(p[0], ""), w.online(p[1], ""), w.online(p[2], "")

	room := w.room(p[0], true, p[1])
	for _, c := range []*client{ann, bob} {
		if e := c.expect("room_created"); e.text("room", "id") != string(room) || e.text("room", "name") != "Lobby" || e.text("room", "joined") != "true" {
			t.Errorf("%s: %v", c.user.Username, e)
		}
	}
	direct, _, err := w.chat.Direct(ctx(), p[0], []store.UserID{p[1].ID, p[2].ID})
	w.must(err)
	for c, name := range map[*client]string{ann: "bob, cyd", bob: "ann, cyd", cyd: "ann, bob"} {
		e := c.expectIf("room_created", func(e event) bool { return e.text("room", "kind") == "dm" })
		if e.text("room", "name") != name {
			t.Errorf("%s sees %q, want %q", c.user.Username, e.text("room", "name"), name)
		}
	}

	w.must(w.chat.Leave(ctx(), p[2], direct.ID))
	cyd.expectIf("user_left", func(e event) bool { return e.text("room_id") == string(direct.ID) })
	w.post(p[0], direct.ID, "come back")
	cyd.expectIf("room_created", func(e event) bool { return e.text("room_id") == string(direct.ID) })
	cyd.expectMessage("come back")
	bob.expectMessage("come back")
	if some := bob.heard("user_left", "user_joined"); len(some) > 0 {
		t.Errorf("others heard of a hidden conversation: %v", some)
	}
	if got := contents(cyd.seen); len(got) != 1 {
		t.Errorf("cyd heard %q", got)
	}

	name := "Den"
	_, err = w.chat.EditRoom(ctx(), p[0], room, chat.RoomEdit{Name: &name})
	w.must(err)
	if e := bob.expect("room_updated"); e.text("room", "name") != name || e["room"].(map[string]any)["unread_count"] != nil {
		t.Errorf("renamed: %v", e)
	}
}

func TestAccountsAreToldToPeopleWhoShareARoom(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob", "cyd")
	room := w.room(p[0], true, p[1])
	apart := w.room(p[2], false)
	ann, bob, cyd := w.online(p[0], ""), w.online(p[1], ""), w.online(p[2], "")
	name := "annie"
	_, err := w.chat.EditProfile(ctx(), p[0], chat.ProfileEdit{Username: &name})
	w.must(err)
	for _, c := range []*client{ann, bob} {
		e := c.expect("user_updated")
		if e.text("user", "username") != name || e["user"].(map[string]any)["email"] != nil {
			t.Errorf("%s heard %v", c.user.Username, e)
		}
	}
	ann.tell(`{"type":"message","room_id":%q,"content":"it is me"}`, room)
	if e := bob.expectMessage("it is me"); e.text("message", "username") != name {
		t.Errorf("message by %q", e.text("message", "username"))
	}
	if ack := ann.expect("ack"); ack.text("message", "username") != name {
		t.Errorf("acknowledged as %q", ack.text("message", "username"))
	}
	w.must(w.chat.CloseAccount(ctx(), p[1].ID))
	ann.expectIf("user_updated", func(e event) bool { return e.text("user", "username") == store.DeletedName(p[1].ID) })
	bob.expectClose(live.CloseEnded)
	w.post(p[2], apart, "end")
	cyd.expectMessage("end")
	if some := cyd.heard("user_updated"); len(some) > 0 {
		t.Errorf("a stranger heard %v", some)
	}
}

func TestRegistry(t *testing.T) {
	var r live.Registry
	var let []func()
	for n := range live.MaxSocketsPerUser {
		release, err := r.Admit(1, "10.0.0.1")
		if err != nil {
			t.Fatalf("socket %d: %v", n, err)
		}
		let = append(let, release)
	}
	if _, err := r.Admit(1, "10.0.0.2"); !errors.Is(err, store.ErrLimited) {
		t.Errorf("one more of the account: %v", err)
	}
	let[0]()
	let[0]()
	if _, err := r.Admit(1, "10.0.0.2"); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
	if _, err := r.Admit(1, "10.0.0.2"); !errors.Is(err, store.ErrLimited) {
		t.Errorf("releasing twice made two places: %v", err)
	}
	for n := live.MaxSocketsPerUser - 1; n < live.MaxSocketsPerAddress; n++ {
		if _, err := r.Admit(store.UserID(n), "10.0.0.1"); err != nil {
			t.Fatalf("socket %d: %v", n, err)
		}
	}
	var fault *store.Fault
	if _, err := r.Admit(9999, "10.0.0.1"); !errors.As(err, &fault) || fault.RetryAfter <= 0 {
		t.Errorf("one more of the address: %v", err)
	}
}
