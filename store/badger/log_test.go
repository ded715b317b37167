package badger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

func TestLogFromDiskIsTheLogFromMemory(t *testing.T) {
	s, err := Open(t.TempDir(), Options{RecentLog: 5000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	room := newRoom(t, s, 1)
	zero := store.Position{Epoch: s.epoch}
	want, err := s.Changes(t.Context(), zero, 100)
	if err != nil || want[0].RecordRoom == nil || want[2].RecordMessage == nil {
		t.Fatalf("new changes come without records: %+v, %v", want, err)
	}
	for i := range 100 {
		at, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := post(t, s, store.Draft{Room: room, Author: 1, Content: fmt.Sprint(i)})
		changes, err := s.Changes(t.Context(), at, 100)
		if err != nil || len(changes) != 1 || changes[0].RecordMessage.Content != m.Content {
			t.Fatalf("after a post: %+v, %v", changes, err)
		}
		want = append(want, changes...)
	}
	if n := len(s.log.recent); n >= len(want) || n == 0 {
		t.Fatalf("memory holds %d of %d changes", n, len(want))
	}
	at, got := zero, 0
	for got < len(want) {
		changes, err := s.Changes(t.Context(), at, 7)
		if err != nil || len(changes) == 0 {
			t.Fatalf("after %v: %v, %v", at, changes, err)
		}
		for _, c := range changes {
			w := want[got]
			c.RecordMessage, c.RecordRoom, w.RecordMessage, w.RecordRoom = nil, nil, nil, nil
			if c != w {
				t.Fatalf("change %d = %+v, want %+v", got, c, w)
			}
			at = c.Position
			got++
		}
	}
}

func TestRecordsInTheLogAreNobodyElses(t *testing.T) {
	s := openT(t, t.TempDir())
	room := newRoom(t, s, 1, 2)
	at, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := post(t, s, store.Draft{Room: room, Author: 1, Content: "x", Mentions: []store.UserID{2}})
	m.Mentions[0] = 99
	r, _, err := s.React(t.Context(), m.ID, 2, "+1", true)
	if err != nil {
		t.Fatal(err)
	}
	r.Reactions[0].Users[0] = 99
	changes, err := s.Changes(t.Context(), at, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got := changes[0].RecordMessage.Mentions[0]; got != 2 {
		t.Errorf("the log's record names %d", got)
	}
	if got := changes[1].RecordMessage.Reactions[0].Users[0]; got != 2 {
		t.Errorf("the log's record has a reaction of %d", got)
	}
}

func TestOldLogEntriesGo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s, err := Open(dir, Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	room := newRoom(t, s, 1, 2)
	fill(t, s, room, 1, trimStep+500)
	m := post(t, s, store.Draft{Room: room, Author: 1, Content: "last of the old"})
	// A reader whose clock runs ahead must not keep the log for ever.
	if _, err := s.Read(t.Context(), room, 2, m.ID, now.Add(1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.trimOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	zero := store.Position{Epoch: s.epoch}
	if changes, err := s.Changes(t.Context(), zero, 1); err != nil || len(changes) != 1 {
		t.Fatalf("entries that are not old: %v, %v", changes, err)
	}
	old, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(7*24*time.Hour + time.Second)
	post(t, s, store.Draft{Room: room, Author: 1, Content: "new"})
	for range 2 { // and once more after a restart
		if err := s.trimOld(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Changes(t.Context(), store.Position{Epoch: s.epoch, Seq: old.Seq - 1}, 1); !errors.Is(err, store.ErrExpired) {
			t.Errorf("Changes before what is left: %v, want ErrExpired", err)
		}
		changes, err := s.Changes(t.Context(), old, 10)
		if err != nil || len(changes) != 1 || changes[0].Position.Seq != old.Seq+1 {
			t.Errorf("Changes of what is left = %v, %v", changes, err)
		}
		left := 0
		for k := range contents(t, s) {
			if k[0] == tagLog {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d entries are left, want 1", left)
		}
		for _, p := range problems(t, s) {
			t.Error(p)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(dir, Options{Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLogGoesOnAfterAllOfItWasTrimmed(t *testing.T) {
	dir := t.TempDir()
	s := openT(t, dir)
	newRoom(t, s, 1)
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Trim(t.Context(), store.Position{Epoch: head.Epoch, Seq: head.Seq + 100}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openT(t, dir)
	if again, err := s.Head(t.Context()); err != nil || again != head {
		t.Errorf("head %v, was %v: %v", again, head, err)
	}
	newRoom(t, s, 1)
	if changes, err := s.Changes(t.Context(), head, 1); err != nil || changes[0].Position.Seq != head.Seq+1 {
		t.Errorf("Changes = %v, %v", changes, err)
	}
}
