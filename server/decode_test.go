package server

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseBody(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	for _, tt := range []struct {
		name, raw string
		details   string // empty: fine
	}{
		{"an object", `{"a":"b"}`, ""},
		{"an empty one", ` {} `, ""},
		{"64 levels", nested(64), ""},
		{"65 levels", nested(65), "body: must not be nested deeper than 64 levels"},
		{"brackets in a text", `{"a":"` + strings.Repeat("[", 100) + `"}`, ""},
		{"an escaped quote", `{"a":"\"[[[","b":"\\"}`, ""},
		{"null", `null`, "body: must be one well-formed JSON object"},
		{"an array", `[]`, "body: must be one well-formed JSON object"},
		{"two objects", `{}{}`, "body: must be one well-formed JSON object"},
		{"cut off", `{"a":"b`, "body: must be one well-formed JSON object"},
		{"a bad escape", `{"a":"\ud83x"}`, "body: must be one well-formed JSON object"},
		{"a pair of surrogates", `{"a":"\ud83d\ude00"}`, ""},
		{"an escaped backslash and letters", `{"a":"\\ud83d"}`, ""},
		{"half a pair", `{"a":"\ud83d"}`, "body: must not contain a lone surrogate"},
		{"the other half", `{"a":"\ude00"}`, "body: must not contain a lone surrogate"},
		{"half a pair before a letter", `{"a":"\ud83d\u0041"}`, "body: must not contain a lone surrogate"},
		{"half a pair in a key", `{"\ud83d":1}`, "body: must not contain a lone surrogate"},
		{"half a pair deep in what is ignored", `{"a":[{"b":"\uDBFF"}]}`, "body: must not contain a lone surrogate"},
		{"no UTF-8", "{\"a\":\"\xff\"}", "body: must be valid UTF-8"},
	} {
		b := parseBody([]byte(tt.raw))
		if _, f := judge(b.err); b.err != nil && f.Details != tt.details || b.err == nil && tt.details != "" {
			t.Errorf("%s: %v, want %q", tt.name, b.err, tt.details)
		}
	}
}

func TestFieldsOfABody(t *testing.T) {
	const raw = `{"text":"x","on":true,"number":7,"none":null,"list":[1,"2"],"object":{"inner":3},
		"isPrivate":true,"roomId":"there","room_id":"here","parentId":"01930000-0000-7000-8000-000000000000","Text":"y"}`
	for _, tt := range []struct {
		name    string
		ask     func(b *body) any
		want    any
		details string
	}{
		{"a text", func(b *body) any { return b.string("text") }, "x", ""},
		{"names are exact", func(b *body) any { return b.string("TEXT") }, "", ""},
		{"an absent text", func(b *body) any { return b.text("absent") == nil }, true, ""},
		{"a null text", func(b *body) any { return b.text("none") == nil }, true, ""},
		{"a number for a text", func(b *body) any { return b.string("number") }, "", "number: must be a string"},
		{"a flag", func(b *body) any { return b.bool("on") }, true, ""},
		{"an absent flag", func(b *body) any { return b.bool("absent") }, false, ""},
		{"a flag that must be there", func(b *body) any { return b.required("none") }, false, "none: must be true or false"},
		{"a text for a flag", func(b *body) any { return b.bool("text") }, false, "text: must be true or false"},
		{"a list", func(b *body) any { return len(b.list("list")) }, 2, ""},
		{"a text for a list", func(b *body) any { return len(b.list("text")) }, 0, "text: must be an array"},
		{"a text for an object", func(b *body) any { return b.object("text") != nil }, true, "text: must be an object"},
		{"a field within", func(b *body) any { in := b.object("object"); _ = in.string("inner"); b.merge(in); return 0 }, 0, "object.inner: must be a string"},
		{"an alias", func(b *body) any { return b.bool("is_private") }, true, ""},
		{"our own name before an alias", func(b *body) any { return string(b.room("room_id")) }, "here", ""},
		{"the id of a message", func(b *body) any { return b.message("parent_id").String() }, "01930000-0000-7000-8000-000000000000", ""},
		{"a text for the id of a message", func(b *body) any { return b.message("text").IsZero() }, true, "text: must be the id of a message, a UUID"},
	} {
		b := parseBody([]byte(raw))
		got := tt.ask(b)
		_, f := judge(b.err)
		if got != tt.want && tt.details == "" || b.err != nil && f.Details != tt.details || b.err == nil && tt.details != "" {
			t.Errorf("%s: %v, %v; want %v, %q", tt.name, got, b.err, tt.want, tt.details)
		}
	}
}

func TestSnakeCodes(t *testing.T) {
	for code, want := range map[string]string{
		"room_not_found": "room_not_found", "invalid_firstName": "invalid_first_name", "invalid_profile.bio": "invalid_profile_bio", "invalid_q": "invalid_q",
	} {
		if got := snake(code); got != want {
			t.Errorf("snake(%q) = %q, want %q", code, got, want)
		}
	}
}

// FuzzParseBody: what is let through is UTF-8 through and through, also after decoding.
func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":{"b":[1,null,true]}}`, `{"a":"\\"}`, "{\"a\":\"\xff\"}", `[`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := parseBody(raw)
		if b.err != nil {
			return
		}
		for name := range b.fields {
			text := b.text(name)
			b.err = nil
			if !utf8.ValidString(name) || text != nil && (!utf8.ValidString(*text) || strings.ContainsRune(*text, utf8.RuneError) && !strings.Contains(string(raw), "�") && !strings.Contains(strings.ToLower(string(raw)), `\ufffd`)) {
				t.Errorf("%q lets %q = %q through", raw, name, *text)
			}
		}
	})
}
