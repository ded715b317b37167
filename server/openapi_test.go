package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the who column may say, and whether it takes a token.
var whoNeedsToken = map[string]bool{
	"any": false, "acct": true, "guest": true, "memb": true, "own": true, "adm": true, "self": true,
	"as visible": true, "own, adm": true, "memb (own if private)": true,
	"author, while memb": true, "author, while memb; own": true,
}

func TestDocumentIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, op := range theDocument().operations {
		name := op.Method + " " + op.Path
		if op.ID == "" || seen[op.ID] {
			t.Errorf("%s: operationId %q is missing or not its own", name, op.ID)
		}
		seen[op.ID] = true
		token, known := whoNeedsToken[op.Who]
		if !known {
			t.Errorf("%s: x-who %q says nothing", name, op.Who)
		}
		if _, refuses := op.answers[401]; token && !refuses {
			t.Errorf("%s: needs a token and documents no 401", name)
		}
		if op.answers[200] == nil && op.answers[201] == nil && op.answers[101] == nil {
			t.Errorf("%s: documents no way to succeed", name)
		}
		for _, status := range []int{400, 413, 415} {
			if _, ok := op.answers[status]; op.HasBody && !ok {
				t.Errorf("%s: takes a body and documents no %d", name, status)
			}
		}
		if _, ok := op.answers[404]; strings.Contains(op.Path, "{") && !ok && op.answers[101] == nil {
			t.Errorf("%s: names something in its path and documents no 404", name)
		}
	}
}

// TestEveryAnswer provokes every status that the document lists for every operation. An
// answer that nothing provokes, or that is not what the document says, fails.
func TestEveryAnswer(t *testing.T) {
	t.Parallel()
	free := start(t, options{})
	limited := start(t, options{Limits: true})
	for _, op := range theDocument().operations {
		for status := range op.answers {
			t.Run(fmt.Sprintf("%s %d", op.ID, status), func(t *testing.T) {
				switch {
				case status == 429:
					limited.clock.Advance(2 * time.Minute)
					a := mayAttempt(newStage(t, limited), op)
					exhaust(t, a, op)
					a.send(op).Must(429)
				case status == 503 && op.ID == "health":
					free.disk.set(diskGone)
					defer free.disk.set(diskFine)
					free.Nobody(t).Do("GET", "/health", nil).Must(503)
				case status == 503:
					s := newStage(t, free)
					a := mayAttempt(s, op)
					if special := exampleOf(t, op.ID).also[503]; special != nil {
						a = special(s)
					}
					free.disk.set(diskFull)
					defer free.disk.set(diskFine)
					a.send(op).Must(503)
				default:
					provoke(newStage(t, free), op, status).send(op).Must(status)
				}
			})
		}
	}
	for _, v := range theDocument().unvisited() {
		t.Errorf("%s: nobody saw it answer %d", v.operation, v.status)
	}
}

func TestDocumentIsServedAsItIs(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := start(t, options{}).Nobody(t).Do("GET", "/api/openapi.json", nil).Must(200); !bytes.Equal(got.Body, want) {
		t.Errorf("%d bytes are served, the document has %d", len(got.Body), len(want))
	}
}

// TestOtherMethods asks every path for what it does not do.
func TestOtherMethods(t *testing.T) {
	t.Parallel()
	ann := start(t, options{}).Arrives(t, "ann")
	done := map[string][]string{}
	for _, op := range theDocument().operations {
		done[op.Path] = append(done[op.Path], op.Method)
	}
	filled := strings.NewReplacer("{id}", "1", "{user}", "1", "{room_id}", "1", "{user_id}", "1")
	for path, methods := range done {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if slices.Contains(methods, method) {
				continue
			}
			// /api/messages/messages is also the address of a message.
			if op := theDocument().operation(method, filled.Replace(path)); op != nil {
				continue
			}
			got := ann.Do(method, filled.Replace(path), nil).Must(405)
			if code := got.String("code"); code != "method_not_allowed" {
				t.Errorf("%s: code %q", got.call, code)
			}
			for _, m := range methods {
				if !strings.Contains(got.Header.Get("Allow"), m) {
					t.Errorf("%s: Allow is %q, want %s in it", got.call, got.Header.Get("Allow"), m)
				}
			}
		}
	}
}

// TestBrowsersGetPages asks as a browser does where that makes a difference.
func TestBrowsersGetPages(t *testing.T) {
	t.Parallel()
	nobody := start(t, options{}).Nobody(t)
	accept := http.Header{"Accept": {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}}
	for _, path := range []string{"/", "/api/auth/verify-email?token=x", "/api/users/verify-email?token=x"} {
		got := nobody.Send(request{Method: "GET", Path: path, Header: accept}).Must(200)
		if media := got.Header.Get("Content-Type"); !strings.HasPrefix(media, "text/html") {
			t.Errorf("GET %s answers a browser with %q", path, media)
		}
	}
}

// mayAttempt is a request that works: by one who may, in a public room.
func mayAttempt(s *stage, op *operation) attempt {
	return exampleOf(s.t, op.ID).make(s, s.whoMay(op.Who), s.public())
}

// provoke makes a request that ought to be answered with a status: what the operation's
// example has for it, or what is wrong with every request in the same way.
func provoke(s *stage, op *operation, status int) attempt {
	s.t.Helper()
	e := exampleOf(s.t, op.ID)
	if special := e.also[status]; special != nil {
		return special(s)
	}
	a := mayAttempt(s, op)
	switch {
	case status == e.succeeds:
	case status == 400 && op.HasBody:
		a.body = `{"content":`
	case status == 401:
		a.by = s.hearth.Nobody(s.t)
	case status == 403 && s.whoMayNot(op.Who) != nil:
		a = e.make(s, s.whoMayNot(op.Who), s.public())
	case status == 404:
		a = e.make(s, s.whoMay(op.Who), nowhere)
	case status == 413:
		a.body = `{"content":"` + strings.Repeat("x", 1<<20) + `"}`
	case status == 415:
		a.header = http.Header{"Content-Type": {"text/plain"}}
		a.body = "content"
	default:
		s.t.Fatalf("nothing provokes %d from %s", status, op.ID)
	}
	return a
}

// exhaust uses up what the limits leave to whoever makes the attempt.
func exhaust(t *testing.T, a attempt, op *operation) {
	t.Helper()
	var drain func() answer
	switch {
	case a.socket:
		for range 200 {
			conn, got := a.by.Handshake("/api/chat/ws", nil)
			got.Must(101)
			t.Cleanup(func() { conn.Close() })
		}
		return
	case strings.HasPrefix(op.ID, "changePassword"), strings.HasPrefix(op.ID, "changeEmail"):
		drain = func() answer {
			return a.by.Do("PUT", "/api/auth/email", object{"email": "new@example.org", "password": "wrong"})
		}
	case strings.HasPrefix(op.ID, "refreshToken"), strings.HasPrefix(op.ID, "logout"):
		drain = func() answer { return a.by.Do("POST", "/api/auth/logout", nil) }
	case op.Who == "any":
		drain = func() answer {
			return a.by.Do("POST", "/api/auth/forgot-password", object{"email": "nobody@example.com"})
		}
	case strings.HasPrefix(op.ID, "postMessage"):
		drain = func() answer {
			return a.by.Do("POST", "/api/messages", object{"room_id": nowhere.room, "content": "x"})
		}
	default:
		drain = func() answer {
			return a.by.Do("POST", "/api/chat/typing", object{"room_id": nowhere.room, "is_typing": true})
		}
	}
	for range 1000 {
		if drain().Status == 429 {
			return
		}
	}
	t.Fatalf("%s: a thousand requests in no time and none was too many", op.ID)
}
