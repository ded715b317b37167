package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/hearthchat/hearth/server/compat"
)

// actor is a person at a client. What they do that must work fails the test when it does
// not; every answer and every frame they get is held to the document.
type actor struct {
	t        *testing.T
	hearth   *hearth
	Name     string
	Number   int    // user_id
	ID       string // 24 hex digits
	Token    string
	Refresh  string
	socket   *websocket.Conn
	frames   chan frame
	closed   chan int // the code with which the server closed the socket
	waiting  []frame  // what was heard and not asked for yet
	greeting answer   // the first frame of the socket
	host     string   // the Host header; empty: that of the address
	port     int      // the documented one at which this client asks; 0: the one for everything
}

// request is one call, complete. Body nil is none, a string is sent as it is, anything
// else as JSON.
type request struct {
	Method, Path string
	Body         any
	Header       http.Header
}

// answer is what came back.
type answer struct {
	t      *testing.T
	call   string
	Status int
	Header http.Header
	Body   []byte
}

// frame is one WebSocket frame, decoded and as it came.
type frame struct {
	Type string
	Text []byte
}

// Nobody is a client without an account.
func (h *hearth) Nobody(t *testing.T) *actor { return &actor{t: t, hearth: h, Name: "nobody"} }

// Arrives registers a person.
func (h *hearth) Arrives(t *testing.T, name string) *actor {
	t.Helper()
	a := h.Nobody(t)
	return a.signedIn(a.Do("POST", "/api/auth/register", registration(name)).Must(201))
}

// SetsUp registers the first administrator.
func (h *hearth) SetsUp(t *testing.T, name string) *actor {
	t.Helper()
	code, err := h.Users.SetupCode(t.Context())
	if err != nil || code == "" {
		t.Fatalf("setup code %q: %v", code, err)
	}
	body := registration(name)
	body["setup_code"] = code
	a := h.Nobody(t)
	return a.signedIn(a.Do("POST", "/api/auth/register", body).Must(201))
}

// Returns signs a person in again, at another client.
func (h *hearth) Returns(t *testing.T, who *actor) *actor {
	t.Helper()
	a := h.Nobody(t)
	return a.signedIn(a.Do("POST", "/api/auth/login", map[string]any{"username": who.Name, "password": password}).Must(200))
}

const password = "password123"

func registration(name string) map[string]any {
	return map[string]any{"username": name, "email": name + "@example.com", "password": password}
}

func (a *actor) signedIn(got answer) *actor {
	return &actor{
		t: a.t, hearth: a.hearth, Name: got.String("user.username"), Number: got.Int("user.user_id"), ID: got.String("user.id"),
		Token: got.String("token"), Refresh: got.String("refreshToken"),
	}
}

// Do makes a request as this person and returns the answer.
func (a *actor) Do(method, path string, body any) answer {
	a.t.Helper()
	return a.Send(request{Method: method, Path: path, Body: body})
}

// Send is Do with headers. A header that is given replaces the usual one; an empty one removes it.
func (a *actor) Send(r request) answer {
	a.t.Helper()
	var body io.Reader
	switch b := r.Body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			a.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	out, err := http.NewRequestWithContext(a.t.Context(), r.Method, a.base()+r.Path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	out.Host = a.host
	if a.port != 0 {
		out.Host = fmt.Sprintf("localhost:%d", a.port)
	}
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if a.Token != "" {
		out.Header.Set("Authorization", "Bearer "+a.Token)
	}
	for name, values := range r.Header {
		out.Header[name] = values
	}
	in, err := a.hearth.client.Do(out)
	if err != nil {
		a.t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	if err != nil {
		a.t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	if path, documented := a.documented(out.URL.EscapedPath()); documented {
		theDocument().judge(a.t, r.Method, path, in, text)
	}
	return answer{t: a.t, call: a.Name + ": " + r.Method + " " + r.Path, Status: in.StatusCode, Header: in.Header, Body: text}
}

// At is the same person at a client of one of the documented ports.
func (a *actor) At(port int) *actor {
	at := *a
	at.port, at.socket, at.waiting = port, nil, nil
	return &at
}

// base is where this client's requests go.
func (a *actor) base() string {
	if a.port == 0 {
		return a.hearth.URL
	}
	return a.hearth.Ports[a.port]
}

// documented returns the path that the document has for one that was asked for. The
// services' own health is not in it, nor is what they never had.
func (a *actor) documented(path string) (documented string, ok bool) {
	service := compat.At(a.port)
	if service == nil {
		return path, true
	}
	path, ok = service.Path(path)
	return path, ok && path != "/health"
}

// Must ends the test unless the answer has the status.
func (g answer) Must(status int) answer {
	g.t.Helper()
	if g.Status != status {
		g.t.Fatalf("%s = %d %.500s, want %d", g.call, g.Status, g.Body, status)
	}
	return g
}

// At returns a value of the answer by a path such as "tokens.accessToken" or "0.id";
// ok is false when there is none.
func (g answer) At(path string) (value any, ok bool) {
	g.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(g.Body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		g.t.Fatalf("%s = %d %.500s: %v", g.call, g.Status, g.Body, err)
	}
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			if value, ok = v[step]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// String returns a text of the answer, which must be there.
func (g answer) String(path string) string {
	g.t.Helper()
	value, _ := g.At(path)
	text, ok := value.(string)
	if !ok {
		g.t.Fatalf("%s: %s = %v, want a string in %.500s", g.call, path, value, g.Body)
	}
	return text
}

// Int returns a number of the answer, which must be there.
func (g answer) Int(path string) int {
	g.t.Helper()
	value, _ := g.At(path)
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(string(number))
	if err != nil {
		g.t.Fatalf("%s: %s = %v, want an integer in %.500s", g.call, path, value, g.Body)
	}
	return n
}

// Makes creates a public room, MakesPrivate one that only its members know, with people in it at once.
func (a *actor) Makes(name string, people ...*actor) (room string) {
	a.t.Helper()
	return a.create(map[string]any{"name": name, "invited_users": numbers(people)})
}

func (a *actor) MakesPrivate(name string, people ...*actor) (room string) {
	a.t.Helper()
	return a.create(map[string]any{"name": name, "is_private": true, "invited_users": numbers(people)})
}

func (a *actor) create(body any) string {
	a.t.Helper()
	return a.Do("POST", "/api/chat/rooms", body).Must(201).String("id")
}

func numbers(people []*actor) []int {
	all := []int{}
	for _, p := range people {
		all = append(all, p.Number)
	}
	return all
}

// Joins makes the person a member of a room.
func (a *actor) Joins(room string) {
	a.t.Helper()
	a.Do("POST", "/api/chat/rooms/"+room+"/join", nil).Must(200)
}

// Post says something in a room and returns the message's id.
func (a *actor) Post(room, content string) (message string) {
	a.t.Helper()
	return a.Do("POST", "/api/chat/rooms/"+room+"/messages", map[string]any{"content": content}).Must(201).String("id")
}

// Handshake asks for a WebSocket and returns the answer; the connection is nil unless it is 101.
func (a *actor) Handshake(path string, header http.Header) (*websocket.Conn, answer) {
	a.t.Helper()
	all := http.Header{}
	if a.Token != "" {
		all.Set("Authorization", "Bearer "+a.Token)
	}
	for name, values := range header {
		all[name] = values
	}
	if a.port != 0 {
		all.Set("Host", fmt.Sprintf("localhost:%d", a.port))
	}
	conn, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.base(), "http")+path, all)
	if response == nil {
		a.t.Fatalf("WebSocket %s: %v", path, err)
	}
	body, _ := io.ReadAll(response.Body)
	plain, _ := url.Parse(path)
	if path, documented := a.documented(plain.EscapedPath()); documented {
		theDocument().judge(a.t, "GET", path, response, body)
	}
	return conn, answer{t: a.t, call: a.Name + ": WebSocket " + path, Status: response.StatusCode, Header: response.Header, Body: body}
}

// Watches opens a socket, /api/chat/ws or that of one room, which closes with the test.
// It returns once the server has said hello.
func (a *actor) Watches(path string) {
	a.t.Helper()
	conn, got := a.Handshake(path, nil)
	got.Must(101)
	a.socket, a.frames, a.closed = conn, make(chan frame, 1024), make(chan int, 1)
	done := make(chan struct{})
	go func(frames chan<- frame, closed chan<- int) {
		defer close(done)
		defer close(frames)
		for {
			_, text, err := conn.ReadMessage()
			if end := (*websocket.CloseError)(nil); errors.As(err, &end) {
				closed <- end.Code
			}
			if err != nil {
				return
			}
			var head struct{ Type string }
			_ = json.Unmarshal(text, &head)
			if compat.At(a.port) == nil || head.Type != "message" {
				theDocument().judgeFrame(a.t, head.Type, text)
			}
			frames <- frame{head.Type, text}
		}
	}(a.frames, a.closed)
	a.t.Cleanup(func() {
		conn.Close()
		<-done
	})
	a.greeting = a.Hears("hello", nil)
}

// Says sends a frame: a string as it is, anything else as JSON that the document knows.
func (a *actor) Says(body any) {
	a.t.Helper()
	text, isText := body.(string)
	if !isText {
		b, err := json.Marshal(body)
		if err == nil {
			err = judgeJSON(theDocument().clientFrame, b)
		}
		if err != nil {
			a.t.Fatal(err)
		}
		text = string(b)
	}
	if err := a.socket.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		a.t.Fatalf("%s: send %.200s: %v", a.Name, text, err)
	}
}

// Hears waits for a frame of a type that is also right (nil: any). Frames it passes over
// stay for later.
func (a *actor) Hears(kind string, right func(answer) bool) answer {
	a.t.Helper()
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	for i := 0; ; i++ {
		if i == len(a.waiting) {
			select {
			case f, open := <-a.frames:
				if !open {
					a.t.Fatalf("%s: the socket closed before %q came; heard %s", a.Name, kind, a.waiting)
				}
				a.waiting = append(a.waiting, f)
			case <-timeout.C:
				a.t.Fatalf("%s: no %q came; heard %s", a.Name, kind, a.waiting)
			}
		}
		f := a.waiting[i]
		got := answer{t: a.t, call: a.Name + " hears " + f.Type, Body: f.Text}
		if f.Type == kind && (right == nil || right(got)) {
			a.waiting = slices.Delete(a.waiting, i, i+1)
			return got
		}
	}
}

func (f frame) String() string { return fmt.Sprintf("%.300s", f.Text) }

// Sees waits until a message with this content arrives on the socket.
func (a *actor) Sees(content string) answer {
	a.t.Helper()
	return a.Hears("message", func(f answer) bool { return f.String("message.content") == content })
}
