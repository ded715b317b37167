package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTrimContent(t *testing.T) {
	long := strings.Repeat("ä", MaxContent)
	tests := []struct {
		name, content, want string
		ok                  bool
	}{
		{"white space at both ends goes", " \t\n\u00a0\u2003hi\r\n\u3000", "hi", true},
		{"white space inside stays", "a \n\n b", "a \n\n b", true},
		{"the most there may be", long, long, true},
		{"the most there may be, in white space", " " + long + "\n", long, true},
		{"one too many", long + "ä", "", false},
		{"nothing", "", "", false},
		{"white space alone", " \n\t\u2003", "", false},
		{"NUL", "a\x00b", "", false},
		{"not UTF-8", "a\xffb", "", false},
		{"half a surrogate pair", "\xed\xa0\x80", "", false},
		{"right to left and joined", "\u202e👩\u200d👩", "\u202e👩\u200d👩", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := TrimContent(tt.content)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrInvalid) || got != tt.want {
				t.Errorf("TrimContent = %.40q, %v, want %.40q, ok %v", got, err, tt.want, tt.ok)
			}
		})
	}
}

func TestCheckReaction(t *testing.T) {
	for name, ok := range map[string]bool{
		"👍": true, "+1": true, "thumbs_up": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, strings.Repeat("👍", 16): true, strings.Repeat("👍", 17): false,
		"": false, "a b": false, "a\n": false, "a\x00": false, "a\x7f": false, "\xff": false,
	} {
		if err := CheckReaction(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckReaction(%q) = %v, want ok %v", name, err, ok)
		}
	}
}

func TestCheckClientID(t *testing.T) {
	for id, ok := range map[string]bool{
		"": true, "c-1": true, " ~": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "ä": false, "a\n": false, "\x7f": false,
	} {
		if err := CheckClientID(id); (err == nil) != ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckClientID(%q) = %v, want ok %v", id, err, ok)
		}
	}
}

func TestCounts(t *testing.T) {
	text := Message{Author: 1, Type: TypeText}
	for name, tt := range map[string]struct {
		m    Message
		user UserID
		want bool
	}{
		"somebody else's": {text, 2, true},
		"one's own":       {text, 1, false},
		"a file":          {Message{Author: 1, Type: TypeFile}, 2, true},
		"a system line":   {Message{Author: 1, Type: TypeSystem}, 2, false},
		"a deleted one":   {Message{Author: 1, Type: TypeText, Deleted: true}, 2, false},
	} {
		if got := tt.m.Counts(tt.user); got != tt.want {
			t.Errorf("%s counts: %v, want %v", name, got, tt.want)
		}
	}
}

func TestMessageID(t *testing.T) {
	id := MessageID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7c, 0xde, 0x8f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd}
	const text = "01234567-89ab-7cde-8f01-23456789abcd"
	if id.String() != text {
		t.Errorf("String() = %s, want %s", id, text)
	}
	for _, s := range []string{text, strings.ToUpper(text)} {
		if parsed, ok := ParseMessageID(s); !ok || parsed != id {
			t.Errorf("ParseMessageID(%q) = %s, %v", s, parsed, ok)
		}
	}
	for _, s := range []string{
		"", "x", strings.ReplaceAll(text, "-", ""), "{" + text + "}", "urn:uuid:" + text, text + " ", text[:35], "g" + text[1:],
		"0123456-789ab-7cde-8f01-23456789abcd", "01234567_89ab-7cde-8f01-23456789abcd",
	} {
		if parsed, ok := ParseMessageID(s); ok {
			t.Errorf("ParseMessageID(%q) = %s, want none", s, parsed)
		}
	}
	if id.IsZero() || !(MessageID{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	var read struct{ ID MessageID }
	if err := json.Unmarshal([]byte(`{"ID":"`+text+`"}`), &read); err != nil || read.ID != id {
		t.Errorf("read from JSON = %s, %v", read.ID, err)
	}
	if err := read.ID.UnmarshalText([]byte("x")); !errors.Is(err, ErrInvalid) || read.ID != id {
		t.Errorf("UnmarshalText(x) = %v and left %s", err, read.ID)
	}
}

func FuzzParseMessageID(f *testing.F) {
	for _, s := range []string{"", "01234567-89ab-7cde-8f01-23456789abcd", "01234567-89AB-7CDE-8F01-23456789ABCD", "00000000-0000-0000-0000-00000000000g"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := ParseMessageID(s)
		if ok && id.String() != strings.ToLower(s) {
			t.Errorf("ParseMessageID(%q) = %s", s, id)
		}
		var read MessageID
		if err := read.UnmarshalText([]byte(s)); (err == nil) != ok || ok && read != id || !ok && !read.IsZero() {
			t.Errorf("UnmarshalText(%q) = %v, %s, but ParseMessageID says %v", s, err, read, ok)
		}
	})
}

func FuzzTrimContent(f *testing.F) {
	for _, s := range []string{"", " hi ", "\x00", "\xff", "a\u2003"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := TrimContent(s)
		if err != nil {
			return
		}
		if again, err := TrimContent(got); err != nil || again != got || !strings.Contains(s, got) || !utf8.ValidString(got) {
			t.Errorf("TrimContent(%q) = %q, and of that %q, %v", s, got, again, err)
		}
	})
}
