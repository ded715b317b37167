package transfer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

var noon = time.Date(2004, 12, 25, 12, 0, 0, 123_456_789, time.UTC)

func testLine(n int, id string, kind Kind, text string) Line {
	return Line{
		Number: n, ID: id, Kind: kind, Text: text, At: noon,
		Room: Room{Source: "irc:ubuntu", Name: "ubuntu"}, Person: Person{Alias: "irc:ann", Name: "Ann"},
	}
}

// sortOne returns what a line by itself becomes.
func sortOne(t *testing.T, l Line) []store.Message {
	t.Helper()
	messages, err := newSorter().sort(l)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func TestWhatLinesBecome(t *testing.T) {
	tests := []struct {
		name  string
		kind  Kind
		text  string
		typed store.MessageType
		want  string
	}{
		{"a message, trimmed", Said, " hi there\n", store.TypeText, "hi there"},
		{"an action, in italics", Acted, " waves ", store.TypeText, "*waves*"},
		{"a join", Joined, "", store.TypeSystem, "joined the room"},
		{"a leave", Left, "bye", store.TypeSystem, "left the room"},
		{"a rename", Renamed, "Bob", store.TypeSystem, "is now known as Bob"},
		{"white space alone", Said, " \t\u00a0", "", ""},
		{"an empty action", Acted, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sortOne(t, testLine(1, "a", tt.kind, tt.text))
			if tt.want == "" {
				if len(got) != 0 {
					t.Errorf("became %+v, want nothing", got)
				}
				return
			}
			if len(got) != 1 || got[0].Content != tt.want || got[0].Type != tt.typed || !got[0].At.Equal(store.Truncate(noon)) {
				t.Errorf("became %+v, want %s %q", got, tt.typed, tt.want)
			}
		})
	}
}

func TestLongTextsBecomeSeveralMessages(t *testing.T) {
	for _, kind := range []Kind{Said, Acted} {
		text := strings.Repeat("ä", store.MaxContent) + " " + strings.Repeat("b", 100)
		s := newSorter()
		got, err := s.sort(testLine(1, "a", kind, text))
		if err != nil || len(got) != 2 || s.report.Parts != 1 || s.report.Messages+s.report.Actions != 1 {
			t.Fatalf("became %d messages, %+v, %v", len(got), s.report, err)
		}
		var whole strings.Builder
		for _, m := range got {
			content, err := store.TrimContent(m.Content)
			if err != nil || content != m.Content {
				t.Errorf("a part is no message: %v", err)
			}
			whole.WriteString(strings.Trim(content, "*"))
		}
		if strings.ReplaceAll(text, " ", "") != strings.ReplaceAll(whole.String(), " ", "") {
			t.Error("the parts are not the text")
		}
		if got[0].ID == got[1].ID {
			t.Error("two parts have the same id")
		}
	}
}

func TestIDsAreTheSameInEveryRun(t *testing.T) {
	l := testLine(1, "2004-12-25.train-c.0", Said, "hi")
	id := sortOne(t, l)[0].ID
	if id.String()[14] != '7' || !strings.ContainsRune("89ab", rune(id.String()[19])) {
		t.Errorf("%s is not laid out as a UUIDv7", id)
	}
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	if ms != noon.UnixMilli() {
		t.Errorf("%s holds the time %d, want %d", id, ms, noon.UnixMilli())
	}
	l.Number, l.Text, l.Person.Name = 9, "edited", "ANN"
	if again := sortOne(t, l)[0].ID; again != id {
		t.Errorf("the same line became %s and %s", id, again)
	}
	for name, change := range map[string]func(*Line){
		"another room": func(l *Line) { l.Room.Source = "irc:debian" },
		"another line": func(l *Line) { l.ID += "1" },
		"another time": func(l *Line) { l.At = l.At.Add(time.Millisecond) },
	} {
		other := l
		change(&other)
		if sortOne(t, other)[0].ID == id {
			t.Errorf("%s has the same id", name)
		}
	}
}

func TestReplies(t *testing.T) {
	s := newSorter()
	var ids []store.MessageID
	var parents []store.MessageID
	for i, l := range []struct {
		id, to string
		kind   Kind
		text   string
	}{
		{"a", "", Said, "hi"}, {"b", "", Joined, ""}, {"c", "", Said, " "},
		{"d", "a", Acted, "waves"}, {"e", "b", Said, "welcome"}, {"f", "c", Said, "what?"},
		{"g", "z", Said, "later"}, {"h", "nowhere", Said, "gone"}, {"i", "a", Left, ""}, {"z", "", Said, "the last"},
	} {
		in := testLine(i+1, l.id, l.kind, l.text)
		in.ReplyTo = l.to
		messages, err := s.sort(in)
		if err != nil {
			t.Fatal(err)
		}
		id, parent := store.MessageID{}, store.MessageID{}
		if len(messages) > 0 {
			id, parent = messages[0].ID, messages[0].Parent
		}
		ids, parents = append(ids, id), append(parents, parent)
	}
	for i, parent := range parents {
		if want := i == 3; want != !parent.IsZero() {
			t.Errorf("line %d has the parent %s", i+1, parent)
		}
	}
	if parents[3] != ids[0] {
		t.Errorf("the reply answers %s, want %s", parents[3], ids[0])
	}
	r := s.report
	if r.Annotated != 6 || r.Replies != 1 || r.NoMessage != 2 || r.Missing != 2 || r.OnNoMessage != 1 {
		t.Errorf("counted %+v", r)
	}
}

func TestLinesThatCannotBeUsed(t *testing.T) {
	early := testLine(2, "b", Said, "hi")
	early.At = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, l := range map[string]Line{"an id twice": testLine(2, "a", Said, "again"), "a time before 1970": early} {
		s := newSorter()
		if _, err := s.sort(testLine(1, "a", Said, "hi")); err != nil {
			t.Fatal(err)
		}
		_, err := s.sort(l)
		var bad *BadLine
		if !errors.As(err, &bad) || bad.Number != 2 || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
