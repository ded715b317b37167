package live_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/hearthchat/hearth/server/live"
)

// TestEverythingAtOnce posts, joins, leaves, connects and resumes at the same time. Every
// client hears each message of a room it is in once and in order.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t, live.Options{})
	people := w.crowd("ann", "bob", "cyd", "dan", "eve", "fay")
	steady, turning := w.room(people[0], false, people[1:]...), w.room(people[0], false)
	const posts = 60
	var busy, listening sync.WaitGroup
	for _, u := range people {
		busy.Go(func() {
			for n := range posts {
				w.post(u, steady, fmt.Sprint(u.Username, " ", n))
			}
		})
		busy.Go(func() {
			for range posts / 3 {
				if u.ID != people[0].ID {
					if _, err := w.chat.Join(ctx(), u, turning); err != nil {
						t.Error(err)
					}
				}
				w.post(people[0], turning, "hello "+u.Username)
				if u.ID != people[0].ID {
					if err := w.chat.Leave(ctx(), u, turning); err != nil {
						t.Error(err)
					}
				}
			}
		})
		listening.Go(func() {
			c := w.connect(u, live.Want{})
			c.expect("hello")
			last, checked, resumed, turned, ended := 0, 0, false, false, false
			for !turned || !ended {
				if !resumed && rand.IntN(20) == 0 {
					c.leave()
					c = w.connect(u, live.Want{Since: c.cursor})
					checked, resumed = 0, true
				}
				if _, ok := c.hear(w.patience); !ok {
					t.Errorf("%s: closed with %d %s; heard the end of the steady room %v, of the turning one %v", u.Username, c.code, c.reason, ended, turned)
					return
				}
				for ; checked < len(c.seen); checked++ {
					e := c.seen[checked]
					resumed = resumed && e.kind() != "live"
					turned = turned || e.text("message", "content") == "turned"
					if e.kind() != "message" || e.text("message", "room_id") != string(steady) {
						continue
					}
					seq, err := strconv.Atoi(e.text("message", "seq"))
					if err != nil || last != 0 && seq != last+1 {
						t.Errorf("%s: message %d after %d, %v", u.Username, seq, last, err)
					}
					last = seq
					ended = ended || e.text("message", "content") == "end"
				}
			}
			c.leave()
		})
	}
	busy.Wait()
	for _, u := range people[1:] {
		_, err := w.chat.Join(ctx(), u, turning)
		w.must(err)
	}
	w.post(people[0], turning, "turned")
	w.post(people[0], steady, "end")
	listening.Wait()
}
