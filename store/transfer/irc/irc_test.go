package irc_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/transfer"
	"github.com/hearthchat/hearth/store/transfer/irc"
)

// whole is the log that the sample was cut from, beside the tree on machines that have it.
var whole = filepath.Join("..", "..", "..", "..", "shared", "data", "ubuntu-irc.jsonl.gz")

func TestFigures(t *testing.T) {
	tests := map[string]transfer.Report{
		filepath.Join("testdata", "sample.jsonl"): {
			Lines: 425, Messages: 372, Actions: 4, Empty: 6, Joins: 29, Leaves: 7, Renames: 7, People: 89, Rooms: 1,
			Annotated: 180, Replies: 156, Missing: 11, NoMessage: 8, OnNoMessage: 5,
		},
		whole: {
			Lines: 219_455, Messages: 196_123, Actions: 450, Empty: 25, Joins: 15_855, Leaves: 2_586, Renames: 4_416,
			People: 23_911, Rooms: 1, Annotated: 50_688, Replies: 50_628, Missing: 32, NoMessage: 17, OnNoMessage: 11,
		},
	}
	for path, want := range tests {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := os.Open(path)
			if path == whole && errors.Is(err, os.ErrNotExist) {
				return // the sample holds every kind of line; the log is for whoever has it
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			got, err := transfer.Plan(t.Context(), irc.Read(f), transfer.Options{})
			if err != nil || got != want {
				t.Errorf("Plan = %+v, %v\nwant   %+v", got, err, want)
			}
		})
	}
}

// line returns a good line with one field replaced; an empty value leaves it out.
func line(field, value string) string {
	fields := [][2]string{
		{"id", `"d.1"`}, {"ts", `"2004-12-25T09:14:00Z"`}, {"room", `"ubuntu"`}, {"kind", `"message"`}, {"nick", `"ann"`}, {"text", `"hi"`},
	}
	var parts []string
	for _, f := range fields {
		if f[0] == field {
			f[1] = value
		}
		if f[1] != "" {
			parts = append(parts, `"`+f[0]+`":`+f[1])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestBadLines(t *testing.T) {
	good := line("", "")
	tests := []struct{ name, line, says string }{
		{"no JSON", "hello", "not a JSON object"},
		{"a list", "[1]", "not a JSON object"},
		{"two objects", good + good, "not a JSON object"},
		{"cut short", good[:40], "not a JSON object"},
		{"deeply nested", strings.Repeat("[", 100_000), "not a JSON object"},
		{"a number for text", line("text", "7"), "text must be text in quotes, not number"},
		{"an object for a nick", line("nick", "{}"), "nick must be text in quotes, not object"},
		{"no id", line("id", ""), "id and reply_to must have"},
		{"a long id", line("id", `"`+strings.Repeat("x", 201)+`"`), "id and reply_to must have"},
		{"no time", line("ts", ""), "ts must be a time"},
		{"a time of another form", line("ts", `"25.12.2004"`), `not "25.12.2004"`},
		{"no kind", line("kind", ""), "kind must be message"},
		{"a kind of its own", line("kind", `"topic"`), `not "topic"`},
		{"no room", line("room", ""), "room must have"},
		{"a control character in the room", line("room", `"a\nb"`), "room must have"},
		{"no nick", line("nick", ""), "nick must have"},
		{"a blank nick", line("nick", `" "`), "nick must have"},
		{"a nick over 100 characters", line("nick", `"`+strings.Repeat("ä", 101)+`"`), "nick must have"},
		{"a rename to nothing", strings.Replace(line("kind", `"rename"`), `"hi"`, `""`, 1), "new nick"},
		{"a line over 1 MiB", line("text", `"`+strings.Repeat("x", 1<<20)+`"`), "longer than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var read int
			for l, err := range irc.Read(strings.NewReader(good + "\n\n" + tt.line + "\n" + good + "\n")) {
				var bad *transfer.BadLine
				switch {
				case err == nil:
					read++
				case !errors.As(err, &bad) || bad.Number != 3 || !strings.Contains(bad.Reason, tt.says):
					t.Errorf("error = %v, want line 3 and %q", err, tt.says)
				case !errors.Is(err, store.ErrInvalid):
					t.Errorf("%v does not wrap ErrInvalid", err)
				case l != (transfer.Line{}):
					t.Errorf("a line came with the error: %+v", l)
				}
			}
			if read != 1 {
				t.Errorf("%d lines were read, want the one before the bad one", read)
			}
		})
	}
}

func TestWhatIsRead(t *testing.T) {
	read := func(t *testing.T, r io.Reader) (lines []transfer.Line) {
		t.Helper()
		for l, err := range irc.Read(r) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, l)
		}
		return lines
	}
	t.Run("nothing", func(t *testing.T) {
		if got := read(t, strings.NewReader("\n \r\n")); len(got) != 0 {
			t.Errorf("read %+v", got)
		}
	})
	t.Run("a byte order mark, CRLF, no newline at the end, fields of others", func(t *testing.T) {
		got := read(t, strings.NewReader("\ufeff"+line("text", `"one","more":[1]`)+"\r\n"+line("id", `"d.2"`)))
		if len(got) != 2 || got[0].Text != "one" || got[1].ID != "d.2" || got[1].Number != 2 {
			t.Errorf("read %+v", got)
		}
	})
	t.Run("NUL and broken Unicode become U+FFFD", func(t *testing.T) {
		got := read(t, strings.NewReader(line("text", `"a\u0000b\ud800c`+"\xff"+`"`)))
		if len(got) != 1 || got[0].Text != "a\ufffdb\ufffdc\ufffd" {
			t.Errorf("read %+v", got)
		}
	})
	t.Run("nicks that differ only in case are one person", func(t *testing.T) {
		got := read(t, strings.NewReader(line("nick", `"NeoXed"`)+"\n"+line("nick", `"neoxed"`)))
		if len(got) != 2 || got[0].Person.Alias != "irc:neoxed" || got[1].Person.Alias != "irc:neoxed" || got[0].Person.Name != "NeoXed" {
			t.Errorf("read %+v", got)
		}
	})
	t.Run("a long line under the limit", func(t *testing.T) {
		long := strings.Repeat("x", 200_000)
		got := read(t, strings.NewReader(line("text", `"`+long+`"`)+"\n"+line("", "")))
		if len(got) != 2 || got[0].Text != long {
			t.Errorf("read %d lines", len(got))
		}
	})
}

func TestCompressed(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range 1000 {
		_, _ = io.WriteString(w, line("", "")+"\n")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	last := func(b []byte) (n int, err error) {
		for _, err = range irc.Read(bytes.NewReader(b)) {
			n++
		}
		return n, err
	}
	if n, err := last(packed.Bytes()); n != 1000 || err != nil {
		t.Errorf("read %d lines, %v", n, err)
	}
	if _, err := last(packed.Bytes()[:packed.Len()-12]); err == nil || !strings.Contains(err.Error(), "not copied whole") {
		t.Errorf("a file cut short: %v", err)
	}
	damaged := bytes.Clone(packed.Bytes())
	damaged[len(damaged)-6] ^= 1
	if _, err := last(damaged); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(line("", "") + "\n" + line("text", "7")))
	f.Fuzz(func(t *testing.T, data []byte) {
		number, ended := 0, false
		for l, err := range irc.Read(bytes.NewReader(data)) {
			if ended {
				t.Fatal("something follows an error")
			}
			if ended = err != nil; ended {
				continue
			}
			if l.Number <= number {
				t.Fatalf("line %d follows %d", l.Number, number)
			}
			number = l.Number
			if l.ID == "" || l.Kind == 0 || l.Person.Name == "" || l.Room.Name == "" || utf8.RuneCountInString(l.Person.Name) > 100 {
				t.Fatalf("line %+v", l)
			}
			for _, text := range []string{l.ID, l.Text, l.ReplyTo, l.Person.Name, l.Person.Alias, l.Room.Name} {
				if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
					t.Fatalf("line %d holds %q", l.Number, text)
				}
			}
		}
		// Some errors are Plan's own, such as an id that stands there twice.
		if _, err := transfer.Plan(t.Context(), irc.Read(bytes.NewReader(data)), transfer.Options{}); err == nil && ended {
			t.Fatal("Plan passes over an error")
		}
	})
}
