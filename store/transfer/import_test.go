package transfer_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/badger"
	"github.com/hearthchat/hearth/store/bolt"
	"github.com/hearthchat/hearth/store/transfer"
	"github.com/hearthchat/hearth/store/transfer/irc"
)

// openTarget returns an empty workspace.
func openTarget(t *testing.T) transfer.Target {
	t.Helper()
	people, err := bolt.Open(filepath.Join(t.TempDir(), "people.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := badger.Open(t.TempDir(), badger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(rooms.Close(), people.Close()); err != nil {
			t.Error(err)
		}
	})
	return transfer.Target{Users: people, Workspace: rooms}
}

// sample yields the lines of a cut of a real log.
func sample(t *testing.T) iter.Seq2[transfer.Line, error] {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("irc", "testdata", "sample.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return irc.Read(strings.NewReader(string(text)))
}

// must ends the test on an error.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func history(t *testing.T, to transfer.Target, room store.RoomID) (all []store.Message) {
	t.Helper()
	for span := (store.Span{Oldest: true, Limit: 100}); ; span.Oldest = false {
		page := must[[]store.Message](t)(to.Workspace.Page(t.Context(), room, span))
		if all = append(all, page...); len(page) < 100 {
			return all
		}
		span.After = page[99].Seq
	}
}

func makeAdmin(t *testing.T, to transfer.Target, name string) store.User {
	t.Helper()
	return must[store.User](t)(to.Users.CreateUser(t.Context(), store.NewUser{
		User: store.User{Username: name, PasswordHash: "x", Role: store.RoleAdmin, Active: true},
	}))
}

func TestImport(t *testing.T) {
	to := openTarget(t)
	admin := makeAdmin(t, to, "ann")
	plan := must[transfer.Report](t)(transfer.Plan(t.Context(), sample(t), transfer.Options{}))
	got := must[transfer.Report](t)(transfer.Import(t.Context(), sample(t), to, transfer.Options{}))
	want := plan
	want.AddedMessages, want.AddedPeople, want.AddedRooms = plan.Stored(), plan.People, 1
	if got != want || got.AddedMessages != 372+4+29+7+7 {
		t.Errorf("Import = %+v\nwant     %+v", got, want)
	}
	room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), "ubuntu"))
	if room.Source != "irc:ubuntu" || room.Creator != admin.ID || room.Kind != store.KindOpen || room.Importing || room.Members != 1 {
		t.Errorf("the room is %+v", room)
	}
	owner := must[store.Member](t)(to.Workspace.Member(t.Context(), room.ID, admin.ID))
	if owner.Role != store.RoomOwner {
		t.Errorf("the administrator is %q of the room", owner.Role)
	}
	unread := must[store.Unread](t)(to.Workspace.UnreadIn(t.Context(), room.ID, admin.ID))
	if unread.Count != 0 {
		t.Errorf("%d imported messages count as unread", unread.Count)
	}
	comparePeople(t, to)
	compareHistory(t, to, history(t, to, room.ID))
}

// compareHistory holds a room's messages to the lines they come from, in order.
func compareHistory(t *testing.T, to transfer.Target, messages []store.Message) {
	t.Helper()
	next, replies := 0, 0
	byLine := make(map[string]store.MessageID)
	for l, err := range sample(t) {
		if err != nil {
			t.Fatal(err)
		}
		said := l.Kind == transfer.Said || l.Kind == transfer.Acted
		if said && strings.TrimSpace(l.Text) == "" {
			continue
		}
		if next == len(messages) {
			t.Fatalf("line %d has no message", l.Number)
		}
		m := messages[next]
		next++
		author := must[store.User](t)(to.Users.UserByAlias(t.Context(), l.Person.Alias))
		if m.Author != author.ID || !m.At.Equal(l.At) || int(m.Seq) != next || said != (m.Type == store.TypeText) || !strings.Contains(m.Content, strings.TrimSpace(l.Text)) {
			t.Fatalf("line %+v became %+v", l, m)
		}
		if parent, ok := byLine[l.ReplyTo]; said && ok {
			replies++
			if m.Parent != parent {
				t.Fatalf("line %d answers %s, want %s", l.Number, m.Parent, parent)
			}
		} else if !m.Parent.IsZero() {
			t.Fatalf("line %d answers %s, want nothing", l.Number, m.Parent)
		}
		if said {
			byLine[l.ID] = m.ID
		}
	}
	if next != len(messages) || replies != 156 {
		t.Errorf("%d messages and %d replies, want %d and 156", len(messages), replies, next)
	}
}

// comparePeople holds accounts to the first spelling of each nick.
func comparePeople(t *testing.T, to transfer.Target) {
	t.Helper()
	first := make(map[string]string)
	for l, err := range sample(t) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := first[l.Person.Alias]; !ok {
			first[l.Person.Alias] = l.Person.Name
		}
	}
	for alias, name := range first {
		u := must[store.User](t)(to.Users.UserByAlias(t.Context(), alias))
		if u.Username != name || u.PasswordHash != "" || u.Email != "" || u.Role != store.RoleMember || u.CanSignIn() {
			t.Errorf("%s became %+v", alias, u)
		}
		if rooms := must[[]store.Member](t)(to.Workspace.RoomsOf(t.Context(), u.ID)); len(rooms) != 0 {
			t.Errorf("%s is a member of %+v", alias, rooms)
		}
	}
	if len(first) != 89 || first["irc:dr_willis"] != "Dr_willis" {
		t.Errorf("%d people, among them %q", len(first), first["irc:dr_willis"])
	}
}

func TestImportTwiceIsImportOnce(t *testing.T) {
	to := openTarget(t)
	must[transfer.Report](t)(transfer.Import(t.Context(), sample(t), to, transfer.Options{}))
	room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), "ubuntu"))
	if room.Creator != 0 || room.Members != 0 {
		t.Errorf("without an administrator the room is %+v", room)
	}
	before := history(t, to, room.ID)
	// The room keeps its origin when it is renamed, and its history when people talk in it.
	rename := func(r *store.Room) error { r.Name = "old talk"; return nil }
	admin := makeAdmin(t, to, "ann")
	must[bool](t)(to.Workspace.Join(t.Context(), store.Member{Room: room.ID, User: admin.ID}, admin.ID, store.LineJoined))
	must[store.Room](t)(to.Workspace.EditRoom(t.Context(), room.ID, admin.ID, rename))
	got := must[transfer.Report](t)(transfer.Import(t.Context(), sample(t), to, transfer.Options{}))
	if got.AddedMessages != 0 || got.AddedPeople != 0 || got.AddedRooms != 0 || got.Messages != 372 {
		t.Errorf("the second run added %+v", got)
	}
	after := history(t, to, room.ID)
	for i, m := range before {
		if after[i].ID != m.ID || after[i].Content != m.Content {
			t.Fatalf("message %d was %+v and is %+v", i+1, m, after[i])
		}
	}
	if len(after) != len(before)+2 { // joined, renamed
		t.Errorf("%d messages, before there were %d", len(after), len(before))
	}
}

// TestInterruptedImport stops an import at many places and continues it.
func TestInterruptedImport(t *testing.T) {
	to := openTarget(t)
	lines := func(stop func()) iter.Seq2[transfer.Line, error] { // the sample ten times, in other rooms
		return func(yield func(transfer.Line, error) bool) {
			for i := range 10 {
				for l, err := range sample(t) {
					l.ID += strings.Repeat("+", i)
					if l.ReplyTo != "" {
						l.ReplyTo += strings.Repeat("+", i)
					}
					if !yield(l, err) {
						return
					}
				}
				stop()
			}
		}
	}
	added, runs := 0, 0
	for stopAfter := 3; ; stopAfter += 3 {
		ctx, cancel := context.WithCancel(t.Context())
		rounds := 0
		r, err := transfer.Import(ctx, lines(func() {
			if rounds++; rounds == stopAfter {
				cancel()
			}
		}), to, transfer.Options{})
		runs++
		added += r.AddedMessages
		cancel()
		room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), "ubuntu"))
		if room.Importing {
			t.Fatal("the room stayed closed after an interruption")
		}
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), "ubuntu"))
	if n := len(history(t, to, room.ID)); runs < 4 || n != 4190 || added != n {
		t.Errorf("%d runs added %d messages, and %d are there; want 4190", runs, added, n)
	}
}

func TestImportIntoARoomWithTalk(t *testing.T) {
	to := openTarget(t)
	ann := makeAdmin(t, to, "ann")
	room := must[store.Room](t)(to.Workspace.CreateRoom(t.Context(), store.Room{Kind: store.KindOpen, Name: "ubuntu", Creator: ann.ID},
		[]store.Member{{User: ann.ID, Role: store.RoomOwner}}))
	if _, _, err := to.Workspace.Append(t.Context(), store.Draft{Room: room.ID, Author: ann.ID, Content: "hi"}); err != nil {
		t.Fatal(err)
	}
	_, err := transfer.Import(t.Context(), sample(t), to, transfer.Options{})
	var fault *store.Fault
	if !errors.As(err, &fault) || fault.Code != "room_not_empty" || !errors.Is(err, store.ErrExists) {
		t.Fatalf("error = %v, want room_not_empty", err)
	}
	if n := len(history(t, to, room.ID)); n != 2 {
		t.Errorf("%d messages are there, want 2", n)
	}
	r := must[transfer.Report](t)(transfer.Import(t.Context(), sample(t), to, transfer.Options{Append: true}))
	if n := len(history(t, to, room.ID)); r.AddedRooms != 0 || n != 2+r.AddedMessages || r.AddedMessages != 419 {
		t.Errorf("added %+v, and %d messages are there", r, n)
	}
}

func TestRoomsAreReadOnlyMeanwhile(t *testing.T) {
	to := openTarget(t)
	ann := makeAdmin(t, to, "ann")
	var refused, second error
	looked := false
	must[transfer.Report](t)(transfer.Import(t.Context(), func(yield func(transfer.Line, error) bool) {
		for i := range 3 {
			for l, err := range sample(t) {
				l.ID += strings.Repeat("+", i)
				if !yield(l, err) {
					return
				}
			}
		}
		room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), "ubuntu"))
		looked = room.Importing
		_, _, refused = to.Workspace.Append(t.Context(), store.Draft{Room: room.ID, Author: ann.ID, Content: "hi"})
		_, second = transfer.Import(t.Context(), sample(t), to, transfer.Options{})
	}, to, transfer.Options{}))
	if !looked || !errors.Is(refused, store.ErrImportRunning) {
		t.Errorf("while it runs, Importing is %v and posting is %v", looked, refused)
	}
	if !errors.Is(second, store.ErrImportRunning) {
		t.Errorf("a second import at once: %v", second)
	}
}

func TestBadLinesEndAnImport(t *testing.T) {
	to := openTarget(t)
	text := `{"id":"1","ts":"2004-12-25T09:14:00Z","room":"a","kind":"message","nick":"ann","text":"hi"}` + "\n" + `{"id":1}` + "\n"
	_, err := transfer.Import(t.Context(), irc.Read(strings.NewReader(text)), to, transfer.Options{})
	var bad *transfer.BadLine
	if !errors.As(err, &bad) || bad.Number != 2 {
		t.Errorf("error = %v, want line 2", err)
	}
}

func TestSeveralRooms(t *testing.T) {
	to := openTarget(t)
	text := strings.Join([]string{
		`{"id":"1","ts":"2004-12-25T09:14:00Z","room":"a","kind":"message","nick":"ann","text":"in a"}`,
		`{"id":"1","ts":"2004-12-25T09:14:01Z","room":"b","kind":"message","nick":"ann","text":"in b"}`,
		`{"id":"2","ts":"2004-12-25T09:14:02Z","room":"a","kind":"message","nick":"bob","text":"a again","reply_to":"1"}`,
	}, "\n")
	r := must[transfer.Report](t)(transfer.Import(t.Context(), irc.Read(strings.NewReader(text)), to, transfer.Options{}))
	if r.Rooms != 2 || r.AddedRooms != 2 || r.People != 2 || r.Replies != 1 {
		t.Errorf("counted %+v", r)
	}
	for name, want := range map[string]string{"a": "in a, a again", "b": "in b"} {
		room := must[store.Room](t)(to.Workspace.OpenRoomNamed(t.Context(), name))
		var texts []string
		for _, m := range history(t, to, room.ID) {
			texts = append(texts, m.Content)
		}
		if got := strings.Join(texts, ", "); got != want || room.Importing {
			t.Errorf("room %s holds %q, want %q", name, got, want)
		}
	}
}

// BenchmarkImport reports how many messages a second come in. Each run has a workspace of its own.
func BenchmarkImport(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("irc", "testdata", "sample.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	var log strings.Builder
	for i := range 50 {
		log.WriteString(strings.ReplaceAll(string(text), ".train-", "."+strconv.Itoa(i)+"-"))
	}
	added := 0
	for b.Loop() {
		b.StopTimer()
		people, err := bolt.Open(filepath.Join(b.TempDir(), "people.db"), bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		rooms, err := badger.Open(b.TempDir(), badger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		r, err := transfer.Import(b.Context(), irc.Read(strings.NewReader(log.String())), transfer.Target{Users: people, Workspace: rooms}, transfer.Options{})
		added += r.AddedMessages
		b.StopTimer()
		if err := errors.Join(err, rooms.Close(), people.Close()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(added)/b.Elapsed().Seconds(), "messages/s")
}
