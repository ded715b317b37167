package live_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// widen lets more bytes through to the client.
func (w *wire) widen(room int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.room = room
	w.moved.Broadcast()
}

func TestASlowReaderIsCutOffAndResumes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options live.Options
	}{
		{"too many frames", live.Options{QueueFrames: 20}},
		{"too many bytes", live.Options{QueueBytes: 20_000}},
		{"too many bytes in all", live.Options{TotalBytes: 20_000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.options)
			p := w.crowd("ann", "bob", "cyd")
			room := w.room(p[0], false, p[1], p[2])
			slow, quick := w.online(p[1], ""), w.online(p[2], "")
			slow.widen(1000)
			for n := range 60 {
				content := fmt.Sprintf("message %d %s", n, strings.Repeat("x", 500))
				w.post(p[0], room, content)
				quick.expectMessage(content) // nobody waits for the slow one
			}
			slow.widen(0)
			heard := contents(slow.expectClose(live.CloseResume))
			if len(heard) >= 40 {
				t.Fatalf("heard %d messages before it was cut off", len(heard))
			}

			again := w.connect(p[1], live.Want{Since: slow.cursor})
			again.expect("live")
			heard = append(heard, contents(again.seen)...)
			if want := contents(quick.seen); strings.Join(heard, "\n") != strings.Join(want, "\n") {
				t.Errorf("heard\n%s\nwant\n%s", strings.Join(heard, "\n"), strings.Join(want, "\n"))
			}
			w.post(p[0], room, "end")
			again.expectMessage("end")
		})
	}
}

func TestASlowReaderThatKeepsUpStays(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	slow := w.online(p[1], "")
	slow.widen(700)
	for n := range 200 {
		w.post(p[0], room, fmt.Sprint("message ", n))
	}
	for n := range 200 {
		slow.expectMessage(fmt.Sprint("message ", n))
	}
	if n := len(contents(slow.seen)); n != 200 {
		t.Errorf("heard %d messages", n)
	}
}

func TestWhoNeverReadsIsGivenUp(t *testing.T) {
	w := newWorld(t, live.Options{WriteTimeout: 50 * time.Millisecond})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	c := w.online(p[1], "")
	c.widen(10)
	w.post(p[0], room, "hello")
	select {
	case <-c.served:
	case <-time.After(w.patience):
		t.Fatal("still there")
	}
}

// TestNoPayloadReachesAnotherConnection lets sockets come and go while much is said. A
// connection that is written to after Serve returned belongs to somebody else by then.
func TestNoPayloadReachesAnotherConnection(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	rooms := []store.RoomID{w.room(p[0], true), w.room(p[1], true)}
	stop := make(chan struct{})
	var talking sync.WaitGroup
	for i, room := range rooms {
		talking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.post(p[i], room, "secret for "+p[i].Username)
				}
			}
		})
	}
	pool := sync.Pool{New: func() any { return newWire() }}
	var comers sync.WaitGroup
	for range 4 {
		comers.Go(func() {
			for range 30 {
				i := rand.IntN(2)
				conn := pool.Get().(*wire)
				conn.recycle()
				c := w.connectOver(conn, p[i], w.session(p[i]), live.Want{})
				c.expectMessage("secret for " + p[i].Username)
				for _, text := range contents(c.seen) {
					if text != "secret for "+p[i].Username {
						t.Errorf("%s heard %q", p[i].Username, text)
					}
				}
				c.leave()
				if n := conn.recycle(); n > 0 {
					t.Errorf("%d uses after Serve returned", n)
				}
				pool.Put(conn)
			}
		})
	}
	comers.Wait()
	close(stop)
	talking.Wait()
}

// recycle makes the connection as good as new and returns how often it was used after its end.
func (w *wire) recycle() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	misused := w.misused
	w.in, w.pings, w.out, w.received = nil, nil, nil, nil
	w.hungUp, w.closed, w.misused, w.read.passed, w.write.passed = false, false, 0, false, false
	return misused
}

func TestClosingTellsEverybodyWhenToComeBack(t *testing.T) {
	w := newWorld(t, live.Options{})
	p := w.crowd("ann", "bob")
	room := w.room(p[0], false, p[1])
	quick, stuck := w.online(p[0], ""), w.online(p[1], "")
	stuck.widen(10)
	w.post(p[0], room, "hello")
	began := time.Now()
	if err := w.hub.Close(ctx()); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("closing took %v", took)
	}
	quick.expectClose(live.CloseRestart)
	var hint int
	if _, err := fmt.Sscanf(quick.reason, "%d", &hint); err != nil || hint < 100 || hint > 10_000 {
		t.Errorf("reason %q", quick.reason)
	}
	select {
	case <-stuck.served:
	case <-time.After(w.patience):
		t.Error("who does not read is still there")
	}
	late := w.connect(p[0], live.Want{})
	for {
		if _, ok := late.hear(w.patience); !ok {
			break
		}
	}
	if err := <-late.served; late.code != live.CloseRestart || err == nil {
		t.Errorf("who comes late: %d, %v", late.code, err)
	}
}
