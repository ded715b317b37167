package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hearthchat/hearth/store"
)

const (
	writers   = 64
	eachPosts = 10
)

var concurrentCases = []workspaceCase{
	{"log order is commit order under 64 writers", orderUnderWriters},
	{"one that fails leaves its neighbours alone", failuresUnderWriters},
	{"one client id at once is one message", clientIDAtOnce},
	{"a follower sees each change once and in order", followerUnderWriters},
	{"a follower rebuilds when its place is gone", followerRebuilds},
	{"joins, leaves and direct rooms at once agree", membersAtOnce},
	{"reading while others write sees whole messages", readersUnderWriters},
}

// everyWriter runs do once for each of the writers at the same time.
func everyWriter(do func(writer int)) {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() { do(w) })
	}
	wg.Wait()
}

// write posts without moving the clock.
func (f *fixture) write(room store.RoomID, author store.UserID, content string) store.Message {
	m, _, err := f.Append(f.ctx, store.Draft{Room: room, Author: author, Content: content})
	if err != nil {
		f.t.Errorf("append: %v", err)
	}
	return m
}

func orderUnderWriters(f *fixture) {
	rooms := []store.RoomID{f.room(ann), f.room(ann), f.room(ann)}
	before := f.head()
	var acked [writers][]store.MessageID
	everyWriter(func(w int) {
		for i := range eachPosts {
			acked[w] = append(acked[w], f.write(rooms[(w+i)%3], ann, fmt.Sprintf("%d %d", w, i)).ID)
		}
	})
	place := map[store.MessageID]int{}
	seqs := map[store.RoomID]store.Seq{}
	for i, c := range f.since(before) {
		if _, twice := place[c.Message]; twice || c.Kind != store.MessagePosted {
			f.t.Errorf("change %+v, want each message once", c)
		}
		place[c.Message] = i
		if last := seqs[c.Room]; last > 0 && c.Seq != last+1 {
			f.t.Errorf("seq %d follows %d in the log", c.Seq, last)
		}
		seqs[c.Room] = c.Seq
	}
	for w, mine := range acked {
		for i, id := range mine {
			if _, ok := place[id]; !ok || i > 0 && place[mine[i-1]] > place[id] {
				f.t.Errorf("message %d of writer %d is at %d of the log, after the one it followed", i, w, place[id])
			}
		}
	}
	if len(place) != writers*eachPosts {
		f.t.Errorf("%d messages in the log, want %d", len(place), writers*eachPosts)
	}
	densePages(f, rooms)
}

// densePages requires that the pages of rooms count up from 1.
func densePages(f *fixture, rooms []store.RoomID) {
	f.t.Helper()
	for _, room := range rooms {
		for i, m := range f.all(room) {
			if m.Seq != store.Seq(i+1) {
				f.t.Fatalf("message %d of %s has seq %d", i, room, m.Seq)
			}
		}
	}
}

func failuresUnderWriters(f *fixture) {
	room := f.room(ann)
	m := f.post(room, ann, "edited")
	own := errors.New("a reason of the caller's own")
	before := f.head()
	everyWriter(func(w int) {
		for i := range eachPosts {
			var err, want error
			switch (w + i) % 4 {
			case 0:
				_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: bob, Content: "x"})
				want = store.ErrJoinFirst
			case 1:
				_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "x", Parent: store.MessageID{9}})
				want = store.ErrInvalid
			case 2:
				_, err = f.EditMessage(f.ctx, m.ID, ann, func(m *store.Message) error { m.Content = "y"; return own })
				want = own
			case 3:
				_, _, err = f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "good"})
			}
			if !errors.Is(err, want) {
				f.t.Errorf("error = %v, want %v", err, want)
			}
		}
	})
	good := f.since(before)
	if len(good) != writers*eachPosts/4 || f.message(m.ID).Content != "edited" {
		f.t.Errorf("%d changes, want the %d that did not fail", len(good), writers*eachPosts/4)
	}
	densePages(f, []store.RoomID{room})
}

func clientIDAtOnce(f *fixture) {
	room := f.room(ann)
	before := f.head()
	var first atomic.Int32
	var all [writers]store.MessageID
	everyWriter(func(w int) {
		m, repeated, err := f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "once", ClientID: "c-1"})
		if err != nil {
			f.t.Errorf("append: %v", err)
		}
		if !repeated {
			first.Add(1)
		}
		all[w] = m.ID
	})
	if len(slices.Compact(all[:])) != 1 || first.Load() != 1 {
		f.t.Errorf("%d were first, want one message for all", first.Load())
	}
	f.wantKinds(before, store.MessagePosted)
}

// follower keeps in memory what it was given.
type follower struct {
	at     store.Position
	until  func(store.Change) bool
	done   context.CancelFunc
	seen   []store.Change
	log    store.Log
	built  int
	resume store.Position
}

func (f *follower) Position(context.Context) (store.Position, error) { return f.at, nil }

func (f *follower) Apply(_ context.Context, changes []store.Change) error {
	for _, c := range changes {
		f.seen = append(f.seen, c)
		f.at = c.Position
		if f.until(c) {
			f.done()
		}
	}
	return nil
}

func (f *follower) Rebuild(ctx context.Context) (store.Position, error) {
	f.built++
	at, err := f.log.Head(ctx)
	f.resume = at
	return at, err
}

func followerUnderWriters(f *fixture) {
	room := f.room(ann, bob)
	ctx, done := context.WithCancel(f.ctx)
	defer done()
	start := f.head()
	const followers = 3
	var all [followers]follower
	var wg sync.WaitGroup
	for i := range all {
		left := writers * eachPosts
		ctx, done := context.WithCancel(ctx)
		all[i] = follower{at: start, log: f.Workspace, done: done, until: func(c store.Change) bool {
			if c.Kind == store.MessagePosted {
				left--
			}
			return left == 0
		}}
		wg.Go(func() {
			if err := store.Follow(ctx, f.Workspace, &all[i]); err != nil {
				f.t.Errorf("follow: %v", err)
			}
		})
	}
	everyWriter(func(w int) {
		for i := range eachPosts {
			m := f.write(room, ann, fmt.Sprintf("%d %d", w, i))
			if i%5 == 0 {
				if _, err := f.ReadOne(f.ctx, m.ID, bob, f.clock.Now()); err != nil {
					f.t.Errorf("read one: %v", err)
				}
			}
		}
	})
	wg.Wait()
	changes := f.since(start)
	for i := range all {
		seen := all[i].seen
		for n, c := range seen {
			if c.Position != changes[n].Position || c.Kind != changes[n].Kind || c.Message != changes[n].Message {
				f.t.Fatalf("follower %d saw %+v as change %d, want %+v", i, c, n, changes[n])
			}
		}
		if all[i].built != 0 || len(seen) < writers*eachPosts {
			f.t.Errorf("follower %d rebuilt %d times and saw %d changes", i, all[i].built, len(seen))
		}
	}
}

func followerRebuilds(f *fixture) {
	room := f.room(ann)
	for range 10 {
		f.post(room, ann, "x")
	}
	head := f.head()
	f.fatal("trim", f.Trim(f.ctx, head))
	for _, at := range []store.Position{{Epoch: head.Epoch, Seq: 1}, {Epoch: head.Epoch + 7, Seq: head.Seq}} {
		ctx, done := context.WithCancel(f.ctx)
		late := follower{at: at, log: f.Workspace, done: done, until: func(c store.Change) bool { return c.Kind == store.MessagePosted }}
		ended := make(chan error)
		go func() { ended <- store.Follow(ctx, f.Workspace, &late) }()
		next := f.post(room, ann, "next")
		f.fatal("follow", <-ended)
		done()
		if n := len(late.seen); late.built != 1 || n == 0 || late.seen[n-1].Message != next.ID || late.seen[0].Position.Seq != late.resume.Seq+1 {
			f.t.Errorf("follower from %v rebuilt %d times at %v and saw %+v, want what followed", at, late.built, late.resume, late.seen)
		}
	}
}

func membersAtOnce(f *fixture) {
	room := f.room(ann)
	before := f.head()
	var joined, made atomic.Int32
	var direct [writers]store.RoomID
	everyWriter(func(w int) {
		ok, err := f.Join(f.ctx, store.Member{Room: room, User: bob + store.UserID(w%4)}, bob, store.LineJoined)
		if err != nil {
			f.t.Errorf("join: %v", err)
		}
		if ok {
			joined.Add(1)
		}
		r, first, err := f.DirectRoom(f.ctx, ann, []store.UserID{ann, bob})
		if err != nil {
			f.t.Errorf("direct room: %v", err)
		}
		if first {
			made.Add(1)
		}
		direct[w] = r.ID
	})
	if joined.Load() != 4 || made.Load() != 1 || len(slices.Compact(direct[:])) != 1 {
		f.t.Errorf("%d joined and %d direct rooms were made, want 4 and 1", joined.Load(), made.Load())
	}
	if r := f.look(room); r.Members != 5 || r.Head != 5 {
		f.t.Errorf("room = %+v, want 5 members and 5 lines", r)
	}
	if n := len(f.since(before)); n != 8+3 {
		f.t.Errorf("%d changes, want 4 joins with a line, a room and its two people", n)
	}
}

func readersUnderWriters(f *fixture) {
	room := f.room(ann, bob)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := store.Seq(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				page, err := f.Page(f.ctx, room, store.Span{Limit: 20})
				if err != nil {
					f.t.Errorf("page: %v", err)
					return
				}
				for i, m := range page {
					if m.ID.IsZero() || m.Content == "" || i > 0 && m.Seq != page[i-1].Seq+1 {
						f.t.Errorf("page has a hole or half a message at %d: %+v", i, m)
					}
				}
				u, err := f.UnreadIn(f.ctx, room, bob)
				if err != nil || u.Head < last || u.Count != int(u.Head)-1 {
					f.t.Errorf("unread = %+v, %v after head %d: want one less than the head", u, err, last)
				}
				last = u.Head
			}
		})
	}
	everyWriter(func(w int) {
		for range eachPosts {
			f.write(room, ann, "x")
		}
	})
	close(stop)
	wg.Wait()
}
