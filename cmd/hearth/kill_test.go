package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fasthttp/websocket"
)

const (
	killWriters = 64 // half over sockets, half over HTTP
	killRooms   = 4
)

// said is a message as it goes over the wire.
type said struct {
	ID      string `json:"id"`
	Seq     int    `json:"seq"`
	Room    string `json:"room_id"`
	User    int    `json:"user_id"`
	Content string `json:"content"`
	Type    string `json:"message_type"`
}

// TestKill kills the server again and again while 64 people write. Everything it
// acknowledged must be there once and in order, sockets must have heard the history and
// nothing else, unread counts must be what a recount says, and check must find nothing.
func TestKill(t *testing.T) {
	rounds := 3
	if os.Getenv("HEARTH_SOAK") != "" {
		rounds = 50
	}
	k := newKillTest(t)
	for round := range rounds {
		k.writeUntilKilled(round)
		k.server = startProcess(t, k.folder)
		k.verify(round)
		if t.Failed() {
			t.Fatalf("round %d\n%s", round, k.server.log)
		}
	}
	k.server.stop(t)
	k.check()
}

type killTest struct {
	t       *testing.T
	folder  string
	server  *process
	rooms   []string
	writers []*writer
}

// writer is one person who writes all the time in one room and is in all of them.
type writer struct {
	Token string `json:"token"`
	User  struct {
		ID int `json:"user_id"`
	} `json:"user"`

	name     string
	room     string
	overHTTP bool
	count    int
	acked    []said
	pending  string         // content of the message that was not acknowledged
	read     map[string]int // newest seq marked as read, by room

	socket *websocket.Conn
	acks   chan said
	cursor string
	heard  map[string][]said // by room
	oddity error             // what a socket should not have said
}

func newKillTest(t *testing.T) *killTest {
	k := &killTest{t: t, folder: t.TempDir()}
	k.server = startProcess(t, k.folder)
	var people []int
	for i := range killWriters {
		w := &writer{name: fmt.Sprintf("writer%d", i), overHTTP: i%2 == 1, read: make(map[string]int), heard: make(map[string][]said)}
		body := map[string]string{"username": w.name, "email": w.name + "@example.org", "password": testPassword}
		k.fetch("POST", "/api/auth/register", "", body, w, 201)
		people = append(people, w.User.ID)
		k.writers = append(k.writers, w)
	}
	for i := range killRooms {
		var room struct{ ID string }
		body := map[string]any{"name": fmt.Sprintf("room %d", i), "invited_users": people}
		k.fetch("POST", "/api/chat/rooms", k.writers[0].Token, body, &room, 201)
		k.rooms = append(k.rooms, room.ID)
	}
	for i, w := range k.writers {
		w.room = k.rooms[i/2%killRooms]
	}
	return k
}

func (k *killTest) fetch(method, path, token string, body, into any, want int) {
	k.t.Helper()
	if status := fetch(k.t, method, k.server.url+path, token, body, into); status != want {
		k.t.Fatalf("%s %s: %d, want %d", method, path, status, want)
	}
}

// writeUntilKilled lets everybody write until a number of messages was acknowledged, and
// then kills the server in the middle of the others.
func (k *killTest) writeUntilKilled(round int) {
	enough := make(chan struct{})
	var mu sync.Mutex
	left := 300 + 97*(round%5)
	acknowledged := func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			close(enough)
		}
	}
	var listening, writing sync.WaitGroup
	for _, w := range k.writers {
		if !w.overHTTP {
			k.connect(w)
			listening.Go(w.listen)
		}
	}
	for _, w := range k.writers {
		writing.Go(func() {
			for w.post(k.t.Context(), k.server.url) {
				acknowledged()
			}
		})
	}
	<-enough
	k.server.kill(k.t)
	writing.Wait()
	listening.Wait()
	for _, w := range k.writers {
		w.socket = nil
	}
}

// post writes the next message and reports whether it was acknowledged. What was not is
// kept, to be sent again.
func (w *writer) post(ctx context.Context, server string) bool {
	if w.pending == "" {
		w.count++
		w.pending = fmt.Sprintf("%s-%d", w.name, w.count)
	}
	var m said
	body := map[string]string{"room_id": w.room, "content": w.pending, "client_id": w.pending}
	if w.overHTTP || w.socket == nil {
		status, err := request(ctx, "POST", server+"/api/messages", w.Token, body, &m)
		if err != nil || status != 201 && status != 200 {
			return false
		}
	} else {
		body["type"] = "message"
		if w.socket.WriteJSON(body) != nil {
			return false
		}
		var open bool
		if m, open = <-w.acks; !open {
			return false
		}
	}
	w.acked = append(w.acked, m)
	w.pending = ""
	return true
}

// connect opens the socket of all rooms, from where it was cut.
func (k *killTest) connect(w *writer) {
	k.t.Helper()
	address := "ws" + strings.TrimPrefix(k.server.url, "http") + "/api/chat/ws"
	if w.cursor != "" {
		address += "?since=" + url.QueryEscape(w.cursor)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(k.t.Context(), address, http.Header{"Authorization": {"Bearer " + w.Token}})
	if err != nil {
		k.t.Fatalf("%s connects: %v", w.name, err)
	}
	w.socket, w.acks = conn, make(chan said, 1)
	resuming := w.cursor != ""
	for {
		kind, err := w.next()
		if err != nil {
			k.t.Fatalf("%s connects: %v", w.name, err)
		}
		if kind == "live" || kind == "hello" && !resuming {
			return
		}
	}
}

// listen hears everything until the socket ends.
func (w *writer) listen() {
	defer close(w.acks)
	for {
		if _, err := w.next(); err != nil {
			_ = w.socket.Close() // it was cut
			return
		}
	}
}

// next reads one frame and keeps what it says.
func (w *writer) next() (kind string, err error) {
	_, text, err := w.socket.ReadMessage()
	if err != nil {
		return "", err
	}
	var f struct {
		Type    string
		Message said
		Cursor  string
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return "", err
	}
	switch f.Type {
	case "message":
		w.heard[f.Message.Room] = append(w.heard[f.Message.Room], f.Message)
	case "ack":
		w.acks <- f.Message
		return f.Type, nil // its cursor is of its own broadcast, which may be still to come
	case "error", "resync":
		w.oddity = fmt.Errorf("%s", text)
	}
	if f.Cursor != "" {
		w.cursor = f.Cursor
	}
	return f.Type, nil
}

// verify looks at everything after a restart.
func (k *killTest) verify(round int) {
	for _, w := range k.writers {
		if w.pending != "" && !w.post(k.t.Context(), k.server.url) {
			k.t.Fatalf("%s could not send again what was not acknowledged", w.name)
		}
	}
	rooms := make(map[string][]said)
	for _, room := range k.rooms {
		rooms[room] = k.history(room)
	}
	k.verifyAcknowledged(rooms)
	k.verifyHeard(rooms)
	k.verifyUnread(round, rooms)
	k.check()
}

// history returns all of a room, and complains if its numbers have a gap or an id is twice.
func (k *killTest) history(room string) (all []said) {
	for path := "/api/messages/room/" + room + "?limit=200"; ; path = "/api/messages/room/" + room + "?limit=200&before=" + all[0].ID {
		var page []said
		k.fetch("GET", path, k.writers[0].Token, nil, &page, 200)
		all = append(page, all...)
		if len(page) < 200 {
			break
		}
	}
	ids := make(map[string]bool)
	for i, m := range all {
		if m.Seq != i+1 || ids[m.ID] {
			k.t.Errorf("message %d of room %s has the number %d and the id %s", i+1, room, m.Seq, m.ID)
		}
		ids[m.ID] = true
	}
	return all
}

func (k *killTest) verifyAcknowledged(rooms map[string][]said) {
	times := make(map[string]int) // how often a text is there
	for _, all := range rooms {
		for _, m := range all {
			if m.Type != "system" {
				times[m.Content]++
			}
		}
	}
	written := 0
	for _, w := range k.writers {
		before := 0
		written += w.count
		for i, m := range w.acked {
			want := fmt.Sprintf("%s-%d", w.name, i+1)
			if m.Content != want || times[want] != 1 || m.Seq <= before || m.Seq > len(rooms[w.room]) || rooms[w.room][m.Seq-1] != m {
				k.t.Errorf("%q was acknowledged as %+v and is there %d times", want, m, times[want])
				break
			}
			before = m.Seq
		}
	}
	if len(times) != written {
		k.t.Errorf("%d different messages are there, and %d were written", len(times), written)
	}
}

// verifyHeard compares what sockets heard, before the kill and after coming back, with the
// history: nothing else, nothing twice, nothing left out.
func (k *killTest) verifyHeard(rooms map[string][]said) {
	for _, w := range k.writers {
		if w.overHTTP {
			continue
		}
		k.connect(w)
		_ = w.socket.Close() // it heard what it came for
		w.socket = nil
		if w.oddity != nil {
			k.t.Errorf("%s heard %v", w.name, w.oddity)
		}
		for room, all := range rooms {
			// The first line tells of the room's creation, before anybody listened.
			if heard := w.heard[room]; len(heard) == 0 || !slices.Equal(heard, all[1:]) {
				k.t.Errorf("%s heard %d messages of a room that has %d, or others", w.name, len(heard), len(all))
			}
		}
	}
}

// verifyUnread lets some people read some of a room and counts for everybody what is left.
func (k *killTest) verifyUnread(round int, rooms map[string][]said) {
	for i, w := range k.writers {
		if room := k.rooms[(i+round)%killRooms]; i%3 == round%3 && len(rooms[room]) > 0 {
			m := rooms[room][(len(rooms[room])-1)*i/killWriters]
			if m.Seq > w.read[room] {
				k.fetch("PUT", "/api/messages/room/"+room+"/read", w.Token, map[string]string{"up_to": m.ID}, nil, 200)
				w.read[room] = m.Seq
			}
		}
		want := make(map[string]int)
		for room, all := range rooms {
			for _, m := range all {
				if m.Type != "system" && m.User != w.User.ID && m.Seq > w.read[room] {
					want[room]++
				}
			}
		}
		var got struct {
			Rooms map[string]struct{ Unread int }
		}
		k.fetch("GET", fmt.Sprintf("/api/messages/unread/%d", w.User.ID), w.Token, nil, &got, 200)
		counted := make(map[string]int)
		for room, u := range got.Rooms {
			if u.Unread > 0 {
				counted[room] = u.Unread
			}
		}
		if !maps.Equal(counted, want) {
			k.t.Errorf("%s has %v unread, a recount says %v", w.name, counted, want)
		}
	}
}

func (k *killTest) check() {
	out, err := exec.CommandContext(k.t.Context(), binary(k.t), "check", "--data", k.folder).CombinedOutput()
	if err != nil {
		k.t.Errorf("hearth check: %v\n%s", err, out)
	}
}
