package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/live"
)

// TestPanicsStayInside adds a route that no table has.
func TestPanicsStayInside(t *testing.T) {
	var log bytes.Buffer
	s, err := New(nil, nil, nil, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.http.Get("/boom", func(c *fiber.Ctx) error {
		c.Set("X-Half-Done", "yes")
		panic("the secret of the vault")
	})
	address, stop := listen(t, s)
	got, err := http.Get("http://" + address + "/boom")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err = errors.Join(err, got.Body.Close()); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	id := got.Header.Get("X-Request-Id")
	if got.StatusCode != 500 || !strings.Contains(string(body), id) || strings.Contains(string(body), "vault") || got.Header.Get("X-Half-Done") != "" {
		t.Errorf("the answer: %d %v %s", got.StatusCode, got.Header, body)
	}
	if !strings.Contains(log.String(), "vault") || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("the log does not say what happened: %s", log.String())
	}
}

// TestPanicsOfSocketsStayInside opens a socket for a hub that is not there.
func TestPanicsOfSocketsStayInside(t *testing.T) {
	var log bytes.Buffer
	s, err := New(nil, nil, nil, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	s.http.Get("/boom", func(c *fiber.Ctx) error {
		c.Locals(localWatch, &watch{who: &live.Viewer{}, request: "look-for-me", release: func() { close(released) }, ctx: c.Context()})
		return s.upgrade(c)
	})
	address, stop := listen(t, s)
	conn, answer, err := websocket.DefaultDialer.Dial("ws://"+address+"/boom", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	_, message, err := conn.ReadMessage()
	ended := (*websocket.CloseError)(nil)
	if !errors.As(err, &ended) || ended.Code != 1011 || ended.Text != "" || len(message) > 0 {
		t.Errorf("the client hears %q, %v; want a close with 1011 and no more", message, err)
	}
	<-released
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if !strings.Contains(log.String(), "look-for-me") || !strings.Contains(log.String(), "nil pointer") {
		t.Errorf("the log does not say what happened: %s", log.String())
	}
}

// listen runs a server that has no hub to close.
func listen(t *testing.T, s *Server) (address string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Listener(ln) }()
	return ln.Addr().String(), func() {
		t.Helper()
		if err := errors.Join(s.http.Shutdown(), <-served); err != nil {
			t.Fatal(err)
		}
	}
}
