package live_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// sink is a connection whose client takes everything at once.
type sink struct {
	needle []byte
	took   func(p []byte, times int) // called with writes that hold the needle
	gone   chan struct{}
	once   sync.Once
}

func (s *sink) TryWrite(p []byte) (int, error) {
	if n := bytes.Count(p, s.needle); n > 0 {
		s.took(p, n)
	}
	return len(p), nil
}

func (s *sink) Write(p []byte) (int, error)      { return s.TryWrite(p) }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) Close() error                     { s.hangUp(); return nil }
func (s *sink) hangUp()                          { s.once.Do(func() { close(s.gone) }) }
func (s *sink) SetReadDeadline(t time.Time) error {
	if t.Before(time.Now()) {
		s.hangUp()
	}
	return nil
}
func (s *sink) Read(func([]byte)) ([]byte, error) { <-s.gone; return nil, io.EOF }

// audience connects n sinks to a room, and returns when all of them hear it.
func (w *world) audience(n int, room store.RoomID, by store.User, took func(p []byte, times int)) {
	w.t.Helper()
	session := w.session(by)
	var ready atomic.Int64
	for range n {
		heard := new(atomic.Bool)
		s := &sink{gone: make(chan struct{}), needle: []byte("needle")}
		s.took = func(p []byte, times int) {
			if heard.CompareAndSwap(false, true) {
				ready.Add(1)
			}
			took(p, times)
		}
		w.sockets.Go(func() {
			if err := w.hub.Serve(ctx(), s, &live.Viewer{User: by, Session: session}, live.Want{Room: room}); err != nil {
				w.t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(w.patience); ready.Load() < int64(n); {
		if time.Now().After(deadline) {
			w.t.Fatalf("%d of %d hear", ready.Load(), n)
		}
		w.post(by, room, "needle")
	}
}

func TestAnEventIsEncodedOnce(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann")
	room := w.room(p[0], false)
	var mu sync.Mutex
	places := map[*byte]int{}
	count := 0
	w.audience(50, room, p[0], func(p []byte, _ int) {
		mu.Lock()
		defer mu.Unlock()
		if bytes.Contains(p, []byte("needle in one place")) {
			places[unsafe.SliceData(p)]++
			count++
		}
	})
	w.post(p[0], room, "needle in one place")
	for deadline := time.Now().Add(w.patience); ; {
		mu.Lock()
		done := count == 50
		mu.Unlock()
		if done || time.Now().After(deadline) {
			break
		}
		runtime.Gosched()
	}
	mu.Lock()
	defer mu.Unlock()
	if count != 50 || len(places) != 1 {
		t.Errorf("%d listeners got bytes in %d places", count, len(places))
	}
}

// BenchmarkFanout posts to a room with a thousand listeners, durably, one message after
// the other; an operation is one delivery.
func BenchmarkFanout(b *testing.B) {
	const listeners = 1000
	w := newWorld(b, live.Options{})
	p := w.crowd("ann")
	room := w.room(p[0], false)
	var delivered atomic.Int64
	w.audience(listeners, room, p[0], func(_ []byte, times int) { delivered.Add(int64(times)) })
	b.ReportAllocs()
	b.ResetTimer()
	posts := (b.N + listeners - 1) / listeners
	delivered.Store(0)
	for n := range posts {
		w.post(p[0], room, fmt.Sprint("needle ", n))
	}
	for delivered.Load() < int64(posts)*listeners {
		runtime.Gosched()
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}
