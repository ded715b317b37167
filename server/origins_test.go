package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server"
)

func TestCORS(t *testing.T) {
	h := start(t, options{Server: server.Options{FrontendURL: "https://chat.example.org", CORSOrigins: []string{"http://localhost:3000", "https://other.example.org:8443/"}}})
	for _, tt := range []struct {
		origin string
		shared bool
	}{
		{"https://chat.example.org", true}, {"http://localhost:3000", true}, {"https://other.example.org:8443", true},
		{"http://chat.example.org", false}, {"https://chat.example.org:8443", false}, {"https://chat.example.org.evil.example", false},
		{"https://evil.example", false}, {"https://CHAT.example.org", false}, {"http://localhost", false}, {"null", false}, {"*", false}, {h.URL, false}, {"", false},
	} {
		header := http.Header{"Origin": {tt.origin}}
		got := h.Nobody(t).Send(request{Method: "GET", Path: "/api/workspace", Header: header}).Must(200)
		preflight := h.Nobody(t).Send(request{Method: "OPTIONS", Path: "/api/chat/rooms", Header: http.Header{
			"Origin": {tt.origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"},
		}}).Must(204)
		refused := h.Nobody(t).Send(request{Method: "GET", Path: "/api/users/me", Header: header}).Must(401)
		large := h.Nobody(t).Send(request{Method: "POST", Path: "/api/auth/login", Body: strings.Repeat("x", 1<<20+1), Header: header}).Must(413)
		for name, want := range map[string]string{"Access-Control-Allow-Origin": tt.origin, "Access-Control-Expose-Headers": "X-Request-Id, Retry-After"} {
			if !tt.shared {
				want = ""
			}
			for _, answer := range []answer{got, preflight, refused, large} {
				if value := answer.Header.Get(name); value != want {
					t.Errorf("%s from %q: %s = %q, want %q", answer.call, tt.origin, name, value, want)
				}
			}
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE", "Access-Control-Allow-Headers": "Authorization, Content-Type", "Access-Control-Max-Age": "600",
		} {
			if !tt.shared {
				want = ""
			}
			if value := preflight.Header.Get(name); value != want {
				t.Errorf("preflight from %q: %s = %q, want %q", tt.origin, name, value, want)
			}
		}
		if got.Header.Get("Access-Control-Allow-Credentials") != "" || preflight.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q may send credentials", tt.origin)
		}
		if vary := got.Header.Get("Vary"); !strings.Contains(vary, "Origin") {
			t.Errorf("from %q: Vary = %q", tt.origin, vary)
		}
	}
}

func TestOptionsNameTheWrongOrigin(t *testing.T) {
	for _, o := range []server.Options{{FrontendURL: "chat.example.org"}, {CORSOrigins: []string{"*"}}, {CORSOrigins: []string{"https://a.example", "null"}}} {
		if _, err := server.New(nil, nil, nil, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestSocketOrigins: any page can make a browser open a socket, so the page counts.
func TestSocketOrigins(t *testing.T) {
	h := start(t, options{Server: server.Options{FrontendURL: "https://chat.example.org", CORSOrigins: []string{"https://other.example.org"}}})
	ann := h.Arrives(t, "ann")
	host := strings.TrimPrefix(h.URL, "http://")
	for _, tt := range []struct {
		origin string // "-" for none
		header int    // with the token in the Authorization header
		proto  int    // with the token as a subprotocol, the way of browsers
	}{
		{"-", 101, 403}, {h.URL, 101, 101}, {"https://" + host, 101, 101}, {"https://chat.example.org", 101, 101}, {"https://other.example.org", 101, 101},
		{"https://evil.example", 403, 403}, {"null", 403, 403}, {"http://127.0.0.1", 403, 403}, {"http://127.0.0.1:1", 403, 403},
		{"https://chat.example.org.evil.example", 403, 403}, {"file://", 403, 403}, {"http://evil.example/" + host, 403, 403}, {"http://" + host + "@evil.example", 403, 403},
	} {
		for way, want := range map[string]int{"header": tt.header, "subprotocol": tt.proto} {
			who, header := ann, http.Header{}
			if way == "subprotocol" {
				who = h.Nobody(t)
				header.Set("Sec-WebSocket-Protocol", "bearer, "+ann.Token)
			}
			if tt.origin != "-" {
				header.Set("Origin", tt.origin)
			}
			conn, got := who.Handshake("/api/chat/ws", header)
			if got.Status != want {
				t.Errorf("Origin %s, token as %s: %d, want %d", tt.origin, way, got.Status, want)
			}
			if conn == nil {
				continue
			}
			if selected := conn.Subprotocol(); way == "subprotocol" && selected != "bearer" {
				t.Errorf("Origin %s: selected subprotocol %q", tt.origin, selected)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestForwardedAddresses: the header counts from proxies we trust and from nobody else.
func TestForwardedAddresses(t *testing.T) {
	guess := func(who *actor, from string) int {
		return who.Send(request{Method: "POST", Path: "/api/auth/verify-email", Body: `{"token":"x"}`, Header: http.Header{"X-Forwarded-For": {from}}}).Status
	}
	exhaust := func(who *actor, from func(i int) string) (refused bool) {
		for i := range 121 {
			if guess(who, from(i)) == 429 {
				return true
			}
		}
		return false
	}
	t.Run("from nobody", func(t *testing.T) {
		h := start(t, options{Limits: true})
		if !exhaust(h.Nobody(t), func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }) {
			t.Error("a made-up address for each request escapes the limit")
		}
	})
	trusted := server.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	t.Run("from a trusted proxy", func(t *testing.T) {
		h := start(t, options{Limits: true, Server: trusted})
		if exhaust(h.Nobody(t), func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }) {
			t.Error("people behind the proxy share one limit")
		}
	})
	t.Run("what the client wrote before the proxy", func(t *testing.T) {
		h := start(t, options{Limits: true, Server: trusted})
		if !exhaust(h.Nobody(t), func(i int) string { return fmt.Sprintf("198.51.100.%d, 203.0.113.7", i) }) {
			t.Error("the leftmost address counts, which clients choose")
		}
	})
	t.Run("the scheme", func(t *testing.T) {
		for _, tt := range []struct {
			o    server.Options
			want string
		}{{server.Options{}, "http://"}, {trusted, "https://"}} {
			ada := start(t, options{Server: tt.o}).SetsUp(t, "ada")
			url := ada.Send(request{Method: "POST", Path: "/api/admin/invites", Header: http.Header{"X-Forwarded-Proto": {"https"}}}).Must(201).String("url")
			if !strings.HasPrefix(url, tt.want) {
				t.Errorf("trusting %v, the invite leads to %s", tt.o.TrustedProxies, url)
			}
		}
	})
}
