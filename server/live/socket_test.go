package live_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/hearthchat/hearth/server/live"
)

// listen serves p's sockets over real connections and returns a way to dial them.
func (w *world) listen(as func(*http.Request) *live.Viewer) (dial func(t *testing.T, name string) *websocket.Conn) {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(rw, r, nil)
		if err != nil {
			w.t.Error(err)
			return
		}
		if err := w.hub.Serve(ctx(), live.NewConn(ws), as(r), live.Want{}); err != nil {
			w.t.Error(err)
		}
	}))
	w.t.Cleanup(func() {
		w.end()
		server.Close()
	})
	return func(t *testing.T, name string) *websocket.Conn {
		t.Helper()
		c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/"+name, nil)
		w.must(err)
		t.Cleanup(func() { c.Close() })
		w.must(c.SetReadDeadline(time.Now().Add(w.patience)))
		return c
	}
}

// until reads text frames until one holds some text.
func until(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	for {
		_, p, err := c.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(string(p), text) {
			return
		}
	}
}

func closedWith(t *testing.T, c *websocket.Conn, code int) {
	t.Helper()
	for {
		_, _, err := c.ReadMessage()
		var end *websocket.CloseError
		if errors.As(err, &end) && end.Code == code {
			return
		}
		if err != nil {
			t.Fatalf("closed with %v, want %d", err, code)
		}
	}
}

func TestOverRealConnections(t *testing.T) {
	w := newWorld(t, live.Options{QueueFrames: 20, WriteTimeout: time.Minute})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	session := w.session(p[1])
	dial := w.listen(func(*http.Request) *live.Viewer { return &live.Viewer{User: p[1], Session: session} })

	t.Run("frames of every length, in pieces, and pings", func(t *testing.T) {
		c := dial(t, "")
		until(t, c, `"hello"`)
		pong := make(chan string, 1)
		c.SetPongHandler(func(payload string) error { pong <- payload; return nil })
		w.must(c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(w.patience)))
		for _, size := range []int{1, 200, 16_384} {
			content := strings.Repeat("ö", size)
			piece, err := c.NextWriter(websocket.TextMessage)
			w.must(err)
			for _, part := range []string{`{"type":"message","room_id":"` + string(room) + `","content":"`, content, `"}`} {
				_, err := piece.Write([]byte(part))
				w.must(err)
			}
			w.must(piece.Close())
			until(t, c, `"content":"`+content+`"`)
		}
		if got := <-pong; got != "are you there" {
			t.Errorf("pong %q", got)
		}
		w.must(c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(w.patience)))
		closedWith(t, c, live.CloseNormal)
	})

	t.Run("a frame that is too big", func(t *testing.T) {
		c := dial(t, "")
		until(t, c, `"hello"`)
		w.must(c.WriteMessage(websocket.TextMessage, []byte(strings.Repeat(" ", live.MaxFrame)+`{}`)))
		closedWith(t, c, live.CloseTooBig)
	})

	t.Run("who does not read is told to resume", func(t *testing.T) {
		c := dial(t, "")
		until(t, c, `"hello"`)
		content := strings.Repeat("x", 16_000)
		for range 700 { // more than the buffers of a connection hold
			w.post(p[0], room, content)
		}
		closedWith(t, c, live.CloseResume)
	})

	t.Run("a session that ends", func(t *testing.T) {
		c := dial(t, "")
		until(t, c, `"hello"`)
		w.must(w.people.EndSessions(ctx(), p[1].ID, ""))
		closedWith(t, c, live.CloseEnded)
	})
}
