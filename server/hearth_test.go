package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	netmail "net/mail"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server"
	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/server/mail"
	"github.com/hearthchat/hearth/server/mail/mailtest"
	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/badger"
	"github.com/hearthchat/hearth/store/bolt"
)

// options adjust a server under test. The zero value has no limits and the real clock.
type options struct {
	Limits       bool               // the limits of the contract, on a clock that only Advance moves
	Registration store.Registration // empty means open
	Live         live.Options       // Now is filled in
	Server       server.Options     // Now and Unlimited are filled in
	Mail         *mailtest.Server   // nil: no mail
}

// frontend is where links in mails lead.
const frontend = "https://chat.example.org"

// hearth is a server over real stores, at a real address.
type hearth struct {
	URL   string         // http://127.0.0.1:port
	Ports map[int]string // the same by documented port, with options.Server.ServicePorts
	Users store.Accounts
	Rooms store.Workspace

	clock  *clock
	client *http.Client
	disk   *disk
	names  atomic.Int64
	close  func()

	casting sync.Mutex // of newStage
	cast    cast
	castAt  time.Time
}

// start runs a server until the test ends.
func start(t *testing.T, o options) *hearth {
	t.Helper()
	h := &hearth{clock: &clock{}, disk: &disk{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	if o.Limits {
		h.clock.at = time.Now()
	}
	folder := t.TempDir()
	users, err := bolt.Open(filepath.Join(folder, "accounts.db"), bolt.Options{Now: h.Now})
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := badger.Open(filepath.Join(folder, "workspace"), badger.Options{Now: h.Now})
	if err != nil {
		t.Fatal(err)
	}
	h.Users, h.Rooms = accounts{users, h.disk}, workspace{rooms, h.disk}
	settings, err := users.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := auth.OpenKeys(folder, settings.ID, auth.KeyOptions{Now: h.Now})
	if err != nil {
		t.Fatal(err)
	}
	talk := chat.New(h.Rooms, h.Users, chat.Options{Now: h.Now, Unlimited: !o.Limits})
	signing := auth.Options{Registration: o.Registration, NoRates: !o.Limits, Now: h.Now}
	sending := func(ctx context.Context, _ mail.Clerk) error { <-ctx.Done(); return nil }
	if o.Mail != nil {
		outbox := mail.New(h.Users, mail.Server{
			Host: o.Mail.Host, Port: o.Mail.Port, Security: mail.SecurityNone, From: &netmail.Address{Address: "hearth@example.org"},
		}, frontend, mail.Options{Now: h.Now})
		signing.Mail, sending = outbox, outbox.Run
	}
	people := auth.New(h.Users, keys, auth.NewPasswords(auth.PasswordOptions{Cost: 4}), signing)
	o.Live.Now, o.Server.Now, o.Server.Unlimited, o.Server.Writable = h.Now, h.Now, !o.Limits, h.disk.write
	if o.Server.Log == nil {
		o.Server.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	hub := live.NewHub(h.Rooms, h.Users, talk, o.Live)
	front, err := server.New(talk, people, hub, o.Server)
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	h.URL = "http://" + listener.Addr().String()
	h.Ports = map[int]string{}
	var ports []server.ServicePort
	for port := 3000; o.Server.ServicePorts && port <= 3003; port++ {
		ports = append(ports, server.ServicePort{Listener: listen(t), Port: port})
		h.Ports[port] = "http://" + ports[len(ports)-1].Addr().String()
	}
	h.run(t, map[string]func(context.Context) error{
		"relay": func(ctx context.Context) error { return store.Relay(ctx, users, rooms, nil) },
		"hub":   hub.Run,
		"mail":  func(ctx context.Context) error { return sending(ctx, people) },
		"serve": func(ctx context.Context) error { return front.Serve(ctx, listener, ports...) },
	}, func() error { return rooms.Close() }, func() error { return users.Close() })
	return h
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// run starts the parts and stops them, the last ones first, when the test ends or close is called.
func (h *hearth) run(t *testing.T, parts map[string]func(context.Context) error, after ...func() error) {
	t.Helper()
	var stops []func()
	for _, name := range []string{"relay", "hub", "mail", "serve"} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- parts[name](ctx) }()
		stops = append(stops, func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	h.close = sync.OnceFunc(func() {
		h.client.CloseIdleConnections()
		for i := len(stops) - 1; i >= 0; i-- {
			stops[i]()
		}
		for _, stop := range after {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(h.close)
}

// unused returns a name that nobody has.
func (h *hearth) unused(name string) string { return fmt.Sprintf("%s%d", name, h.names.Add(1)) }

// makeGuest limits an account to the rooms it is given.
func (h *hearth) makeGuest(t *testing.T, who *actor) {
	t.Helper()
	_, err := h.Users.EditUser(t.Context(), store.UserID(who.Number), func(u *store.User) error {
		u.Role = store.RoleGuest
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// give makes a guest a member of a room, as only an administrator may.
func (h *hearth) give(t *testing.T, guest *actor, room string) {
	t.Helper()
	id := store.UserID(guest.Number)
	if _, err := h.Rooms.Join(t.Context(), store.Member{Room: store.RoomID(room), User: id}, id, store.LineJoined); err != nil {
		t.Fatal(err)
	}
}

// clock is the real one until it is set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

// Now is the time that everything in the server goes by.
func (h *hearth) Now() time.Time {
	h.clock.mu.Lock()
	defer h.clock.mu.Unlock()
	if h.clock.at.IsZero() {
		return time.Now()
	}
	return h.clock.at
}

// Advance moves a clock that was set.
func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
