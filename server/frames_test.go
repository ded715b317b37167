package server_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryFrame has two people use everything a socket offers. Each frame is held to the
// document as it arrives; a kind of frame that nobody saw fails.
func TestEveryFrame(t *testing.T) {
	t.Parallel()
	h := start(t, options{})
	ann, bob := h.Arrives(t, "ann"), h.Arrives(t, "bob")
	bob.Watches("/api/chat/ws")

	room := ann.Makes("General", bob)
	bob.Hears("room_created", func(f answer) bool { return f.String("room_id") == room })
	ann.Watches("/api/chat/ws")
	bob.Hears("presence_change", func(f answer) bool { return f.String("username") == "ann" })

	ann.Says(object{"type": "message", "room_id": room, "content": "hello @bob", "client_id": "c-1"})
	message := ann.Hears("ack", func(f answer) bool { return f.String("client_id") == "c-1" }).String("message.id")
	cursor := bob.Sees("hello @bob").String("cursor")

	bob.Says(object{"type": "typing", "room_id": room, "is_typing": true})
	ann.Hears("typing_update", func(f answer) bool { return f.Int("typing_users.0") == bob.Number })
	bob.Says(object{"type": "reaction", "room_id": room, "message_id": message, "reaction": "👍"})
	ann.Hears("reaction_added", nil)
	bob.Says(object{"type": "reaction", "room_id": room, "message_id": message, "reaction": "👍", "remove": true})
	ann.Hears("reaction_removed", nil)
	bob.Says(object{"type": "read", "room_id": room, "message_id": message})
	ann.Hears("read_receipt", func(f answer) bool { return f.Int("user_id") == bob.Number && f.String("message_id") == message })
	bob.Hears("unread_update", func(f answer) bool { return f.Int("unread") == 0 && f.String("last_read_id") == message })
	bob.Do("POST", "/api/messages/"+message+"/unread", nil).Must(200)
	bob.Hears("unread_update", func(f answer) bool {
		return f.Int("unread") == 1 && f.Int("mentions") == 1 && f.String("first_unread_id") == message
	})
	ann.Says(object{"type": "edit", "room_id": room, "message_id": message, "content": "hello all"})
	bob.Hears("message_updated", func(f answer) bool { return f.String("message.content") == "hello all" })
	ann.Says(object{"type": "delete", "room_id": room, "message_id": message})
	bob.Hears("message_deleted", func(f answer) bool { return f.String("message.id") == message })
	ann.Says(object{"type": "presence", "status": "dnd"})
	bob.Hears("presence_change", func(f answer) bool { return f.String("status") == "dnd" })
	ann.Says(object{"type": "ping"})
	ann.Hears("pong", nil)

	carla := h.Arrives(t, "carla")
	carla.Joins(room)
	bob.Hears("user_joined", func(f answer) bool { return f.Int("user_id") == carla.Number })
	carla.Do("PUT", "/api/users/profile", object{"firstName": "Carla"}).Must(200)
	bob.Hears("user_updated", func(f answer) bool { return f.Int("user_id") == carla.Number })
	carla.Do("POST", "/api/chat/rooms/"+room+"/leave", nil).Must(200)
	bob.Hears("user_left", func(f answer) bool { return f.Int("user_id") == carla.Number })
	ann.Do("PATCH", "/api/chat/rooms/"+room, object{"name": "Lobby"}).Must(200)
	bob.Hears("room_updated", func(f answer) bool { return f.String("room.name") == "Lobby" })

	again := h.Returns(t, bob)
	again.Watches("/api/chat/ws?since=" + url.QueryEscape(cursor))
	again.Hears("live", nil)
	late := h.Returns(t, bob)
	late.Watches("/api/chat/ws?since=" + url.QueryEscape(anotherEpoch(cursor)))
	late.Hears("resync", nil)

	ann.Do("DELETE", "/api/chat/rooms/"+room, nil).Must(200)
	bob.Hears("room_deleted", func(f answer) bool { return f.String("room_id") == room })

	ann.Says("not JSON")
	ann.Hears("error", nil)
	theDocument().mu.Lock()
	defer theDocument().mu.Unlock()
	for kind := range theDocument().frames {
		if !theDocument().heard[kind] {
			t.Errorf("no frame of type %q was seen", kind)
		}
	}
}

// anotherEpoch is a cursor like one that was given, of a log that is no more.
func anotherEpoch(cursor string) string {
	return regexp.MustCompile(`^[0-9a-z]+`).ReplaceAllString(cursor, "1")
}

// Frames that must be refused with an error frame, after which the socket still works.
// {room} and {message} are Ann's, {hidden} and {secret} are not.
var badFrames = []struct{ name, frame string }{
	{"not JSON", `hello`},
	{"nothing", ``},
	{"cut off", `{"type":"ping"`},
	{"two values", `{"type":"ping"}{"type":"ping"}`},
	{"an array", `[{"type":"ping"}]`},
	{"a string", `"ping"`},
	{"null", `null`},
	{"no type", `{"content":"x"}`},
	{"an unknown type", `{"type":"shout","content":"x"}`},
	{"a type that is no string", `{"type":7}`},
	{"a type of the server", `{"type":"hello"}`},
	{"deep", `{"type":"ping","junk":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`},
	{"no room", `{"type":"message","content":"x"}`},
	{"a room that is none", `{"type":"message","room_id":"nowhere","content":"x"}`},
	{"a hidden room", `{"type":"message","room_id":"{secret}","content":"x"}`},
	{"a room that is no string", `{"type":"message","room_id":7,"content":"x"}`},
	{"no content", `{"type":"message","room_id":"{room}"}`},
	{"empty content", `{"type":"message","room_id":"{room}","content":"  "}`},
	{"content that is no string", `{"type":"message","room_id":"{room}","content":["x"]}`},
	{"long content", `{"type":"message","room_id":"{room}","content":"` + strings.Repeat("x", 16385) + `"}`},
	{"a system message", `{"type":"message","room_id":"{room}","content":"x","message_type":"system"}`},
	{"NUL", `{"type":"message","room_id":"{room}","content":"a\u0000b"}`},
	{"a lone surrogate", `{"type":"message","room_id":"{room}","content":"a\ud800b"}`},
	{"raw invalid UTF-8", "{\"type\":\"message\",\"room_id\":\"{room}\",\"content\":\"a\xffb\"}"},
	{"a parent that is no id", `{"type":"message","room_id":"{room}","content":"x","parent_id":"first"}`},
	{"a hidden parent", `{"type":"message","room_id":"{room}","content":"x","parent_id":"{hidden}"}`},
	{"a long client_id", `{"type":"message","room_id":"{room}","content":"x","client_id":"` + strings.Repeat("c", 65) + `"}`},
	{"a client_id that is no string", `{"type":"message","room_id":"{room}","content":"x","client_id":7}`},
	{"typing in a hidden room", `{"type":"typing","room_id":"{secret}","is_typing":true}`},
	{"typing that is no boolean", `{"type":"typing","room_id":"{room}","is_typing":"yes"}`},
	{"reading nothing", `{"type":"read","room_id":"{room}"}`},
	{"reading what is no id", `{"type":"read","room_id":"{room}","message_id":"last"}`},
	{"reading what is hidden", `{"type":"read","room_id":"{secret}","message_id":"{hidden}"}`},
	{"reacting to what is hidden", `{"type":"reaction","room_id":"{secret}","message_id":"{hidden}","reaction":"x"}`},
	{"reacting with nothing", `{"type":"reaction","room_id":"{room}","message_id":"{message}","reaction":""}`},
	{"reacting at length", `{"type":"reaction","room_id":"{room}","message_id":"{message}","reaction":"` + strings.Repeat("x", 65) + `"}`},
	{"editing to nothing", `{"type":"edit","room_id":"{room}","message_id":"{message}","content":""}`},
	{"editing what is hidden", `{"type":"edit","room_id":"{secret}","message_id":"{hidden}","content":"x"}`},
	{"deleting what is hidden", `{"type":"delete","room_id":"{secret}","message_id":"{hidden}"}`},
	{"deleting what is no id", `{"type":"delete","room_id":"{room}","message_id":"x"}`},
	{"an unknown presence", `{"type":"presence","status":"asleep"}`},
	{"a presence of the server", `{"type":"presence","status":"offline"}`},
}

func TestBadFramesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newBadInputWorld(t)
	w.ann.Watches("/api/chat/ws")
	before := w.snapshot()
	for _, b := range badFrames {
		w.ann.Says(w.fill(b.frame))
		w.ann.Hears("error", nil)
		if i := slices.IndexFunc(w.ann.waiting, func(f frame) bool { return f.Type == "pong" || f.Type == "ack" }); i >= 0 {
			t.Fatalf("%s: %.200s was answered with %s", b.name, b.frame, w.ann.waiting[i])
		}
	}
	if after := w.snapshot(); after != before {
		t.Errorf("something changed\nbefore %s\nafter  %s", before, after)
	}
	w.ann.Says(object{"type": "ping"})
	w.ann.Hears("pong", nil)
}
