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

	"github.com/gofiber/fiber/v2"
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Listener(ln) }()
	got, err := http.Get("http://" + ln.Addr().String() + "/boom")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err = errors.Join(err, got.Body.Close()); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(s.http.Shutdown(), <-served); err != nil {
		t.Fatal(err)
	}
	id := got.Header.Get("X-Request-Id")
	if got.StatusCode != 500 || !strings.Contains(string(body), id) || strings.Contains(string(body), "vault") || got.Header.Get("X-Half-Done") != "" {
		t.Errorf("the answer: %d %v %s", got.StatusCode, got.Header, body)
	}
	if !strings.Contains(log.String(), "vault") || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("the log does not say what happened: %s", log.String())
	}
}
