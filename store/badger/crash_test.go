package badger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/hearthchat/hearth/store"
)

const (
	crashDir     = "HEARTH_CRASH_DIR" // set for the process that is killed: where it writes
	crashRound   = "HEARTH_CRASH_ROUND"
	crashWriters = 64
	crashPeople  = 8
)

// TestMain is also the process that TestKill starts and kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, crashChild(dir, os.Getenv(crashRound)))
		os.Exit(1) // it was to be killed before
	}
	os.Exit(m.Run())
}

// crashChild posts, reads, deletes and reacts from many goroutines and says what was
// acknowledged, until it is killed.
func crashChild(dir, round string) error {
	ctx := context.Background()
	s, err := Open(dir, Options{MemTableSize: 8 * mib}) // tables fill up and are written too
	if err != nil {
		return err
	}
	rooms, err := s.OpenRooms(ctx, "", 100)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range crashWriters {
		go func() {
			user := store.UserID(1 + w%crashPeople)
			for i := 0; ; i++ {
				room := rooms[rand.IntN(len(rooms))].ID
				clientID := fmt.Sprintf("%s-%d-%d", round, w, i)
				d := store.Draft{Room: room, Author: user, Content: "message " + clientID, ClientID: clientID, MentionsRoom: i%50 == 0}
				m, _, err := s.Append(ctx, d)
				if err == nil {
					// One write is one line, also when many goroutines write.
					fmt.Printf("%s %d %s %s\n", room, m.Seq, m.ID, clientID)
				}
				if err == nil && i%10 == 9 {
					_, err = s.Read(ctx, room, user, m.ID, s.now())
				}
				if err == nil && i%20 == 7 {
					_, err = s.EditMessage(ctx, m.ID, user, func(m *store.Message) error { m.Deleted = true; return nil })
				}
				if err == nil && i%15 == 3 {
					_, _, err = s.React(ctx, m.ID, user, "+1", true)
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// TestKill kills a process that writes, again and again in the same folder, and requires
// that everything it acknowledged is there once and in order.
func TestKill(t *testing.T) {
	rounds := 3
	if os.Getenv("HEARTH_SOAK") == "1" {
		rounds = 50
	}
	dir := t.TempDir()
	s := openT(t, dir)
	var people []store.UserID
	for user := range crashPeople {
		people = append(people, store.UserID(1+user))
	}
	var rooms []store.RoomID
	for range 4 {
		rooms = append(rooms, newRoom(t, s, people...))
	}
	start, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged []store.Message
	for round := range rounds {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		acknowledged = append(acknowledged, killed(t, dir, round)...)
		if s, err = Open(dir, Options{MemTableSize: 8 * mib}); err != nil {
			t.Fatalf("open after the kill: %v", err)
		}
		checkAcknowledged(t, s, rooms, acknowledged)
		checkWholeLog(t, s, start)
		checkUnread(t, s, rooms, people)
		for _, p := range problems(t, s) {
			t.Error(p)
		}
		if t.Failed() {
			t.Fatalf("after round %d with %d messages acknowledged in all", round, len(acknowledged))
		}
	}
	t.Logf("%d messages acknowledged in %d rounds", len(acknowledged), rounds)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// killed runs the writing process until some messages were acknowledged, kills it and
// returns them.
func killed(t *testing.T, dir string, round int) (acknowledged []store.Message) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprint(crashRound, "=", round))
	var complaints strings.Builder
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	enough := 500 + rand.IntN(4000)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what follows the last line end was not said
		}
		var m store.Message
		var id string
		if _, err := fmt.Sscan(line, (*string)(&m.Room), (*uint64)(&m.Seq), &id, &m.ClientID); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		m.ID, _ = store.ParseMessageID(id)
		if acknowledged = append(acknowledged, m); len(acknowledged) == enough {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || complaints.Len() > 0 {
		t.Fatalf("the process ended by itself: %v, %s", err, complaints.String())
	}
	return acknowledged
}

// checkAcknowledged requires each acknowledged message once, at its place, and nothing twice.
func checkAcknowledged(t *testing.T, s *Store, rooms []store.RoomID, acknowledged []store.Message) {
	t.Helper()
	there := make(map[string]store.Message)
	for _, room := range rooms {
		all, err := s.Page(t.Context(), room, store.Span{Oldest: true, Limit: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range all {
			if m.Seq != store.Seq(i+1) {
				t.Fatalf("message %d of %s has the number %d", i+1, room, m.Seq)
			}
			if _, twice := there[m.ClientID]; twice && m.ClientID != "" {
				t.Errorf("%s is there twice", m.ClientID)
			}
			there[m.ClientID] = m
		}
	}
	for i, want := range acknowledged {
		got := there[want.ClientID]
		if got.ID != want.ID || got.Room != want.Room || got.Seq != want.Seq {
			t.Errorf("acknowledged %s %d %s %s, there is %+v", want.Room, want.Seq, want.ID, want.ClientID, got)
		}
		if i >= len(acknowledged)-20 {
			again, repeated, err := s.Append(t.Context(), store.Draft{Room: got.Room, Author: got.Author, Content: "message " + got.ClientID, ClientID: got.ClientID})
			if err != nil || !repeated || again.ID != want.ID {
				t.Errorf("sent %s again: %v, repeated %v, %v", want.ClientID, again.ID, repeated, err)
			}
		}
	}
}

func checkWholeLog(t *testing.T, s *Store, after store.Position) {
	t.Helper()
	changes, err := s.Changes(t.Context(), after, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	posted := make(map[store.RoomID]store.Seq)
	for _, c := range changes {
		if c.Position.Seq != after.Seq+1 {
			t.Fatalf("log entry %d follows %d", c.Position.Seq, after.Seq)
		}
		after = c.Position
		if c.Kind == store.MessagePosted {
			if last := posted[c.Room]; last != 0 && c.Seq != last+1 {
				t.Errorf("message %d of %s follows %d in the log", c.Seq, c.Room, last)
			}
			posted[c.Room] = c.Seq
		}
	}
	if head, err := s.Head(t.Context()); err != nil || head != after {
		t.Errorf("head %v, the last entry is %v, %v", head, after, err)
	}
}

// checkUnread recounts from messages and receipts what waits for each person.
func checkUnread(t *testing.T, s *Store, rooms []store.RoomID, people []store.UserID) {
	t.Helper()
	type waiting struct{ count, mentions int }
	var mu sync.Mutex
	want := make(map[store.RoomID]map[store.UserID]waiting)
	var all sync.WaitGroup
	for _, room := range rooms {
		all.Go(func() {
			messages, err := s.Page(t.Context(), room, store.Span{Oldest: true, Limit: 1 << 30})
			counts := make(map[store.UserID]waiting)
			for _, m := range messages {
				var readers []store.Receipt
				if err == nil {
					readers, err = s.Readers(t.Context(), m.ID)
				}
				read := make(map[store.UserID]bool)
				for _, r := range readers {
					read[r.User] = true
				}
				for _, user := range people {
					if m.Counts(user) && !read[user] {
						w := counts[user]
						w.count++
						if m.MentionsRoom {
							w.mentions++
						}
						counts[user] = w
					}
				}
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			want[room] = counts
		})
	}
	all.Wait()
	for _, user := range people {
		unread, err := s.Unread(t.Context(), user)
		if err != nil || len(unread) != len(rooms) {
			t.Fatalf("unread of %d: %v, %v", user, unread, err)
		}
		for _, u := range unread {
			if got := (waiting{u.Count, u.Mentions}); got != want[u.Room][user] {
				t.Errorf("unread of %d in %s: %+v, recounted %+v", user, u.Room, got, want[u.Room][user])
			}
		}
	}
}
