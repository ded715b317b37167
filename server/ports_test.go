package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"github.com/hearthchat/hearth/server"
)

var withPorts = server.Options{ServicePorts: true}

// TestServicePortsAnswerTheSame compares whole answers of a port and of the one for everything.
func TestServicePortsAnswerTheSame(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	ann, bob, nobody := h.Arrives(t, "ann"), h.Arrives(t, "bob"), h.Nobody(t)
	room := ann.MakesPrivate("Council")
	message := ann.Post(room, "hush")
	for _, tt := range []struct {
		port        int
		there, here string
	}{
		{3000, "/api/chat/rooms", "/api/chat/rooms"},
		{3000, "/", "/"},
		{3001, "/api/users", "/api/users"},
		{3001, "/profile", "/api/auth/profile"},
		{3001, "/api/users/nobody", "/api/users/nobody"},
		{3002, "/api/rooms", "/api/chat/rooms"},
		{3002, "/rooms/" + room, "/api/chat/rooms/" + room},
		{3002, "/rooms/" + room + "/messages?limit=1", "/api/chat/rooms/" + room + "/messages?limit=1"},
		{3002, "/rooms/%2e%2e%2fmessages", "/api/chat/rooms/%2e%2e%2fmessages"},
		{3003, "/api/messages/room/" + room, "/api/messages/room/" + room},
		{3003, "/messages/" + message, "/api/messages/" + message},
		{3003, "/messages/room/" + room + "?limit=x", "/api/messages/room/" + room + "?limit=x"},
	} {
		for _, who := range []*actor{ann, bob, nobody} {
			there, here := who.At(tt.port).Do("GET", tt.there, nil), who.Do("GET", tt.here, nil)
			if there.Status != here.Status || timeless(there) != timeless(here) {
				t.Errorf("%s: :%d%s = %d %s\nwant %d %s", who.Name, tt.port, tt.there, there.Status, there.Body, here.Status, here.Body)
			}
		}
	}
}

// timeless is an answer without the moment it was made.
func timeless(g answer) string {
	body := string(g.Body)
	if g.Status >= 400 {
		body = strings.Replace(body, g.String("timestamp"), "", 1)
	}
	return body
}

// TestServicePortsHaveNothingElse: what a service never had is not found there, also for
// a browser, which gets the web app only where that was.
func TestServicePortsHaveNothingElse(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	ann := h.Arrives(t, "ann")
	browser := http.Header{"Accept": {"text/html"}}
	for _, tt := range []struct {
		port int
		path string
	}{
		{3001, "/index.html"}, {3001, "/setup"}, {3001, "/api/me"}, {3001, "/api/chat/rooms"}, {3001, "/metrics"}, {3001, "/api/openapi.json"},
		{3001, "/users/../admin/invites"}, {3002, "/api/dms"}, {3002, "/ws"}, {3002, "/api/users"}, {3003, "/rooms"}, {3003, "/api/auth/profile"},
	} {
		got := ann.At(tt.port).Send(request{Method: "GET", Path: tt.path, Header: browser}).Must(404)
		if code := got.String("code"); code == "" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf(":%d%s: %s %s", tt.port, tt.path, got.Header.Get("Content-Type"), got.Body)
		}
	}
	page := ann.At(3000).Send(request{Method: "GET", Path: "/rooms/anything", Header: browser}).Must(200)
	if !bytes.Contains(page.Body, []byte("<title>Hearth</title>")) {
		t.Errorf("port 3000 answers a browser with %s", page.Body)
	}
	for _, port := range []int{3001, 3002, 3003} {
		ann.At(port).Do("POST", "/", nil).Must(405)
		if head := ann.At(port).Do("HEAD", "/health", nil).Must(200); len(head.Body) > 0 {
			t.Errorf("HEAD at %d has the body %s", port, head.Body)
		}
	}
}

// TestServicePortsTellHowTheyAre: also when nothing can be written or read.
func TestServicePortsTellHowTheyAre(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	for _, tt := range []struct {
		disk   int32
		status int
		says   string
	}{{diskFine, 200, "healthy"}, {diskFull, 200, "degraded"}, {diskGone, 503, "unhealthy"}} {
		h.disk.set(tt.disk)
		for _, port := range []int{3001, 3002, 3003} {
			if got := h.Nobody(t).At(port).Do("GET", "/health", nil).Must(tt.status); got.String("status") != tt.says {
				t.Errorf("port %d says %s, want %s", port, got.Body, tt.says)
			}
		}
		got := h.Nobody(t).Do("GET", "/health", nil).Must(tt.status)
		for i := range 3 {
			if got.String("status") != tt.says || got.String(fmt.Sprintf("services.%d.status", i)) == "healthy" != (tt.says == "healthy") {
				t.Errorf("with disk state %d: %s", tt.disk, got.Body)
			}
		}
	}
}

// TestServicePortsShareLimits: a second port is no second allowance.
func TestServicePortsShareLimits(t *testing.T) {
	t.Parallel()
	h := start(t, options{Limits: true, Server: withPorts})
	attempt := func(port int) int {
		return h.Nobody(t).At(port).Do("POST", "/api/verify-email", map[string]any{"token": "x"}).Status
	}
	for range 120 {
		if attempt(3001) == 429 {
			break
		}
	}
	got := h.Nobody(t).Do("POST", "/api/auth/verify-email", map[string]any{"token": "x"})
	if again := attempt(3001); again != 429 || got.Status != 429 {
		t.Errorf("after 120 attempts at port 3001: %d there, %d at the other", again, got.Status)
	}
}

func TestServicePortsCORS(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	for origin, shared := range map[string]bool{"http://localhost:3000": true, "http://localhost:3001": false, "http://127.0.0.1:3000": false, "https://localhost:3000": false} {
		for _, port := range []int{0, 3000, 3001, 3002, 3003} {
			preflight := h.Nobody(t).At(port).Send(request{Method: "OPTIONS", Path: "/api/rooms", Header: http.Header{
				"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			}}).Must(204)
			refused := h.Nobody(t).At(port).Send(request{Method: "GET", Path: "/api/users/me", Header: http.Header{"Origin": {origin}}})
			for _, got := range []answer{preflight, refused} {
				if allowed := got.Header.Get("Access-Control-Allow-Origin"); (allowed == origin) != shared || !shared && allowed != "" {
					t.Errorf("port %d, %s: Access-Control-Allow-Origin %q", port, origin, allowed)
				}
			}
		}
	}
	without := start(t, options{}).Nobody(t).Send(request{Method: "GET", Path: "/health", Header: http.Header{"Origin": {"http://localhost:3000"}}})
	if allowed := without.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Errorf("without service ports %q may read answers", allowed)
	}
}

// TestServiceSockets: at port 3002 a message brings its time and kind under the names it
// had there, live and replayed; everywhere else it does not.
func TestServiceSockets(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	ann, bob := h.Arrives(t, "ann"), h.Arrives(t, "bob")
	room := ann.Makes("General", bob)
	usual, there := bob.At(3000), ann.At(3002)
	usual.Watches("/api/chat/ws/" + room)
	there.Watches("/ws/" + room + "/" + fmt.Sprint(bob.Number)) // whose token it is counts
	cursor := usual.greeting.String("cursor")
	documented := func(f answer) {
		t.Helper()
		at, kind := f.String("message.timestamp"), f.String("message.type")
		if at != f.String("message.created_at") || kind != "text" || f.String("message.message_type") != kind {
			t.Errorf("%s: %s", f.call, f.Body)
		}
	}
	there.Says(map[string]any{"type": "message", "content": "hello", "client_id": "1"})
	if ack := there.Hears("ack", nil); ack.Int("message.user_id") != ann.Number {
		t.Errorf("the socket acts as %s", ack.Body)
	}
	documented(there.Sees("hello"))
	if f := usual.Sees("hello"); bytes.Contains(f.Body, []byte(`"timestamp"`)) {
		t.Errorf("another port's message is %s", f.Body)
	}
	later := ann.At(3002)
	later.Watches("/ws/" + room + "?since=" + cursor)
	documented(later.Sees("hello"))
	later.Hears("live", nil)
	bob.Post(room, "“quoted” 👍")
	documented(later.Sees("“quoted” 👍"))
	documented(there.Sees("“quoted” 👍"))
}

// TestServiceSocketsRefuse: who may not open a socket at the one port may not here.
func TestServiceSocketsRefuse(t *testing.T) {
	t.Parallel()
	h := start(t, options{Server: withPorts})
	ann, bob := h.Arrives(t, "ann"), h.Arrives(t, "bob")
	room := ann.MakesPrivate("Council")
	if _, got := h.Nobody(t).At(3002).Handshake("/ws/"+room, nil); got.Status != 401 {
		t.Errorf("without a token: %d", got.Status)
	}
	for origin, want := range map[string]int{"https://evil.example": 403, "http://localhost:3000": 101, "http://localhost:3002": 101} {
		conn, got := ann.At(3002).Handshake("/ws/"+room, http.Header{"Origin": {origin}})
		if got.Status != want {
			t.Errorf("from a page of %s: %d, want %d", origin, got.Status, want)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
	conn, got := bob.At(3002).Handshake("/ws/"+room+"/"+fmt.Sprint(ann.Number), nil)
	got.Must(101)
	defer conn.Close()
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, 4004) {
		t.Errorf("a stranger in a private room: %v, want close 4004", err)
	}
}
