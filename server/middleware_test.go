package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hearthchat/hearth/server"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestRequestIDs(t *testing.T) {
	h := start(t, options{})
	for given, kept := range map[string]bool{
		"abc-DEF-123": true, strings.Repeat("x", 64): true, "": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "ä": false, "a\tb": false,
	} {
		got := h.Nobody(t).Send(request{Method: "GET", Path: "/health", Header: http.Header{"X-Request-Id": {given}}}).Must(200).Header.Get("X-Request-Id")
		if (got == given) != kept || got == "" {
			t.Errorf("X-Request-Id %q became %q", given, got)
		}
	}
	first, second := h.Nobody(t).Do("GET", "/health", nil), h.Nobody(t).Do("GET", "/api/nothing", nil)
	if a, b := first.Header.Get("X-Request-Id"), second.Header.Get("X-Request-Id"); a == b {
		t.Errorf("two requests have the same name %q", a)
	}
}

func TestOneLinePerRequestWithoutSecrets(t *testing.T) {
	var log lines
	h := start(t, options{Server: server.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))}})
	ann := h.Arrives(t, "ann")
	room := ann.Makes("General")
	ann.Send(request{Method: "POST", Path: "/api/chat/rooms/" + room + "/messages?secret=in-the-query", Body: `{"content":"in the body"}`,
		Header: http.Header{"X-Request-Id": {"look-for-me"}}}).Must(201)
	ann.Do("POST", "/api/auth/login", map[string]any{"email": "ann@example.com", "password": "not-the-password"}).Must(401)
	h.Nobody(t).Do("GET", "/api/nothing/at/all", nil).Must(404)
	h.close()

	var line struct {
		Method    string `json:"method"`
		Route     string `json:"route"`
		Status    int    `json:"status"`
		UserID    int    `json:"user_id"`
		RequestID string `json:"request_id"`
	}
	text := log.String()
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, "look-for-me") {
			if err := json.Unmarshal([]byte(l), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line.Method != "POST" || line.Route != "/api/chat/rooms/:id/messages" || line.Status != 201 || line.UserID != ann.Number || line.RequestID != "look-for-me" {
		t.Errorf("the line of a post: %+v in\n%s", line, text)
	}
	if n := strings.Count(text, "look-for-me"); n != 1 {
		t.Errorf("%d lines about one request", n)
	}
	for _, secret := range []string{"in the body", "in-the-query", ann.Token, ann.Refresh, password, "not-the-password", "ann@example.com", "/nothing/at/all"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	h := start(t, options{})
	ann := h.Arrives(t, "ann")
	for _, tt := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/api/nothing", 404, "not_found", ""},
		{"GET", "/api", 404, "not_found", ""},
		{"POST", "/nothing", 404, "not_found", ""},
		{"PUT", "/api/chat/rooms", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"DELETE", "/api/messages/room/x", 405, "method_not_allowed", "GET, HEAD"},
		{"POST", "/health", 405, "method_not_allowed", "GET, HEAD"},
		{"POST", "/", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", "/api/chat/rooms", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"TRACE", "/api/chat/rooms", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"BREW", "/api/chat/rooms", 405, "method_not_allowed", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
		{"GET", "/api/Chat/rooms", 404, "not_found", ""},
	} {
		got := ann.Do(tt.method, tt.path, nil).Must(tt.status)
		if code := got.String("code"); code != tt.code || got.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: code %q, Allow %q; want %q, %q", tt.method, tt.path, code, got.Header.Get("Allow"), tt.code, tt.allow)
		}
	}
	get, head := ann.Do("GET", "/api/chat/rooms", nil).Must(200), ann.Do("HEAD", "/health", nil)
	if head.Status != 200 || len(head.Body) != 0 || head.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD /health: %d, %d bytes, Content-Length %q", head.Status, len(head.Body), head.Header.Get("Content-Length"))
	}
	if slash := ann.Do("GET", "/api/chat/rooms/", nil).Must(200); !bytes.Equal(slash.Body, get.Body) {
		t.Error("a slash at the end makes another answer")
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	h := start(t, options{})
	for _, path := range []string{"/health", "/api/nothing", "/api/users/me", "/"} {
		got := h.Nobody(t).Do("GET", path, nil)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if value := got.Header.Get(name); value != want {
				t.Errorf("%s: %s = %q, want %q", path, name, value, want)
			}
		}
	}
	secure := start(t, options{Server: server.Options{FrontendURL: "https://chat.example.org/"}})
	if value := secure.Nobody(t).Do("GET", "/health", nil).Header.Get("Strict-Transport-Security"); value == "" {
		t.Error("no Strict-Transport-Security behind https")
	}
}

// TestHiddenAnswersAreTheSame compares all of an answer but its time and name.
func TestHiddenAnswersAreTheSame(t *testing.T) {
	h := start(t, options{})
	ann, bob := h.Arrives(t, "ann"), h.Arrives(t, "bob")
	room := ann.MakesPrivate("Secret")
	hidden := bob.Do("GET", "/api/chat/rooms/"+room, nil).Must(404)
	ann.Do("DELETE", "/api/chat/rooms/"+room, nil).Must(200)
	gone := bob.Do("GET", "/api/chat/rooms/"+room, nil).Must(404)
	for _, got := range []answer{hidden, gone} {
		got.Header.Del("X-Request-Id")
		got.Header.Del("Date")
	}
	strip := func(g answer) string {
		return strings.Replace(string(g.Body), g.String("timestamp"), "", 1)
	}
	if strip(hidden) != strip(gone) || len(hidden.Header) != len(gone.Header) || hidden.Header.Get("Content-Length") != gone.Header.Get("Content-Length") {
		t.Errorf("hidden: %v %s\ngone: %v %s", hidden.Header, hidden.Body, gone.Header, gone.Body)
	}
}
