package server_test

import (
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/live"
)

// Closes waits until the server closes the socket and holds it to a code. After a sign-out
// or a removal that may take a second.
func (a *actor) Closes(code int) {
	a.t.Helper()
	select {
	case got := <-a.closed:
		if got != code {
			a.t.Errorf("%s: the socket closed with %d, want %d", a.Name, got, code)
		}
	case <-time.After(10 * time.Second):
		a.t.Fatalf("%s: the socket stays open, want it closed with %d", a.Name, code)
	}
}

func TestSocketsEndWithTheRightToThem(t *testing.T) {
	t.Parallel()
	h := start(t, options{})
	for _, tt := range []struct {
		name    string
		private bool
		who     func(s *stage) *actor
		lose    func(s *stage, at place, who *actor)
		code    int
	}{
		{"removed from a private room", true, mia, func(s *stage, at place, who *actor) {
			s.olga.Do("DELETE", "/api/chat/rooms/"+at.room+"/members/"+who.ID, nil).Must(200)
		}, live.CloseNotYours},
		{"left a private room", true, mia, func(_ *stage, at place, who *actor) {
			who.Do("POST", "/api/chat/rooms/"+at.room+"/leave", nil).Must(200)
		}, live.CloseNotYours},
		{"watched a room that became private", false, otto, func(s *stage, at place, _ *actor) {
			s.olga.Do("PATCH", "/api/chat/rooms/"+at.room, object{"is_private": true}).Must(200)
		}, live.CloseNotYours},
		{"watched a room that was deleted", false, otto, func(s *stage, at place, _ *actor) {
			s.olga.Do("DELETE", "/api/chat/rooms/"+at.room, nil).Must(200)
		}, live.CloseGone},
		{"signed out", false, newcomer, func(_ *stage, _ place, who *actor) {
			who.Do("POST", "/api/auth/logout", nil).Must(200)
		}, live.CloseEnded},
		{"a new password at another client", false, newcomer, func(s *stage, _ place, who *actor) {
			body := object{"currentPassword": password, "newPassword": "password456"}
			s.hearth.Returns(s.t, who).Do("PUT", "/api/auth/change-password", body).Must(200)
		}, live.CloseEnded},
		{"closed the account", false, newcomer, func(_ *stage, _ place, who *actor) {
			who.Do("DELETE", "/api/users/me", nil).Must(200)
		}, live.CloseEnded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, h)
			at := s.public()
			if tt.private {
				at = s.private()
			}
			who := tt.who(s)
			who.Watches("/api/chat/ws/" + at.room)
			tt.lose(s, at, who)
			who.Closes(tt.code)
		})
	}
}

func mia(s *stage) *actor  { return s.mia }
func otto(s *stage) *actor { return s.otto }

// newcomer may lose more than a room without a loss to the others on the stage.
func newcomer(s *stage) *actor { return s.fresh("newcomer") }

// Who was removed hears of it, and nothing that is said afterwards, on the socket of all
// rooms, which stays.
func TestTheRemovedHearNothingMore(t *testing.T) {
	t.Parallel()
	s := newStage(t, start(t, options{}))
	at := s.private()
	s.mia.Watches("/api/chat/ws")
	s.nils.Watches("/api/chat/ws")
	s.otto.Watches("/api/chat/ws")
	s.olga.Post(at.room, "before")
	s.mia.Sees("before")
	s.olga.Do("DELETE", "/api/chat/rooms/"+at.room+"/members/"+s.mia.ID, nil).Must(200)
	s.mia.Hears("user_left", func(f answer) bool { return f.Int("user_id") == s.mia.Number })
	s.olga.Post(at.room, "after")
	s.nils.Sees("after")
	// What follows in the log reaches everybody after what was before it.
	open := s.olga.Makes("Open", s.mia, s.otto)
	s.olga.Post(open, "later")
	for _, who := range []*actor{s.mia, s.otto} {
		who.Sees("later")
		for _, f := range who.waiting {
			if got := (answer{t: t, Body: f.Text}); f.Type == "message" && got.String("message.content") == "after" {
				t.Errorf("%s, who is not in the room, heard %s", who.Name, f)
			}
		}
	}
	for _, f := range s.otto.waiting {
		if room, ok := (answer{t: t, Body: f.Text}).At("room_id"); ok && room == at.room {
			t.Errorf("otto, who never was in the room, heard %s", f)
		}
	}
	s.mia.Says(object{"type": "message", "room_id": at.room, "content": "let me in"})
	if code := s.mia.Hears("error", nil).String("code"); code != "room_not_found" {
		t.Errorf("posting where one was removed is refused as %q", code)
	}
}
