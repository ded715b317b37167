package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/badger"
	"github.com/hearthchat/hearth/store/bolt"
)

// world is a workspace with a hub, over real stores.
type world struct {
	t       testing.TB
	dir     string
	options live.Options
	rooms   *badger.Store
	people  *bolt.Store
	chat    *chat.Service
	hub     *live.Hub
	stop    context.CancelFunc
	running sync.WaitGroup
	sockets sync.WaitGroup
	ended   sync.Once
	// patience is how long the test waits for what must come.
	patience time.Duration
}

func newWorld(t testing.TB, o live.Options) *world {
	w := &world{t: t, dir: t.TempDir(), options: o, patience: 20 * time.Second}
	w.open()
	t.Cleanup(w.end)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.rooms, err = badger.Open(filepath.Join(w.dir, "rooms"), badger.Options{})
	w.must(err)
	w.people, err = bolt.Open(filepath.Join(w.dir, "people.db"), bolt.Options{})
	w.must(err)
	w.chat = chat.New(w.rooms, w.people, chat.Options{Unlimited: true})
	w.hub = live.NewHub(w.rooms, w.people, w.chat, w.options)
	w.stop = nil
	w.follow(w.hub)
	w.background(func(ctx context.Context) error { return store.Relay(ctx, w.people, w.rooms, nil) })
}

// follow runs a hub until the world is closed.
func (w *world) follow(hub *live.Hub) { w.background(hub.Run) }

func (w *world) background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := w.stop
	w.stop = func() {
		cancel()
		if stop != nil {
			stop()
		}
	}
	w.running.Go(func() {
		if err := run(ctx); err != nil {
			w.t.Errorf("in the background: %v", err)
		}
	})
}

func (w *world) close() {
	w.stop()
	w.running.Wait()
	w.sockets.Wait()
	if err := w.rooms.Close(); err != nil {
		w.t.Errorf("close rooms: %v", err)
	}
	if err := w.people.Close(); err != nil {
		w.t.Errorf("close people: %v", err)
	}
}

// end closes the world unless it is closed.
func (w *world) end() { w.ended.Do(w.close) }

func (w *world) restart() {
	w.close()
	w.open()
}

func ctx() context.Context { return context.Background() }

func (w *world) person(name string, role store.Role) store.User {
	w.t.Helper()
	u, err := w.people.CreateUser(ctx(), store.NewUser{User: store.User{
		Username: name, Email: name + "@example.org", PasswordHash: "none", Role: role, Active: true,
	}})
	w.must(err)
	return u
}

// crowd makes members of the workspace.
func (w *world) crowd(names ...string) []store.User {
	w.t.Helper()
	people := make([]store.User, len(names))
	for i, name := range names {
		people[i] = w.person(name, store.RoleMember)
	}
	return people
}

func (w *world) room(owner store.User, private bool, others ...store.User) store.RoomID {
	w.t.Helper()
	n := chat.NewRoom{Name: "Lobby", Private: private}
	for _, u := range others {
		n.Invited = append(n.Invited, u.ID)
	}
	v, err := w.chat.CreateRoom(ctx(), owner, n)
	w.must(err)
	return v.ID
}

func (w *world) post(by store.User, room store.RoomID, content string) store.Message {
	w.t.Helper()
	m, _, err := w.chat.Post(ctx(), by, store.Draft{Room: room, Content: content})
	w.must(err)
	return m
}

func (w *world) session(u store.User) store.SessionID {
	w.t.Helper()
	id := store.SessionID(fmt.Sprintf("%032x", time.Now().UnixNano()))
	now := time.Now()
	s := store.Session{ID: id, User: u.ID, CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour)}
	w.must(w.people.OpenSession(ctx(), s, store.Hash([]byte(id))))
	return id
}

// client is somebody at a socket.
type client struct {
	*wire
	w       *world
	user    store.User
	session store.SessionID
	served  chan error
	seen    []event
	code    int // of the close frame
	reason  string
	cursor  string // of the newest frame that had one
}

// event is a frame of the server's.
type event map[string]any

func (e event) kind() string { return e["type"].(string) }

// text returns a field, reached through objects, as text: "" if it is not there.
func (e event) text(path ...string) string {
	var v any = map[string]any(e)
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = object[name]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	p, _ := json.Marshal(v)
	return string(p)
}

// connect opens a socket and waits for nothing.
func (w *world) connect(u store.User, want live.Want) *client {
	w.t.Helper()
	return w.connectOver(newWire(), u, w.session(u), want)
}

func (w *world) connectOver(conn *wire, u store.User, session store.SessionID, want live.Want) *client {
	c := &client{wire: conn, w: w, user: u, session: session, served: make(chan error, 1)}
	hub := w.hub
	w.sockets.Go(func() {
		c.served <- hub.Serve(ctx(), conn, &live.Viewer{User: u, Session: session}, want)
	})
	return c
}

// online opens a socket and waits until it is greeted and hears what happens.
func (w *world) online(u store.User, room store.RoomID) *client {
	w.t.Helper()
	c := w.connect(u, live.Want{Room: room})
	c.expect("hello")
	c.settle()
	return c
}

// settle returns when the server has done all the client asked before; it hears from then on.
func (c *client) settle() {
	c.w.t.Helper()
	c.tell(`{"type":"ping"}`)
	c.expect("pong")
}

func (c *client) tell(format string, args ...any) { c.say(fmt.Appendf(nil, format, args...)) }

// hear waits for the next event; false when the socket was closed or nothing comes.
func (c *client) hear(limit time.Duration) (event, bool) {
	c.w.t.Helper()
	for {
		f, ok := c.next(limit)
		if !ok {
			return nil, false
		}
		switch f.op & 0xf {
		case 0x1:
			var e event
			if err := json.Unmarshal([]byte(f.payload), &e); err != nil {
				c.w.t.Fatalf("frame %q: %v", f.payload, err)
			}
			c.seen = append(c.seen, e)
			if cursor := e.text("cursor"); cursor != "" {
				c.cursor = cursor
			}
			return e, true
		case 0x8:
			c.code = int(f.payload[0])<<8 | int(f.payload[1])
			c.reason = f.payload[2:]
			return nil, false
		}
	}
}

// expect waits for an event of a kind, passing over others.
func (c *client) expect(kind string) event {
	c.w.t.Helper()
	return c.expectIf(kind, func(event) bool { return true })
}

func (c *client) expectIf(kind string, is func(event) bool) event {
	c.w.t.Helper()
	from := len(c.seen)
	for {
		e, ok := c.hear(c.w.patience)
		if !ok {
			c.w.t.Fatalf("%s hears no %s (closed %d %q), only %v", c.user.Username, kind, c.code, c.reason, c.seen[from:])
		}
		if e.kind() == kind && is(e) {
			return e
		}
	}
}

// expectMessage waits for a message with this content.
func (c *client) expectMessage(content string) event {
	c.w.t.Helper()
	return c.expectIf("message", func(e event) bool { return e.text("message", "content") == content })
}

// expectClose waits until the server closes the socket, and returns what came before.
func (c *client) expectClose(code int) []event {
	c.w.t.Helper()
	from := len(c.seen)
	for {
		if _, ok := c.hear(c.w.patience); !ok {
			break
		}
	}
	if c.code != code {
		c.w.t.Fatalf("%s: closed with %d %q, want %d; heard %v", c.user.Username, c.code, c.reason, code, c.seen[from:])
	}
	c.leave()
	return c.seen[from:]
}

// leave hangs up and waits until the server has let go.
func (c *client) leave() {
	c.w.t.Helper()
	c.hangUp()
	select {
	case err := <-c.served:
		if err != nil {
			c.w.t.Errorf("Serve() = %v", err)
		}
	case <-time.After(c.w.patience):
		c.w.t.Fatal("Serve does not return")
	}
}

// heard returns the events of these kinds so far.
func (c *client) heard(kinds ...string) (some []event) {
	for _, e := range c.seen {
		if slices.Contains(kinds, e.kind()) {
			some = append(some, e)
		}
	}
	return some
}
