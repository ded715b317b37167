package live_test

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
	"time"
)

// wire is a connection in memory: a live.Conn on the server's side, and what a client does
// with it on the other.
type wire struct {
	mu       sync.Mutex
	moved    *sync.Cond
	in       [][]byte // messages of the client, not yet read
	pings    [][]byte // control frames of the client: nil is a pong
	out      []byte   // bytes of the server, not yet taken by the client
	room     int      // how many bytes out may hold; 0: any number
	read     deadline
	write    deadline
	hungUp   bool // by the client
	closed   bool // by the server
	misused  int  // uses after Close
	failing  error
	writes   int // calls that wrote something
	received []frame
}

type frame struct {
	op      byte
	payload string
}

type deadline struct {
	passed bool
	timer  *time.Timer
}

func newWire() *wire {
	w := &wire{}
	w.moved = sync.NewCond(&w.mu)
	return w
}

func (w *wire) set(d *deadline, t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.passed = false
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		w.moved.Broadcast()
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			w.moved.Broadcast()
		}
	})
	d.timer = timer
	return nil
}

// used notes a use; after Close there must be none.
func (w *wire) used() {
	if w.closed {
		w.misused++
	}
}

func (w *wire) SetReadDeadline(t time.Time) error  { return w.set(&w.read, t) }
func (w *wire) SetWriteDeadline(t time.Time) error { return w.set(&w.write, t) }

func (w *wire) Read(heard func([]byte)) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		w.used()
		switch {
		case len(w.pings) > 0:
			p := w.pings[0]
			w.pings = w.pings[1:]
			w.mu.Unlock()
			heard(p)
			w.mu.Lock()
		case w.read.passed:
			return nil, os.ErrDeadlineExceeded
		case len(w.in) > 0:
			p := w.in[0]
			w.in = w.in[1:]
			return p, w.failing
		case w.hungUp:
			return nil, io.EOF
		default:
			w.moved.Wait()
		}
	}
}

func (w *wire) space() int {
	if w.room == 0 {
		return 1 << 30
	}
	return w.room - len(w.out)
}

func (w *wire) TryWrite(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used()
	if w.hungUp {
		return 0, io.ErrClosedPipe
	}
	n := min(len(p), w.space())
	w.put(p[:n])
	return n, nil
}

func (w *wire) put(p []byte) {
	if len(p) > 0 {
		w.writes++
		w.out = append(w.out, p...)
		w.moved.Broadcast()
	}
}

func (w *wire) Write(p []byte) (done int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		w.used()
		if w.hungUp {
			return done, io.ErrClosedPipe
		}
		n := min(len(p)-done, w.space())
		w.put(p[done : done+n])
		if done += n; done == len(p) {
			return done, nil
		}
		if w.write.passed {
			return done, os.ErrDeadlineExceeded
		}
		w.moved.Wait()
	}
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used()
	w.closed = true
	for _, d := range []*deadline{&w.read, &w.write} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
	w.moved.Broadcast()
	return nil
}

// say sends a message to the server.
func (w *wire) say(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in = append(w.in, p)
	w.moved.Broadcast()
}

// ping sends a ping with a payload, or with nil a pong.
func (w *wire) ping(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pings = append(w.pings, p)
	w.moved.Broadcast()
}

// hangUp ends the connection from the client's side.
func (w *wire) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hungUp = true
	w.moved.Broadcast()
}

// parse takes the server's whole frames out of out.
func (w *wire) parse() {
	for {
		if len(w.out) < 2 {
			return
		}
		size, head := int(w.out[1]), 2
		switch {
		case size == 126 && len(w.out) >= 4:
			size, head = int(binary.BigEndian.Uint16(w.out[2:])), 4
		case size == 127 && len(w.out) >= 10:
			size, head = int(binary.BigEndian.Uint64(w.out[2:])), 10
		case size >= 126:
			return
		}
		if len(w.out) < head+size {
			return
		}
		w.received = append(w.received, frame{w.out[0], string(w.out[head : head+size])})
		w.out = w.out[head+size:]
		w.moved.Broadcast()
	}
}

// next waits for the next frame; ok is false when none comes within limit or none can come.
func (w *wire) next(limit time.Duration) (f frame, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	late := false
	timer := time.AfterFunc(limit, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.moved.Broadcast()
	})
	defer timer.Stop()
	for {
		w.parse()
		switch {
		case len(w.received) > 0:
			f, w.received = w.received[0], w.received[1:]
			return f, true
		case late, w.closed:
			return f, false
		}
		w.moved.Wait()
	}
}
