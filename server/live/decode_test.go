package live

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hearthchat/hearth/store"
)

const someID = "0195600d-5f9f-7000-8000-000000000001"

func TestDecode(t *testing.T) {
	id, _ := store.ParseMessageID(someID)
	for _, tt := range []struct {
		name, frame string
		want        request
	}{
		{"message", `{"type":"message","content":"hi","client_id":"c","room_id":"r","user_id":7}`, request{Type: "message", Content: "hi", ClientID: "c", Room: "r"}},
		{"reply", `{"type":"message","content":"hi","parent_id":"` + strings.ToUpper(someID) + `"}`, request{Type: "message", Content: "hi", Parent: id}},
		{"nulls are nothing", `{"type":"message","content":"hi","parent_id":null,"client_id":null,"room_id":null,"message_type":null}`, request{Type: "message", Content: "hi"}},
		{"image", `{"type":"message","content":"hi","message_type":"image"}`, request{Type: "message", Content: "hi", Kind: store.TypeImage}},
		{"whole surrogate pair", `{"type":"message","content":"\ud83d\udc4d\\ud83d"}`, request{Type: "message", Content: "👍\\ud83d"}},
		{"typing", `{"type":"typing","is_typing":true}`, request{Type: "typing", On: true}},
		{"not typing", `{"type":"typing","is_typing":false}`, request{Type: "typing"}},
		{"read", `{"type":"read","message_id":"` + someID + `"}`, request{Type: "read", Message: id}},
		{"delete", `{"type":"delete","message_id":"` + someID + `"}`, request{Type: "delete", Message: id}},
		{"edit", `{"type":"edit","message_id":"` + someID + `","content":"x"}`, request{Type: "edit", Message: id, Content: "x"}},
		{"reaction", `{"type":"reaction","message_id":"` + someID + `","reaction":"👍"}`, request{Type: "reaction", Message: id, Reaction: "👍", On: true}},
		{"reaction taken back", `{"type":"reaction","message_id":"` + someID + `","reaction":"👍","remove":true}`, request{Type: "reaction", Message: id, Reaction: "👍"}},
		{"presence", `{"type":"presence","status":"dnd"}`, request{Type: "presence", Status: Busy}},
		{"ping", ` {"type":"ping"} `, request{Type: "ping"}},
	} {
		if got, err := decode([]byte(tt.frame)); err != nil || got != tt.want {
			t.Errorf("%s: decode(%s) = %+v, %v; want %+v", tt.name, tt.frame, got, err, tt.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, frame, code, clientID string }{
		{"nothing", ``, "invalid_frame", ""},
		{"not JSON", `hello`, "invalid_frame", ""},
		{"half of it", `{"type":"ping"`, "invalid_frame", ""},
		{"two of it", `{"type":"ping"}{}`, "invalid_frame", ""},
		{"an array", `[]`, "invalid_frame", ""},
		{"null", `null`, "invalid_frame", ""},
		{"a number", `7`, "invalid_frame", ""},
		{"deep nesting", strings.Repeat(`{"a":`, 20_000), "invalid_frame", ""},
		{"invalid UTF-8", "{\"type\":\"message\",\"content\":\"\xff\"}", "invalid_frame", ""},
		{"no type", `{"client_id":"c"}`, "invalid_type", "c"},
		{"type null", `{"type":null}`, "invalid_type", ""},
		{"type of another type", `{"type":7,"client_id":"c"}`, "invalid_type", "c"},
		{"names are exact", `{"Type":"ping"}`, "invalid_type", ""},
		{"unknown type", `{"type":"subscribe","client_id":"c"}`, "unknown_type", "c"},
		{"lone high surrogate", `{"type":"message","content":"\ud83d","client_id":"c"}`, "invalid_frame", "c"},
		{"lone low surrogate", `{"type":"message","content":"\udc4d"}`, "invalid_frame", ""},
		{"surrogates the wrong way", `{"type":"message","content":"\udc4d\ud83d"}`, "invalid_frame", ""},
		{"high surrogate twice", `{"type":"message","content":"\ud83d\ud83d"}`, "invalid_frame", ""},
		{"lone surrogate in a field nobody asked for", `{"type":"ping","x":"\ud83d."}`, "invalid_frame", ""},
		{"NUL in content", `{"type":"message","content":"a\u0000b","client_id":"c"}`, "invalid_content", "c"},
		{"no content", `{"type":"message","client_id":"c"}`, "invalid_content", "c"},
		{"content of another type", `{"type":"message","content":["a"]}`, "invalid_content", ""},
		{"client_id of another type", `{"type":"message","content":"a","client_id":7}`, "invalid_client_id", ""},
		{"empty client_id", `{"type":"message","content":"a","client_id":""}`, "invalid_client_id", ""},
		{"client_id beyond ASCII", `{"type":"message","content":"a","client_id":"é"}`, "invalid_client_id", ""},
		{"client_id too long", `{"type":"message","content":"a","client_id":"` + strings.Repeat("c", 65) + `"}`, "invalid_client_id", ""},
		{"room_id of another type", `{"type":"message","content":"a","room_id":7}`, "invalid_room_id", ""},
		{"room_id with a slash", `{"type":"message","content":"a","room_id":"a/b"}`, "invalid_room_id", ""},
		{"room_id too long", `{"type":"message","content":"a","room_id":"` + strings.Repeat("r", 51) + `"}`, "invalid_room_id", ""},
		{"parent that is no id", `{"type":"message","content":"a","parent_id":"7"}`, "invalid_parent_id", ""},
		{"parent of another type", `{"type":"message","content":"a","parent_id":7}`, "invalid_parent_id", ""},
		{"message_type of another type", `{"type":"message","content":"a","message_type":1}`, "invalid_message_type", ""},
		{"typing without flag", `{"type":"typing"}`, "invalid_is_typing", ""},
		{"typing with text", `{"type":"typing","is_typing":"true"}`, "invalid_is_typing", ""},
		{"read without message", `{"type":"read"}`, "invalid_message_id", ""},
		{"read of no id", `{"type":"read","message_id":"x"}`, "invalid_message_id", ""},
		{"read of an empty id", `{"type":"read","message_id":""}`, "invalid_message_id", ""},
		{"read of the zero id", `{"type":"read","message_id":"00000000-0000-0000-0000-000000000000"}`, "invalid_message_id", ""},
		{"edit without content", `{"type":"edit","message_id":"` + someID + `"}`, "invalid_content", ""},
		{"reaction without reaction", `{"type":"reaction","message_id":"` + someID + `"}`, "invalid_reaction", ""},
		{"remove of another type", `{"type":"reaction","message_id":"` + someID + `","reaction":"x","remove":1}`, "invalid_remove", ""},
		{"presence offline", `{"type":"presence","status":"offline"}`, "invalid_status", ""},
		{"presence without status", `{"type":"presence"}`, "invalid_status", ""},
	} {
		in, err := decode([]byte(tt.frame))
		var fault *store.Fault
		if !errors.As(err, &fault) || fault.Code != tt.code || in.ClientID != tt.clientID {
			t.Errorf("%s: decode = client_id %q, %v; want %q, %s", tt.name, in.ClientID, err, tt.clientID, tt.code)
		}
	}
}

// FuzzDecode holds what is accepted to the rules, whatever comes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"message","content":"hi","client_id":"c-1","parent_id":"` + someID + `"}`))
	f.Add([]byte(`{"type":"reaction","message_id":"` + someID + `","reaction":"\ud83d\udc4d","remove":true}`))
	f.Add([]byte(`{"type":"message","content":"\ud83d"}`))
	f.Add([]byte(`{"type":"typing","is_typing":1}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		in, err := decode(p)
		if store.CheckClientID(in.ClientID) != nil {
			t.Errorf("client_id %q", in.ClientID)
		}
		if err != nil {
			var fault *store.Fault
			if !errors.As(err, &fault) || !errors.Is(err, store.ErrInvalid) {
				t.Errorf("error %v", err)
			}
			return
		}
		if !json.Valid(p) {
			t.Errorf("accepted what is not JSON")
		}
		if in.Room != "" && !in.Room.Valid() {
			t.Errorf("room %q", in.Room)
		}
		for _, s := range []string{in.Content, in.Reaction, string(in.Kind)} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("text %q", s)
			}
		}
		if strings.ContainsRune(in.Content, utf8.RuneError) && !strings.ContainsRune(string(p), utf8.RuneError) && !strings.Contains(strings.ToLower(string(p)), `\ufffd`) {
			t.Errorf("content %q lost something of %q", in.Content, p)
		}
	})
}

// FuzzCursor holds cursors to one form: what is accepted is what String writes.
func FuzzCursor(f *testing.F) {
	f.Add("1-1a")
	f.Add("0-0")
	f.Add("zz-")
	f.Add("1-01")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := store.ParsePosition(s)
		if err == nil && p.String() != s {
			t.Errorf("%q is read as %s", s, p)
		}
		if err != nil && (p != store.Position{} || !errors.Is(err, store.ErrInvalid)) {
			t.Errorf("%q: %v, %v", s, p, err)
		}
	})
}
