package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// raw sends bytes over a connection of its own and returns all that comes back until the
// server closes it, which it must.
func (h *hearth) raw(t *testing.T, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%.80q: %v after %.200q", text, err, all)
	}
	return string(all)
}

// TestAmbiguousRequests sends what a proxy before us may read otherwise than we do. The
// connection must end with one answer at most, so that nothing can hide behind it.
func TestAmbiguousRequests(t *testing.T) {
	h := start(t, options{})
	const head = "POST /api/auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
	const hidden = "GET /hidden-request HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
	for name, tt := range map[string]struct {
		text   string
		status string // of the only answer; empty: no answer at all
	}{
		"length and chunks":           {head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "400"},
		"chunks and length":           {head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden, "400"},
		"two lengths":                 {head + "Content-Length: 0\r\nContent-Length: 90\r\n\r\n" + hidden, "400"},
		"a length of two":             {head + "Content-Length: 0, 90\r\n\r\n" + hidden, "400"},
		"a negative length":           {head + "Content-Length: -1\r\n\r\n" + hidden, "400"},
		"a signed length":             {head + "Content-Length: +0\r\n\r\n" + hidden, "400"},
		"an unknown coding":           {head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, "400"},
		"chunks twice":                {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "400"},
		"a space before the colon":    {head + "Content-Length : 0\r\n\r\n" + hidden, "400"},
		"a bare line feed in a chunk": {head + "Transfer-Encoding: chunked\r\n\r\n2;a\nxx\r\n2\r\n{}\r\n0\r\n\r\n" + hidden, "400"},
		"a bad chunk size":            {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + hidden, "400"},
		"a chunk longer than it says": {head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + hidden, "400"},
		"a folded coding":             {head + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden, "400"},
		"headers without end":         {head + "X-A: " + strings.Repeat("a", 9000) + "\r\n\r\n" + hidden, "431"},
		"very many headers":           {head + strings.Repeat("X-A: b\r\n", 2000) + "\r\n" + hidden, "431"},
		"a path without end":          {"GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: h\r\n\r\n" + hidden, "431"},
		"a body above the limit":      {head + "Content-Length: 1048577\r\n\r\n" + hidden, "413"},
		"chunks above the limit":      {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("x", 0x10000)+"\r\n", 17) + hidden, "413"},
		"a length beyond all numbers": {head + "Content-Length: 99999999999999999999\r\n\r\n" + hidden, "400"},
		"no HTTP at all":              {"hello\r\n\r\n", "400"},
		"TLS":                         {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.raw(t, tt.text)
			if n := strings.Count(got, "HTTP/1.1 "); n != 1 || !strings.HasPrefix(got, "HTTP/1.1 "+tt.status) {
				t.Fatalf("%d answers: %.600q", n, got)
			}
			response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body struct{ Error, Code, Timestamp string }
			if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Error == "" || body.Code == "" || body.Timestamp == "" {
				t.Errorf("the body: %+v, %v in %.600q", body, err, got)
			}
			if !requestID.MatchString(response.Header.Get("X-Request-Id")) || !response.Close {
				t.Errorf("the answer: %.600q", got)
			}
		})
	}
}

// TestPayloadsNeverMix: strings of a request live in buffers that the next one overwrites.
// What was stored must be what was sent, by whom it was sent.
func TestPayloadsNeverMix(t *testing.T) {
	h := start(t, options{})
	people := []*actor{h.Arrives(t, "ann"), h.Arrives(t, "bob"), h.Arrives(t, "cyd"), h.Arrives(t, "dan")}
	room := people[0].Makes("General", people[1:]...)
	const posts = 60
	var wait sync.WaitGroup
	for _, p := range people {
		wait.Go(func() {
			for i := range posts {
				mark := strings.Repeat(fmt.Sprintf("%s-%02d ", p.Name, i), 1+i%7)
				got := p.Send(request{Method: "POST", Path: "/api/chat/rooms/" + room + "/messages", Header: http.Header{"X-Request-Id": {p.Name}},
					Body: map[string]any{"content": mark, "client_id": fmt.Sprintf("%s-%d", p.Name, i)}})
				if got.Status != 201 || got.Header.Get("X-Request-Id") != p.Name {
					t.Errorf("%s: %d %v %s", p.Name, got.Status, got.Header, got.Body)
				}
				p.Do("PUT", "/api/users/profile", map[string]any{"firstName": p.Name, "profile": map[string]any{"bio": mark}})
				if found := p.Do("GET", "/api/users?q="+p.Name, nil); found.String("users.0.firstName") != p.Name {
					t.Errorf("%s finds %s", p.Name, found.Body)
				}
			}
		})
	}
	wait.Wait()
	seen := map[string]int{}
	for before := ""; ; {
		page := people[0].Do("GET", "/api/messages/room/"+room+"?limit=200"+before, nil).Must(200)
		var messages []struct {
			ID, Username, Content string
			ClientID              string `json:"client_id"`
			Type                  string
		}
		if err := json.Unmarshal(page.Body, &messages); err != nil {
			t.Fatal(err)
		}
		if len(messages) == 0 {
			break
		}
		for _, m := range messages {
			if m.Type == "system" {
				continue
			}
			seen[m.Username]++
			words := strings.Fields(m.Content)
			for _, word := range words {
				if word != words[0] || !strings.HasPrefix(word, m.Username+"-") || !strings.HasPrefix(m.ClientID, m.Username+"-") {
					t.Fatalf("mixed: %+v", m)
				}
			}
		}
		before = "&before=" + messages[0].ID
	}
	for _, p := range people {
		if seen[p.Name] != posts {
			t.Errorf("%s posted %d, history has %d", p.Name, posts, seen[p.Name])
		}
		if bio := p.Do("GET", "/api/users/me", nil).String("user.profile.bio"); !strings.HasPrefix(bio, p.Name+"-59 ") {
			t.Errorf("%s's bio is %q", p.Name, bio)
		}
	}
}

// TestSocketsNeverMix: the adapter hands a socket's wrapper to the next one as soon as its
// handler returns. Whoever kept the old one would write Ann's secrets into Bob's socket.
func TestSocketsNeverMix(t *testing.T) {
	h := start(t, options{})
	people := []*actor{h.Arrives(t, "ann"), h.Arrives(t, "bob"), h.Arrives(t, "cyd")}
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for _, p := range people {
		room := p.MakesPrivate("only " + p.Name)
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if got := p.Do("POST", "/api/chat/rooms/"+room+"/messages", map[string]any{"content": "secret of " + p.Name}); got.Status != 201 {
					t.Errorf("%s: %d %s", p.Name, got.Status, got.Body)
					return
				}
			}
		})
		readers.Go(func() {
			heard := 0
			for round := range 60 {
				conn, got := p.Handshake("/api/chat/ws", nil)
				if got.Status != 101 {
					t.Errorf("%s: %d %s", p.Name, got.Status, got.Body)
					return
				}
				for range 1 + round%4 {
					_, frame, err := conn.ReadMessage()
					if err != nil {
						t.Errorf("%s: %v", p.Name, err)
						break
					}
					for _, other := range people {
						if other != p && strings.Contains(string(frame), "secret of "+other.Name) {
							t.Errorf("%s hears %s", p.Name, frame)
						}
					}
					if strings.Contains(string(frame), "secret of "+p.Name) {
						heard++
					}
				}
				_ = conn.Close() // abruptly, as a browser does that is closed
			}
			if heard == 0 {
				t.Errorf("%s heard nothing of their own", p.Name)
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
}

func TestFramesAboveTheLimitClose1009(t *testing.T) {
	h := start(t, options{})
	ann := h.Arrives(t, "ann")
	conn, got := ann.Handshake("/api/chat/ws", nil)
	got.Must(101)
	defer conn.Close()
	big := `{"type":"ping","x":"` + strings.Repeat("x", 256<<10) + `"}`
	if err := conn.WriteMessage(1, []byte(big)); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(conn.NextReader, t); code != 1009 {
		t.Errorf("close code %d, want 1009", code)
	}
}

// closeCode reads to the end and returns the code the server closed with.
func closeCode(next func() (int, io.Reader, error), t *testing.T) int {
	t.Helper()
	for {
		if _, _, err := next(); err != nil {
			var code int
			if _, scan := fmt.Sscanf(err.Error(), "websocket: close %d", &code); scan != nil {
				t.Fatalf("the socket ended with %v", err)
			}
			return code
		}
	}
}

func TestSocketOnARoomThatIsNotThere(t *testing.T) {
	h := start(t, options{})
	ann, bob := h.Arrives(t, "ann"), h.Arrives(t, "bob")
	secret := ann.MakesPrivate("Secret")
	for _, room := range []string{"nowhere", secret, strings.Repeat("r", 60), "%00", "%2f"} {
		conn, got := bob.Handshake("/api/chat/ws/"+room, nil)
		got.Must(101)
		if code := closeCode(conn.NextReader, t); code != 4004 {
			t.Errorf("a socket on %s: close %d, want 4004", room, code)
		}
		_ = conn.Close()
	}
}

func TestHandshakesThatAreNone(t *testing.T) {
	h := start(t, options{})
	ann := h.Arrives(t, "ann")
	upgrade := func(more ...string) http.Header {
		header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		for i := 0; i < len(more); i += 2 {
			header.Set(more[i], more[i+1])
		}
		return header
	}
	for name, tt := range map[string]struct {
		header http.Header
		path   string
		status int
	}{
		"an ordinary request": {http.Header{}, "/api/chat/ws", 426},
		"another protocol":    {upgrade("Upgrade", "h2c"), "/api/chat/ws", 426},
		"another version":     {upgrade("Sec-WebSocket-Version", "8"), "/api/chat/ws", 426},
		"no key":              {upgrade("Sec-WebSocket-Key", ""), "/api/chat/ws", 400},
		"a short key":         {upgrade("Sec-WebSocket-Key", "eA=="), "/api/chat/ws", 400},
		"a bad cursor":        {upgrade(), "/api/chat/ws?since=yesterday", 400},
		"an empty cursor":     {upgrade(), "/api/chat/ws?since=", 400},
	} {
		if got := ann.Send(request{Method: "GET", Path: tt.path, Header: tt.header}); got.Status != tt.status || got.String("code") == "" {
			t.Errorf("%s: %d %s, want %d", name, got.Status, got.Body, tt.status)
		}
	}
}

// TestStoppingServer: clients hear when to come back, requests under way end, and Serve
// returns only then.
func TestStoppingServer(t *testing.T) {
	h := start(t, options{})
	ann := h.Arrives(t, "ann")
	conn, got := ann.Handshake("/api/chat/ws", nil)
	got.Must(101)
	defer conn.Close()
	silent, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://")) // opened for later
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.close()
	}()
	for {
		_, _, err := conn.ReadMessage()
		if err == nil {
			continue
		}
		var code, delay int
		if _, scan := fmt.Sscanf(err.Error(), "websocket: close %d: %d", &code, &delay); scan != nil || code != 1012 || delay < 100 || delay > 10_000 {
			t.Errorf("the socket ended with %v, want 1012 and a delay", err)
		}
		break
	}
	begun := time.Now()
	<-done
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("a connection on which nothing was said holds up the end for %s", took)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://")); err == nil {
		_ = conn.Close()
		t.Error("the server still takes connections")
	}
}
