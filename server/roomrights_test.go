package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/store"
)

// What the tables say of rooms beyond one word in the who column.

// sees reports whether a room is in the list of a person's rooms.
func (a *actor) sees(room string) bool {
	a.t.Helper()
	var rooms []struct{ ID string }
	if err := json.Unmarshal(a.Do("GET", "/api/chat/rooms", nil).Must(200).Body, &rooms); err != nil {
		a.t.Fatal(err)
	}
	return slices.ContainsFunc(rooms, func(r struct{ ID string }) bool { return r.ID == room })
}

func TestDirectRoomsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	open := func(by *actor, people ...*actor) answer {
		t.Helper()
		return by.Do("POST", "/api/chat/dms", object{"user_ids": numbers(people)})
	}
	dm := open(s.mia, s.nils).Must(201).String("id")
	path := "/api/chat/rooms/" + dm
	if again := open(s.nils, s.mia).Must(200); again.String("id") != dm {
		t.Errorf("the direct room of the same two is %s, want %s", again.Body, dm)
	}
	if other := open(s.nils, s.mia, s.olga).Must(201); other.String("id") == dm {
		t.Error("three people share the direct room of two")
	}
	notes := open(s.mia).Must(201)
	if name, kind := notes.String("name"), notes.String("kind"); name != s.mia.Name || kind != "dm" {
		t.Errorf("notes to self are called %q and a %q", name, kind)
	}
	for who, name := range map[*actor]string{s.mia: s.nils.Name, s.nils: s.mia.Name} {
		if got := who.Do("GET", path, nil).Must(200).String("name"); got != name {
			t.Errorf("to %s the direct room is called %q, want %q", who.Name, got, name)
		}
	}

	message := s.mia.Post(dm, "between us")
	missing := s.otto.Do("GET", "/api/chat/rooms/"+nowhere.room, nil).Must(404)
	noMessage := s.otto.Do("GET", "/api/messages/"+nowhere.message, nil).Must(404)
	for _, outsider := range []*actor{s.otto, s.ada, s.gil} {
		sameRefusal(t, outsider.Do("GET", path, nil), missing)
		sameRefusal(t, outsider.Do("POST", path+"/members", object{"user_ids": []int{outsider.Number}}), missing)
		sameRefusal(t, outsider.Do("GET", "/api/messages/"+message, nil), noMessage)
		if outsider.sees(dm) {
			t.Errorf("%s sees a direct room of others", outsider.Name)
		}
	}
	s.mia.Do("PATCH", path, object{"name": "ours"}).Must(403)
	s.mia.Do("DELETE", path, nil).Must(403)
	s.mia.Do("POST", path+"/members", object{"user_ids": []int{s.otto.Number}}).Must(403)
	s.mia.Do("DELETE", path+"/members/"+s.nils.ID, nil).Must(403)

	s.mia.Do("POST", path+"/leave", nil).Must(200)
	if s.mia.sees(dm) {
		t.Error("a direct room shows after one left it")
	}
	s.nils.Post(dm, "still there?")
	if !s.mia.sees(dm) {
		t.Error("a direct room does not come back with its next message")
	}
	most := make([]int, store.MaxDirectMembers)
	for i := range most {
		most[i] = s.fresh("friend").Number
	}
	s.mia.Do("POST", "/api/chat/dms", object{"user_ids": most}).Must(400)
	s.mia.Do("POST", "/api/chat/dms", object{"user_ids": most[1:]}).Must(201)
}

func TestOnlyAdminsBringInGuests(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	room := s.olga.Makes("General")
	s.olga.Do("POST", "/api/chat/rooms/"+room+"/members", object{"user_ids": []int{s.gil.Number}}).Must(403)
	s.olga.Do("POST", "/api/chat/rooms", object{"name": "x", "invited_users": []int{s.gil.Number}}).Must(403)
	s.olga.Do("POST", "/api/chat/dms", object{"user_ids": []int{s.gil.Number}}).Must(403)
	s.gil.Do("GET", "/api/chat/rooms/"+room, nil).Must(404)
	s.ada.Joins(room)
	s.ada.Do("POST", "/api/chat/rooms/"+room+"/members", object{"user_ids": []int{s.gil.Number}}).Must(200)

	given := s.ada.Do("POST", "/api/chat/rooms", object{"name": "x", "is_private": true, "invited_users": []int{s.gil.Number}}).Must(201).String("id")
	other := s.olga.Makes("Other")
	for id, want := range map[string]bool{room: true, given: true, other: false} {
		if s.gil.sees(id) != want {
			t.Errorf("a guest sees %s: %v, want %v", id, !want, want)
		}
	}
	s.gil.Post(room, "hello")
	s.ada.Do("DELETE", "/api/chat/rooms/"+given+"/members/"+s.gil.ID, nil).Must(200)
	s.gil.Do("GET", "/api/chat/rooms/"+given, nil).Must(404)
}

func TestAdminsLetThemselvesIntoPrivateRooms(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	at := s.private()
	path := "/api/chat/rooms/" + at.room
	if s.ada.sees(at.room) {
		t.Error("an administrator sees a private room of others")
	}
	s.otto.Do("POST", path+"/members", object{"user_ids": []int{s.otto.Number}}).Must(404)
	s.mia.Do("POST", path+"/members", object{"user_ids": []int{s.otto.Number}}).Must(403)
	s.ada.Do("POST", path+"/join", nil).Must(404)
	s.ada.Do("POST", path+"/members", object{"user_ids": []int{s.ada.Number}}).Must(200)
	last := s.mia.Do("GET", "/api/messages/room/"+at.room+"?limit=1", nil).Must(200)
	if last.String("0.message_type") != "system" || last.Int("0.user_id") != s.ada.Number {
		t.Errorf("an administrator came in without a line that says so: %s", last.Body)
	}
	s.ada.Do("PATCH", path, object{"name": "Moderated"}).Must(200)
	s.ada.Do("GET", "/api/messages/"+at.message, nil).Must(200)
}

func TestModerators(t *testing.T) {
	t.Parallel()
	h := start(t, options{})
	s := newStage(t, h)
	at := s.private()
	if err := h.Rooms.SetRoomRole(t.Context(), store.RoomID(at.room), store.UserID(s.nils.Number), store.RoomModerator); err != nil {
		t.Fatal(err)
	}
	path := "/api/chat/rooms/" + at.room
	s.nils.Do("PATCH", path, object{"name": "Moderated"}).Must(200)
	s.nils.Do("POST", path+"/members", object{"user_ids": []int{s.otto.Number}}).Must(200)
	s.nils.Do("DELETE", "/api/messages/"+at.message, nil).Must(200)
	s.nils.Do("PATCH", "/api/messages/"+s.mia.Post(at.room, "mine"), object{"content": "yours"}).Must(403)
	s.nils.Do("DELETE", path+"/members/"+s.olga.ID, nil).Must(403)
	s.nils.Do("DELETE", path+"/members/"+s.otto.ID, nil).Must(200)
}

func TestPublicRoomsAreReadByAll(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	at := s.public()
	for _, path := range []string{"/api/messages/room/" + at.room, "/api/chat/rooms/" + at.room + "/messages", "/api/messages/" + at.message, "/api/messages/" + at.message + "/thread"} {
		s.otto.Do("GET", path, nil).Must(200)
	}
	got := s.otto.Do("POST", "/api/chat/rooms/"+at.room+"/messages", object{"content": "hi"}).Must(403)
	if got.String("error") != "Join the room first" {
		t.Errorf("posting from outside is refused with %s", got.Body)
	}
	s.otto.Joins(at.room)
	s.otto.Post(at.room, "hi")
	s.otto.Do("POST", "/api/chat/rooms/"+at.room+"/leave", nil).Must(200)
	s.otto.Do("POST", "/api/chat/rooms/"+at.room+"/messages", object{"content": "hi"}).Must(403)
	s.olga.Do("PATCH", "/api/chat/rooms/"+at.room, object{"is_private": true}).Must(200)
	s.otto.Do("GET", "/api/messages/room/"+at.room, nil).Must(404)
}

func TestOthersEMailIsForAdmins(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	at := s.public()
	address := s.mia.Name + "@example.com"
	for _, path := range []string{"/api/users?limit=200", "/api/users/" + s.mia.ID, fmt.Sprintf("/api/users/%d", s.mia.Number), "/api/chat/rooms/" + at.room + "/members"} {
		for _, who := range []*actor{s.olga, s.ada} {
			got := who.Send(request{Method: "GET", Path: path, Header: http.Header{"Accept": {"application/json"}}})
			if got.Status != 200 && who == s.ada {
				continue // not a member of the room
			}
			want := who == s.ada
			if has := strings.Contains(string(got.Must(200).Body), address); has != want {
				t.Errorf("GET %s tells %s the e-mail of others: %v", path, who.Name, has)
			}
		}
	}
	for _, path := range []string{"/api/users/me", "/api/users/" + s.mia.ID} {
		if got := s.mia.Do("GET", path, nil).Must(200).String("user.email"); got != address {
			t.Errorf("GET %s tells mia her e-mail is %q", path, got)
		}
	}
}
