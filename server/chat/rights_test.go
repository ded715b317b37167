package chat_test

import (
	"testing"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// TestRights is who may do what in which room. Ann owns both rooms, Bob is in both, Cyd
// and Gus, a guest, in neither; Ada administers and is in neither.
func TestRights(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	type scene struct {
		room    store.RoomID
		message store.Message // Bob's
	}
	type act struct {
		name string
		do   func(by store.User, s scene) error
		// What each gets in a public room, and those outside in a private one; members of
		// the private room get what they get in the public one.
		owner, member, outsider, admin, guest error
		hiddenFromAdmin                       error
	}
	edit := func(by store.User, s scene) error {
		_, err := w.Edit(w.ctx(), by, s.message.ID, "changed")
		return err
	}
	join, missing, forbidden := store.ErrJoinFirst, store.ErrNotFound, store.ErrForbidden
	for _, a := range []act{
		{"see the room", func(by store.User, s scene) error { _, err := w.Room(w.ctx(), by, s.room); return err }, nil, nil, nil, nil, missing, missing},
		{"read history", func(by store.User, s scene) error {
			_, err := w.History(w.ctx(), by, s.room, chat.Query{Limit: 5})
			return err
		}, nil, nil, nil, nil, missing, missing},
		{"read a message", func(by store.User, s scene) error { _, err := w.Message(w.ctx(), by, s.message.ID); return err }, nil, nil, nil, nil, missing, missing},
		{"read a thread", func(by store.User, s scene) error {
			_, err := w.Thread(w.ctx(), by, s.message.ID, chat.Query{Limit: 5})
			return err
		}, nil, nil, nil, nil, missing, missing},
		{"watch", func(by store.User, s scene) error { _, _, err := w.Audience(w.ctx(), by, s.room); return err }, nil, nil, nil, nil, missing, missing},
		{"list members", func(by store.User, s scene) error { _, err := w.Members(w.ctx(), by, s.room, 0, 10); return err }, nil, nil, join, join, missing, missing},
		{"post", func(by store.User, s scene) error {
			_, _, err := w.Post(w.ctx(), by, store.Draft{Room: s.room, Content: "hello"})
			return err
		}, nil, nil, join, join, missing, missing},
		{"type", func(by store.User, s scene) error { return w.Typing(w.ctx(), by, s.room) }, nil, nil, join, join, missing, missing},
		{"react", func(by store.User, s scene) error {
			_, _, err := w.React(w.ctx(), by, s.message.ID, "👍", true)
			return err
		}, nil, nil, join, join, missing, missing},
		{"mark one as read", func(by store.User, s scene) error { _, err := w.ReadOne(w.ctx(), by, s.message.ID); return err }, nil, nil, join, join, missing, missing},
		{"mark all as read", func(by store.User, s scene) error {
			_, _, err := w.ReadThrough(w.ctx(), by, s.room, s.message.ID)
			return err
		}, nil, nil, join, join, missing, missing},
		{"mark unread", func(by store.User, s scene) error { _, err := w.MarkUnread(w.ctx(), by, s.message.ID); return err }, nil, nil, join, join, missing, missing},
		{"see who read", func(by store.User, s scene) error { _, err := w.Readers(w.ctx(), by, s.message.ID); return err }, nil, nil, join, join, missing, missing},
		{"edit somebody's message", edit, forbidden, nil, join, join, missing, missing},
		{"delete somebody's message", func(by store.User, s scene) error { _, err := w.Delete(w.ctx(), by, s.message.ID); return err }, nil, nil, join, join, missing, missing},
		{"rename the room", func(by store.User, s scene) error {
			name := "Den"
			_, err := w.EditRoom(w.ctx(), by, s.room, chat.RoomEdit{Name: &name})
			return err
		}, nil, forbidden, forbidden, nil, missing, missing},
		{"delete the room", func(by store.User, s scene) error { return w.DeleteRoom(w.ctx(), by, s.room) }, nil, forbidden, forbidden, nil, missing, missing},
		{"join", func(by store.User, s scene) error { _, err := w.Join(w.ctx(), by, s.room); return err }, nil, nil, nil, nil, missing, missing},
		{"leave", func(by store.User, s scene) error { return w.Leave(w.ctx(), by, s.room) }, nil, nil, nil, nil, missing, missing},
		{"remove Bob", func(by store.User, s scene) error {
			return w.RemoveMember(w.ctx(), by, s.room, w.bob.ID)
		}, nil, nil, join, join, missing, missing},
		{"add themselves as administrator", func(by store.User, s scene) error {
			_, err := w.AddMembers(w.ctx(), by, s.room, []store.UserID{by.ID})
			return err
		}, nil, nil, join, nil, missing, nil},
	} {
		t.Run(a.name, func(t *testing.T) {
			for _, private := range []bool{false, true} {
				outsider, admin := a.outsider, a.admin
				if private {
					outsider, admin = missing, a.hiddenFromAdmin
				}
				if private && a.name == "add themselves as administrator" {
					a.member = forbidden // only owners add to private rooms
				}
				for _, who := range []struct {
					name string
					by   store.User
					want error
				}{
					{"the owner", w.ann, a.owner}, {"a member", w.bob, a.member}, {"somebody outside", w.cyd, outsider},
					{"an administrator outside", w.ada, admin}, {"a guest outside", w.gus, a.guest},
				} {
					s := scene{room: w.room(w.ann, private, w.bob)}
					s.message = w.says(w.bob, s.room, "hello")
					if got := kindOf(a.do(who.by, s)); got != kindOf(who.want) {
						t.Errorf("private %v, %s: %v, want %v", private, who.name, got, who.want)
					}
				}
			}
		})
	}
}

// TestHiddenIsMissing holds the words of both refusals to each other.
func TestHiddenIsMissing(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	hidden := w.room(w.ann, true)
	secret := w.says(w.ann, hidden, "secret")
	w.must(w.DeleteRoom(w.ctx(), w.ann, w.room(w.ann, true)))
	_, roomHidden := w.Room(w.ctx(), w.cyd, hidden)
	w.must(w.DeleteRoom(w.ctx(), w.ann, hidden))
	_, roomGone := w.Room(w.ctx(), w.cyd, hidden)
	if roomHidden == nil || roomHidden.Error() != roomGone.Error() {
		t.Errorf("a hidden room says %v, a deleted one %v", roomHidden, roomGone)
	}
	other := w.room(w.ann, true)
	m := w.says(w.ann, other, "secret")
	_, messageHidden := w.Message(w.ctx(), w.cyd, m.ID)
	_, messageGone := w.Message(w.ctx(), w.cyd, secret.ID)
	if messageHidden == nil || messageGone == nil || len(messageHidden.Error()) != len(messageGone.Error()) {
		t.Errorf("a hidden message says %v, a deleted one %v", messageHidden, messageGone)
	}
}

func TestGuestsComeInByAnAdministrator(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.ann, false, w.ada)
	if _, err := w.AddMembers(w.ctx(), w.ann, room, []store.UserID{w.gus.ID}); kindOf(err) != store.ErrForbidden {
		t.Errorf("a member adds a guest: %v, want forbidden", err)
	}
	if _, err := w.CreateRoom(w.ctx(), w.ann, chat.NewRoom{Name: "Den", Invited: []store.UserID{w.gus.ID}}); kindOf(err) != store.ErrForbidden {
		t.Errorf("a member invites a guest: %v, want forbidden", err)
	}
	added, err := w.AddMembers(w.ctx(), w.ada, room, []store.UserID{w.gus.ID, w.gus.ID, w.cyd.ID})
	if err != nil || len(added) != 2 {
		t.Fatalf("an administrator adds a guest and somebody: %v, %v", added, err)
	}
	views, err := w.Rooms(w.ctx(), w.gus, "", 10)
	w.room(w.ann, false)
	if err != nil || len(views) != 1 || views[0].ID != room {
		t.Errorf("the guest sees %+v, %v; want the one room given", views, err)
	}
	for name, err := range map[string]error{
		"make a room": func() error { _, err := w.CreateRoom(w.ctx(), w.gus, chat.NewRoom{Name: "Den"}); return err }(),
		"open a direct room": func() error {
			_, _, err := w.Direct(w.ctx(), w.gus, []store.UserID{w.ann.ID})
			return err
		}(),
		"list people": func() error { _, err := w.People(w.ctx(), w.gus, "", 0, 10); return err }(),
	} {
		if kindOf(err) != store.ErrForbidden {
			t.Errorf("a guest may %s: %v", name, err)
		}
	}
}

func TestModeratorsDoNotRemoveOwners(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.ann, true, w.bob, w.cyd)
	w.must(w.rooms.SetRoomRole(w.ctx(), room, w.bob.ID, store.RoomModerator))
	if err := w.RemoveMember(w.ctx(), w.bob, room, w.ann.ID); kindOf(err) != store.ErrForbidden {
		t.Errorf("a moderator removes an owner: %v, want forbidden", err)
	}
	w.must(w.RemoveMember(w.ctx(), w.bob, room, w.cyd.ID))
	w.must(w.RemoveMember(w.ctx(), w.bob, room, w.cyd.ID)) // nobody there: fine
	if err := w.RemoveMember(w.ctx(), w.cyd, room, w.cyd.ID); kindOf(err) != store.ErrNotFound {
		t.Errorf("who was removed may ask about the room: %v", err)
	}
	w.must(w.RemoveMember(w.ctx(), w.bob, room, w.bob.ID))
}
