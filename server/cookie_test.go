package server_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server"
)

// cookieOf returns the one cookie an answer sets; nil when it sets none.
func cookieOf(t *testing.T, got answer) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: got.Header}).Cookies()
	if len(cookies) > 1 {
		t.Fatalf("%s sets %d cookies", got.call, len(cookies))
	}
	if len(cookies) == 0 {
		return nil
	}
	return cookies[0]
}

func TestRefreshTokenInACookie(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, tt := range []struct {
		name   string
		server server.Options
		proto  string
		secure bool
	}{
		{"plain HTTP", server.Options{}, "", false},
		{"a header from nobody we trust", server.Options{}, "https", false},
		{"a trusted proxy", server.Options{TrustedProxies: trusted}, "https", true},
		{"a public address", server.Options{FrontendURL: "https://chat.example.org"}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := start(t, options{Server: tt.server})
			who := h.Nobody(t)
			header := func(more ...string) http.Header {
				all := http.Header{"Origin": {h.URL}}
				if tt.proto != "" {
					all.Set("X-Forwarded-Proto", tt.proto)
				}
				for i := 0; i < len(more); i += 2 {
					all.Set(more[i], more[i+1])
				}
				return all
			}
			body := registration("ann")
			body["cookie"] = true
			got := who.Send(request{Method: "POST", Path: "/api/auth/register", Body: body, Header: header()}).Must(201)
			cookie := cookieOf(t, got)
			if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure != tt.secure || cookie.Domain != "" {
				t.Fatalf("the cookie: %v", cookie)
			}
			if name, path := cookie.Name, cookie.Path; tt.secure && (name != "__Host-hearth" || path != "/") || !tt.secure && (name != "hearth" || path != "/api/auth") {
				t.Errorf("the cookie is %s for %s", name, path)
			}
			if _, there := got.At("refreshToken"); there || strings.Contains(string(got.Body), cookie.Value) {
				t.Errorf("the refresh token is in the body too: %s", got.Body)
			}
			pair := cookie.Name + "=" + cookie.Value

			refresh := func(header http.Header) answer {
				return who.Send(request{Method: "POST", Path: "/api/auth/refresh-token", Header: header})
			}
			for _, origin := range []string{"https://evil.example", "null", ""} {
				refresh(header("Cookie", pair, "Origin", origin)).Must(401)
			}
			refresh(http.Header{"Cookie": {pair}}).Must(401) // no page is named at all
			next := refresh(header("Cookie", pair)).Must(200)
			if _, there := next.At("refreshToken"); there {
				t.Errorf("a refresh by cookie answers with the token: %s", next.Body)
			}
			renewed := cookieOf(t, next)
			if renewed == nil || renewed.Value == cookie.Value || renewed.Name != cookie.Name {
				t.Fatalf("the next cookie: %v", renewed)
			}
			// A cookie is no way in anywhere else.
			who.Send(request{Method: "GET", Path: "/api/users/me", Header: header("Cookie", renewed.Name+"="+renewed.Value)}).Must(401)

			out := who.Send(request{Method: "POST", Path: "/api/auth/logout", Header: header("Cookie", renewed.Name+"="+renewed.Value)}).Must(200)
			if gone := cookieOf(t, out); gone == nil || gone.Value != "" || gone.Expires.After(h.Now()) {
				t.Errorf("signing out leaves the cookie: %v", gone)
			}
			refresh(header("Cookie", renewed.Name+"="+renewed.Value)).Must(401)
		})
	}
}

func TestRotationOverHTTP(t *testing.T) {
	h := start(t, options{Limits: true})
	ann := h.Arrives(t, "ann")
	refresh := func(token string) answer {
		return h.Nobody(t).Do("POST", "/api/auth/refresh-token", map[string]any{"refreshToken": token})
	}
	first := refresh(ann.Refresh).Must(200)
	second := refresh(ann.Refresh).Must(200) // another tab, a moment later
	if first.String("refreshToken") == second.String("refreshToken") {
		t.Error("two tabs got the same token")
	}
	refresh(second.String("refreshToken")).Must(200)
	h.clock.Advance(11e9)
	refresh(ann.Refresh).Must(401) // a thief, or the owner after a thief: the family ends
	refresh(first.String("refreshToken")).Must(401)
	ann.Do("GET", "/api/users/me", nil).Must(401)

	again := ann.signedIn(h.Nobody(t).Do("POST", "/api/auth/login", map[string]any{"username": "ann", "password": password}).Must(200))
	again.Do("GET", "/api/users/me", nil).Must(200)
	h.Nobody(t).Do("POST", "/api/auth/logout", map[string]any{"refreshToken": again.Refresh}).Must(200)
	again.Do("GET", "/api/users/me", nil).Must(401)
	if cookie := cookieOf(t, again.Do("POST", "/api/auth/logout", nil)); cookie != nil {
		t.Errorf("a client without cookies is sent %v", cookie)
	}
}
