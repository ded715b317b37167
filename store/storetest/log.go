package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthchat/hearth/store"
)

var logCases = []workspaceCase{
	{"positions follow each other and survive a restart", logDense},
	{"changes come after a position, oldest first", logPages},
	{"trimmed changes are expired", logTrims},
	{"positions of another epoch are expired", logEpoch},
	{"waiting ends when something follows", logWaits},
	{"waiting ends with its context", logWaitEnds},
	{"a closed store says so", logClosed},
	{"changes of accounts are relayed once", logRelays},
	{"a relay that fails half way leaves nothing", logRelaysDurably},
}

func logDense(f *fixture) {
	start := f.head()
	room := f.room(ann, bob)
	for i := range 5 {
		m := f.post(room, ann, fmt.Sprint(i))
		f.read(bob, m)
	}
	f.reopen()
	f.post(room, bob, "after a restart")
	changes := f.since(start)
	if head := f.head(); changes[len(changes)-1].Position != head || head.Epoch != start.Epoch {
		f.t.Errorf("head = %v, newest change %v", head, changes[len(changes)-1].Position)
	}
	var posted []store.Seq
	for _, c := range changes {
		if c.Kind == store.MessagePosted {
			posted = append(posted, c.Seq)
		}
	}
	wantSame(f.t, "messages in the log", posted, []store.Seq{1, 2, 3, 4, 5, 6, 7})
}

func logPages(f *fixture) {
	start := f.head()
	room := f.room(ann)
	for i := range 20 {
		f.post(room, ann, fmt.Sprint(i))
	}
	all := f.since(start)
	for _, limit := range []int{1, 3, len(all) - 1, len(all), len(all) + 1} {
		at, n := start, 0
		for {
			changes, err := f.Changes(f.ctx, at, limit)
			f.fatal("changes", err)
			if len(changes) > limit {
				f.t.Fatalf("%d changes, want at most %d", len(changes), limit)
			}
			if len(changes) == 0 {
				break
			}
			for _, c := range changes {
				if want := all[n]; c.Position != want.Position || c.Kind != want.Kind || c.Message != want.Message {
					f.t.Errorf("change %d = %+v, want %+v", n, c, want)
				}
				n++
			}
			at = changes[len(changes)-1].Position
		}
		if n != len(all) || at != f.head() {
			f.t.Errorf("%d changes in steps of %d, want %d", n, limit, len(all))
		}
	}
}

func logTrims(f *fixture) {
	start := f.head()
	room := f.room(ann)
	for i := range 20 {
		f.post(room, ann, fmt.Sprint(i))
	}
	head := f.head()
	before := store.Position{Epoch: head.Epoch, Seq: head.Seq - 5}
	f.fatal("trim", f.Trim(f.ctx, before))
	for range 2 {
		left := f.since(store.Position{Epoch: head.Epoch, Seq: before.Seq - 1})
		if len(left) != 6 || left[0].Position != before {
			f.t.Errorf("%d changes are left, want the newest 6", len(left))
		}
		for _, at := range []store.Position{start, {Epoch: head.Epoch, Seq: before.Seq - 2}} {
			_, err := f.Changes(f.ctx, at, 100)
			wantErr(f.t, "changes after "+at.String(), err, store.ErrExpired)
		}
		if got := f.head(); got != head {
			f.t.Errorf("head = %v after trimming, want %v", got, head)
		}
		f.fatal("trim again", f.Trim(f.ctx, before))
		f.reopen()
	}
	f.post(room, ann, "next")
	f.wantKinds(head, store.MessagePosted)
	if n := len(f.all(room)); n != 22 {
		f.t.Errorf("%d messages after trimming, want all 22", n)
	}
}

func logEpoch(f *fixture) {
	f.room(ann)
	head := f.head()
	for _, at := range []store.Position{{}, {Epoch: head.Epoch + 1, Seq: 1}, {Epoch: head.Epoch - 1, Seq: head.Seq}} {
		_, err := f.Changes(f.ctx, at, 100)
		wantErr(f.t, "changes after "+at.String(), err, store.ErrExpired)
	}
}

func logWaits(f *fixture) {
	room := f.room(ann)
	at := f.head()
	f.fatal("wait for what is there", f.Wait(f.ctx, store.Position{Epoch: at.Epoch, Seq: at.Seq - 1}))
	for range 20 {
		done := make(chan error, 3)
		for range cap(done) {
			go func() { done <- f.Wait(f.ctx, at) }()
		}
		f.post(room, ann, "x")
		for range cap(done) {
			f.fatal("wait", <-done)
		}
		if next := f.head(); next == at {
			f.t.Fatal("waiting ended but nothing follows")
		}
		at = f.head()
	}
}

func logWaitEnds(f *fixture) {
	f.room(ann)
	at := f.head()
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan error)
	go func() { done <- f.Wait(ctx, at) }()
	cancel()
	wantErr(f.t, "wait", <-done, context.Canceled)
}

func logClosed(f *fixture) {
	room := f.room(ann)
	at := f.head()
	waiting := make(chan error)
	go func() { waiting <- f.Wait(f.ctx, at) }()
	closeEngine(f.t, f.Workspace)
	wantErr(f.t, "wait", <-waiting, store.ErrClosed)
	_, _, err := f.Append(f.ctx, store.Draft{Room: room, Author: ann, Content: "x"})
	wantErr(f.t, "append", err, store.ErrClosed)
	_, err = f.Room(f.ctx, room)
	wantErr(f.t, "room", err, store.ErrClosed)
	wantErr(f.t, "wait afterwards", f.Wait(f.ctx, at), store.ErrClosed)
	f.Workspace = f.open(f.t, Options{Dir: f.dir, Now: f.clock.Now})
	if head := f.head(); head != at {
		f.t.Errorf("head after a restart = %v, want %v", head, at)
	}
}

func logRelays(f *fixture) {
	if r, err := f.UsersRelayed(f.ctx); err != nil || r != 0 {
		f.t.Errorf("relayed at first = %d, %v, want 0", r, err)
	}
	before := f.head()
	changes := []store.UserChange{{Revision: 3, User: ann, Edited: true}, {Revision: 5, User: bob}, {Revision: 9, User: cyd, Edited: true}}
	f.fatal("relay", f.RelayUsers(f.ctx, changes))
	f.wantKinds(before, store.UserEdited, store.SessionsEnded, store.UserEdited)
	for i, c := range f.since(before) {
		if c.User != changes[i].User {
			f.t.Errorf("change %d = %+v, want of %d", i, c, changes[i].User)
		}
	}
	head := f.head()
	f.fatal("relay again", f.RelayUsers(f.ctx, changes))
	f.wantKinds(head)
	f.fatal("relay on", f.RelayUsers(f.ctx, append(changes[2:], store.UserChange{Revision: 10, User: dan})))
	f.wantKinds(head, store.SessionsEnded)
	f.fatal("relay nothing", f.RelayUsers(f.ctx, nil))
	if r, err := f.UsersRelayed(f.ctx); err != nil || r != 10 {
		f.t.Errorf("relayed = %d, %v, want 10", r, err)
	}
}

func logRelaysDurably(f *fixture) {
	before := f.head()
	f.fatal("relay", f.RelayUsers(f.ctx, []store.UserChange{{Revision: 7, User: ann, Edited: true}}))
	f.reopen()
	f.wantKinds(before, store.UserEdited)
	if r, err := f.UsersRelayed(f.ctx); err != nil || r != 7 {
		f.t.Errorf("relayed after a restart = %d, %v, want 7", r, err)
	}
	canceled, cancel := context.WithCancel(f.ctx)
	cancel()
	err := f.RelayUsers(canceled, []store.UserChange{{Revision: 8, User: bob}})
	r, rerr := f.UsersRelayed(f.ctx)
	f.fatal("users relayed", rerr)
	if wrote := len(f.since(before)) == 2; wrote != (r == 8) || err == nil && !wrote {
		f.t.Errorf("relay with an ended context = %v, revision %d, written %v: want both or neither", err, r, wrote)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		f.t.Errorf("relay with an ended context = %v, want %v", err, context.Canceled)
	}
}
