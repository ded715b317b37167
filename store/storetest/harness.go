package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// The people in the cases. A Workspace knows people only by number.
const (
	ann store.UserID = 1 + iota
	bob
	cyd
	dan
	eve
)

// clock is the time an engine under test is given. It moves only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

type openWorkspace = func(t *testing.T, o Options) store.Workspace

// fixture is one workspace under test, with what cases do to it in one word. Its helpers
// end the test when something goes wrong that the case is not about.
type fixture struct {
	store.Workspace
	t     *testing.T
	ctx   context.Context
	clock *clock
	dir   string
	open  openWorkspace
}

func newFixture(t *testing.T, open openWorkspace) *fixture {
	f := &fixture{t: t, ctx: t.Context(), clock: newClock(), dir: t.TempDir(), open: open}
	f.Workspace = open(t, Options{Dir: f.dir, Now: f.clock.Now})
	t.Cleanup(func() { closeEngine(t, f.Workspace) })
	return f
}

// reopen closes the engine and opens its files again.
func (f *fixture) reopen() {
	f.t.Helper()
	closeEngine(f.t, f.Workspace)
	f.Workspace = f.open(f.t, Options{Dir: f.dir, Now: f.clock.Now})
}

func closeEngine(t *testing.T, engine any) {
	t.Helper()
	if err := engine.(interface{ Close() error }).Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

// fatal ends the test when err is not nil.
func (f *fixture) fatal(doing string, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%s: %v", doing, err)
	}
}

// room makes a room of KindOpen; the first of its people owns it.
func (f *fixture) room(people ...store.UserID) store.RoomID {
	f.t.Helper()
	r, err := f.CreateRoom(f.ctx, store.Room{Kind: store.KindOpen, Name: "Lobby", Creator: people[0]}, firstMembers(people...))
	f.fatal("create room", err)
	f.clock.advance(time.Second)
	return r.ID
}

func firstMembers(people ...store.UserID) []store.Member {
	var members []store.Member
	for i, user := range people {
		role := store.RoomMember
		if i == 0 {
			role = store.RoomOwner
		}
		members = append(members, store.Member{User: user, Role: role})
	}
	return members
}

// direct returns the direct room of people.
func (f *fixture) direct(people ...store.UserID) store.RoomID {
	f.t.Helper()
	r, _, err := f.DirectRoom(f.ctx, people[0], people)
	f.fatal("direct room", err)
	f.clock.advance(time.Second)
	return r.ID
}

func (f *fixture) append(d store.Draft) store.Message {
	f.t.Helper()
	m, repeated, err := f.Append(f.ctx, d)
	f.fatal("append", err)
	if repeated {
		f.t.Fatalf("append of %+v: repeated", d)
	}
	f.clock.advance(time.Second)
	return m
}

func (f *fixture) post(room store.RoomID, author store.UserID, content string) store.Message {
	f.t.Helper()
	return f.append(store.Draft{Room: room, Author: author, Content: content})
}

func (f *fixture) reply(to store.Message, author store.UserID, content string) store.Message {
	f.t.Helper()
	return f.append(store.Draft{Room: to.Room, Author: author, Content: content, Parent: to.ID})
}

func (f *fixture) join(room store.RoomID, user store.UserID) {
	f.t.Helper()
	_, err := f.Join(f.ctx, store.Member{Room: room, User: user}, user, store.LineJoined)
	f.fatal("join", err)
	f.clock.advance(time.Second)
}

func (f *fixture) leave(room store.RoomID, user store.UserID) {
	f.t.Helper()
	_, err := f.Leave(f.ctx, room, user, user, store.LineLeft)
	f.fatal("leave", err)
	f.clock.advance(time.Second)
}

func (f *fixture) delete(m store.Message, by store.UserID) {
	f.t.Helper()
	_, err := f.EditMessage(f.ctx, m.ID, by, func(m *store.Message) error { m.Deleted = true; return nil })
	f.fatal("delete message", err)
}

func (f *fixture) read(user store.UserID, through store.Message) store.Unread {
	f.t.Helper()
	u, err := f.Read(f.ctx, through.Room, user, through.ID, f.clock.advance(time.Second))
	f.fatal("read", err)
	return u
}

func (f *fixture) readOne(user store.UserID, m store.Message) time.Time {
	f.t.Helper()
	at, err := f.ReadOne(f.ctx, m.ID, user, f.clock.advance(time.Second))
	f.fatal("read one", err)
	return at
}

func (f *fixture) mark(user store.UserID, m store.Message) store.Unread {
	f.t.Helper()
	u, err := f.MarkUnread(f.ctx, m.ID, user)
	f.fatal("mark unread", err)
	return u
}

func (f *fixture) message(id store.MessageID) store.Message {
	f.t.Helper()
	m, err := f.Message(f.ctx, id)
	f.fatal("message", err)
	return m
}

func (f *fixture) page(room store.RoomID, span store.Span) []store.Message {
	f.t.Helper()
	messages, err := f.Page(f.ctx, room, span)
	f.fatal("page", err)
	return messages
}

// all returns every message of a room.
func (f *fixture) all(room store.RoomID) []store.Message {
	f.t.Helper()
	return f.page(room, store.Span{Oldest: true, Limit: 100_000})
}

func (f *fixture) member(room store.RoomID, user store.UserID) store.Member {
	f.t.Helper()
	m, err := f.Member(f.ctx, room, user)
	f.fatal("member", err)
	return m
}

func (f *fixture) look(room store.RoomID) store.Room {
	f.t.Helper()
	r, err := f.Room(f.ctx, room)
	f.fatal("room", err)
	return r
}

func (f *fixture) unread(room store.RoomID, user store.UserID) store.Unread {
	f.t.Helper()
	u, err := f.UnreadIn(f.ctx, room, user)
	f.fatal("unread", err)
	return u
}

// wantUnread requires how many messages wait, and which is the first.
func (f *fixture) wantUnread(room store.RoomID, user store.UserID, count, mentions int, first store.MessageID) {
	f.t.Helper()
	u := f.unread(room, user)
	if u.Room != room || u.Count != count || u.Mentions != mentions || u.First != first {
		f.t.Errorf("unread of %d in %s = %+v, want count %d, mentions %d, first %s", user, room, u, count, mentions, first)
	}
}

func (f *fixture) readers(id store.MessageID) []store.Receipt {
	f.t.Helper()
	readers, err := f.Readers(f.ctx, id)
	f.fatal("readers", err)
	return readers
}

func (f *fixture) head() store.Position {
	f.t.Helper()
	p, err := f.Head(f.ctx)
	f.fatal("head", err)
	return p
}

// since returns every change after a position and requires that their positions leave no gap.
func (f *fixture) since(after store.Position) []store.Change {
	f.t.Helper()
	changes, err := f.Changes(f.ctx, after, 1_000_000)
	f.fatal("changes", err)
	for i, c := range changes {
		if want := (store.Position{Epoch: after.Epoch, Seq: after.Seq + uint64(i) + 1}); c.Position != want {
			f.t.Fatalf("change %d after %v has position %v, want %v", i, after, c.Position, want)
		}
	}
	return changes
}

// wantKinds requires which kinds of change follow a position, in order.
func (f *fixture) wantKinds(after store.Position, want ...store.ChangeKind) {
	f.t.Helper()
	var got []store.ChangeKind
	for _, c := range f.since(after) {
		got = append(got, c.Kind)
	}
	if !reflect.DeepEqual(got, want) {
		f.t.Errorf("changes = %v, want %v", got, want)
	}
}

// wantErr requires an error of a kind.
func wantErr(t *testing.T, doing string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want %v", doing, err, kind)
	}
}

// wantCode requires an error of a kind with a Code.
func wantCode(t *testing.T, doing string, err, kind error, code string) {
	t.Helper()
	var fault *store.Fault
	if !errors.Is(err, kind) || !errors.As(err, &fault) || fault.Code != code {
		t.Errorf("%s: error %v, want %v with code %s", doing, err, kind, code)
	}
}

// same compares values by what they hold: no matter is whether an empty list is nil.
func same(a, b any) bool {
	return reflect.DeepEqual(normal(reflect.ValueOf(a)).Interface(), normal(reflect.ValueOf(b)).Interface())
}

// normal copies v with empty slices as nil and times stripped of what does not count.
func normal(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	if at, ok := v.Interface().(time.Time); ok {
		out.Set(reflect.ValueOf(at.UTC().Round(0)))
		return out
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() > 0 {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(normal(v.Index(i)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(normal(v.Field(i)))
		}
	default:
		out.Set(v)
	}
	return out
}

// wantSame requires equal values.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if !same(got, want) {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

// ids returns the ids of messages in order.
func ids(messages []store.Message) []store.MessageID {
	var out []store.MessageID
	for _, m := range messages {
		out = append(out, m.ID)
	}
	return out
}
