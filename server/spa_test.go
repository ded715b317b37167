package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hearthchat/hearth/server"
)

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func TestWebApp(t *testing.T) {
	h := start(t, options{Server: server.Options{Web: fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html><title>app</title>")},
		"index.html.gz":         {Data: zipped("<!doctype html><title>app</title>")},
		"assets/app-1a2b.js":    {Data: []byte("let app")},
		"assets/app-1a2b.js.gz": {Data: zipped("let app")},
		"favicon.svg":           {Data: []byte("<svg/>")},
	}}})
	page := "<!doctype html><title>app</title>"
	for _, tt := range []struct {
		path, accept, encoding        string
		status                        int
		body, media, cache, encoding2 string
	}{
		{"/", browser, "gzip", 200, page, "text/html; charset=utf-8", "no-cache", "gzip"},
		{"/", browser, "", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/rooms/01a2", browser, "br, gzip;q=0.5", 200, page, "text/html; charset=utf-8", "no-cache", "gzip"},
		{"/rooms/01a2", browser, "gzip;q=0", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/join/abc", "*/*", "", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/apiary", "", "", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/assets/app-1a2b.js", "*/*", "gzip", 200, "let app", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "gzip"},
		{"/assets/app-1a2b.js", "*/*", "", 200, "let app", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", ""},
		{"/favicon.svg", "*/*", "gzip", 200, "<svg/>", "image/svg+xml", "no-cache", ""},
		{"/assets/gone.js", "*/*", "gzip", 404, "", "application/json", "no-store", ""},
		{"/assets/app-1a2b.js.gz", "*/*", "", 404, "", "application/json", "no-store", ""},
		{"/../../etc/passwd", browser, "", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/%2e%2e/etc/passwd", browser, "", 200, page, "text/html; charset=utf-8", "no-cache", ""},
		{"/api/nothing", browser, "", 404, "", "application/json", "no-store", ""},
	} {
		// Accept-Encoding given by hand: the client then leaves the body as it came.
		got := h.Nobody(t).Send(request{Method: "GET", Path: tt.path, Header: http.Header{"Accept": {tt.accept}, "Accept-Encoding": {tt.encoding}}})
		body := string(got.Body)
		if got.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(got.Body))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(text)
		}
		if got.Status != tt.status || tt.status == 200 && body != tt.body || got.Header.Get("Content-Type") != tt.media ||
			got.Header.Get("Cache-Control") != tt.cache || got.Header.Get("Content-Encoding") != tt.encoding2 {
			t.Errorf("%s as %q, %q: %d %v %.80q", tt.path, tt.accept, tt.encoding, got.Status, got.Header, body)
		}
		if tt.status != 200 {
			continue
		}
		host := strings.TrimPrefix(h.URL, "http://")
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "connect-src 'self' ws://"+host+" wss://"+host+";") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy = %q", tt.path, policy)
		}
		if tt.path == "/" {
			continue // the document speaks of whole answers only
		}
		again := h.Nobody(t).Send(request{Method: "GET", Path: tt.path, Header: http.Header{
			"Accept": {tt.accept}, "Accept-Encoding": {tt.encoding}, "If-None-Match": {`"other", W/` + got.Header.Get("Etag")},
		}})
		if again.Status != 304 || len(again.Body) != 0 {
			t.Errorf("%s again: %d, %d bytes", tt.path, again.Status, len(again.Body))
		}
		if head := h.Nobody(t).Send(request{Method: "HEAD", Path: tt.path, Header: http.Header{"Accept": {tt.accept}}}); head.Status != 200 || len(head.Body) != 0 {
			t.Errorf("HEAD %s: %d, %d bytes", tt.path, head.Status, len(head.Body))
		}
	}
	for _, accept := range []string{"", "*/*", "application/json", "application/json, text/html;q=0.5"} {
		got := h.Nobody(t).Send(request{Method: "GET", Path: "/", Header: http.Header{"Accept": {accept}}}).Must(200)
		if got.Header.Get("Content-Type") != "application/json" || got.String("endpoints.health") != "/health" {
			t.Errorf("GET / as %q: %s", accept, got.Body)
		}
	}
}

func TestWithoutAWebApp(t *testing.T) {
	for _, o := range []server.Options{{}, {Web: fstest.MapFS{"placeholder.txt": {Data: []byte("nothing yet")}}}} {
		h := start(t, options{Server: o})
		got := h.Nobody(t).Send(request{Method: "GET", Path: "/", Header: http.Header{"Accept": {browser}}}).Must(200)
		if !strings.Contains(string(got.Body), "make build") || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			t.Errorf("the page: %v %s", got.Header, got.Body)
		}
	}
}

func TestVerifyPageSpendsNothingByItself(t *testing.T) {
	h := start(t, options{})
	got := h.Nobody(t).Send(request{Method: "GET", Path: "/api/auth/verify-email?token=%3Cscript%3E", Header: http.Header{"Accept": {browser}}}).Must(200)
	policy, body := got.Header.Get("Content-Security-Policy"), string(got.Body)
	if strings.Contains(body, "%3C") || strings.Count(body, "<script>") != 1 || !regexp.MustCompile(`script-src 'sha256-[A-Za-z0-9+/]{43}='`).MatchString(policy) {
		t.Errorf("the page: %q %s", policy, body)
	}
	h.Nobody(t).Do("GET", "/api/auth/verify-email?token=x", nil).Must(400)
}
