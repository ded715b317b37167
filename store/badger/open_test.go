package badger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/store"
)

func TestSecondOpenNamesTheFirst(t *testing.T) {
	dir := t.TempDir()
	openT(t, dir)
	_, err := Open(dir, Options{})
	if !errors.Is(err, store.ErrBusy) {
		t.Fatalf("open twice: %v, want ErrBusy", err)
	}
	for _, want := range []string{dir, fmt.Sprintf("process %d", os.Getpid()), "stop that one first"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestOnly64BitBuildsOpen(t *testing.T) {
	if err := checkProcessor(64); err != nil {
		t.Error(err)
	}
	if err := checkProcessor(32); err == nil || !strings.Contains(err.Error(), "64-bit build") {
		t.Errorf("32 bits: %v", err)
	}
}

// TestWritesAreSynced is about a default of Badger that loses acknowledged messages when
// the power fails.
func TestWritesAreSynced(t *testing.T) {
	if o := openT(t, t.TempDir()).db.Opts(); !o.SyncWrites || o.ValueThreshold < maxContentBytes {
		t.Errorf("SyncWrites %v, values of %d bytes go to the value log", o.SyncWrites, o.ValueThreshold)
	}
}

func TestOlderDataIsMigrated(t *testing.T) {
	dir := t.TempDir()
	s := openT(t, dir)
	room := newRoom(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var ran []int
	step := func(n int, err error) migration {
		return func(ctx context.Context, s *Store) error {
			ran = append(ran, n)
			return errors.Join(err, s.write(ctx, func(t *tx) error {
				t.set(metaKey(fmt.Sprint("step", n)), present)
				return nil
			}))
		}
	}
	broken := errors.New("broken")
	if _, err := open(dir, Options{}, append(migrations[:1:1], step(2, nil), step(3, broken))); !errors.Is(err, broken) {
		t.Fatalf("a migration that fails: %v", err)
	}
	newer := append(migrations[:1:1], step(2, nil), step(3, nil))
	s, err := open(dir, Options{}, newer)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(ran) != "[2 3 3]" {
		t.Errorf("ran %v, want each step once it was not done", ran)
	}
	if _, err := s.Room(t.Context(), room); err != nil {
		t.Errorf("after the migration: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = open(dir, Options{}, newer); err != nil || len(ran) != 3 {
		t.Fatalf("opened again: ran %v, %v", ran, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewerDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openT(t, dir)
	known := len(migrations)
	err := s.write(t.Context(), func(t *tx) error {
		t.set(metaKey(metaSchema), encodeNumber(uint64(known+1)))
		return nil
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, Options{})
	if err == nil {
		t.Fatal("data of a newer version was opened")
	}
	for _, want := range []string{fmt.Sprintf("version %d", known+1), fmt.Sprintf("up to %d", known), "newer program", "backup"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if _, err := Open(dir, Options{}); err == nil || errors.Is(err, store.ErrBusy) {
		t.Errorf("refusing keeps the lock: %v", err)
	}
}

func TestAfterCloseEverythingIsErrClosed(t *testing.T) {
	s := openT(t, t.TempDir())
	room := newRoom(t, s, 1)
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- s.Wait(context.Background(), head) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Wait = %v, want ErrClosed", err)
	}
	if _, err := s.Room(t.Context(), room); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Room = %v, want ErrClosed", err)
	}
	if _, _, err := s.Append(t.Context(), store.Draft{Room: room, Author: 1, Content: "x"}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Append = %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}
