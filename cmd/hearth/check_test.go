package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	badgerdb "github.com/dgraph-io/badger/v4"
	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// withSystem opens a data folder and closes it after use.
func withSystem(t *testing.T, folder string, use func(s *system) error) {
	t.Helper()
	settled, err := settle(words("data", folder, "bcrypt-cost", "4"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSystem(t.Context(), settled, newLogger(settled, newOutput(), 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(use(s), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// conversation fills a folder with two people who talk in one room.
func conversation(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	withSystem(t, folder, func(s *system) error {
		ctx := t.Context()
		ann, err := s.auth.AddUser(ctx, auth.NewAccount{Username: "ann", Email: "ann@example.org", Password: testPassword}, store.RoleAdmin)
		if err != nil {
			return err
		}
		bob, err := s.auth.AddUser(ctx, auth.NewAccount{Username: "bob", Email: "bob@example.org", Password: testPassword}, store.RoleMember)
		if err != nil {
			return err
		}
		room, err := s.chat.CreateRoom(ctx, ann, chat.NewRoom{Name: "lobby", Invited: []store.UserID{bob.ID}})
		if err != nil {
			return err
		}
		var first store.Message
		for i, text := range []string{"hi @bob", "hello", "how are you?", "never mind"} {
			m, _, err := s.chat.Post(ctx, []store.User{ann, bob}[i%2], store.Draft{Room: room.ID, Content: text, Parent: first.ID, ClientID: "c"})
			if err != nil && i < 2 {
				return err
			}
			if i == 0 {
				first = m
			}
		}
		_, err = s.rooms.Read(ctx, room.ID, bob.ID, first.ID, store.Truncate(first.At))
		return err
	})
	return folder
}

// inRooms changes the file of rooms: delete the first key with a tag.
func inRooms(tag byte) func(folder string) error {
	return func(folder string) error {
		db, err := badgerdb.Open(badgerdb.DefaultOptions(filepath.Join(folder, roomsFolder)).WithLogger(nil))
		if err != nil {
			return err
		}
		err = db.Update(func(txn *badgerdb.Txn) error {
			it := txn.NewIterator(badgerdb.DefaultIteratorOptions)
			defer it.Close()
			it.Seek([]byte{tag})
			if !it.ValidForPrefix([]byte{tag}) {
				return errors.New("there is no such key")
			}
			return txn.Delete(it.Item().KeyCopy(nil))
		})
		return errors.Join(err, db.Close())
	}
}

// inPeople changes the file of people: delete the first key of a bucket.
func inPeople(bucket string) func(folder string) error {
	return func(folder string) error {
		db, err := bbolt.Open(filepath.Join(folder, peopleFile), 0o600, nil)
		if err != nil {
			return err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			key, _ := tx.Bucket([]byte(bucket)).Cursor().First()
			if key == nil {
				return errors.New("there is no such key")
			}
			return tx.Bucket([]byte(bucket)).Delete(key)
		})
		return errors.Join(err, db.Close())
	}
}

// TestCheckNamesDamage plants each kind of damage into a folder of its own. What the stores
// verify by themselves is tested with them; here it is that the command says so.
func TestCheckNamesDamage(t *testing.T) {
	whole := conversation(t)
	if out := cli(t, "", "check", "--data", whole).must(t).out; out != "everything fits together\n" {
		t.Fatalf("check of whole data printed %q", out)
	}
	const (
		room    = 2 // tags of keys, which never change
		head    = 3
		message = 4
		id      = 5
		reply   = 6
		member  = 7
		roomsOf = 8
		mention = 14
		open    = 18
	)
	stranger := func(folder string) error {
		withSystem(t, folder, func(s *system) error {
			r, err := s.rooms.OpenRoomNamed(t.Context(), "lobby")
			if err != nil {
				return err
			}
			_, err = s.rooms.Join(t.Context(), store.Member{Room: r.ID, User: 99}, 99, store.LineJoined)
			return err
		})
		return nil
	}
	creator := func(folder string) error {
		withSystem(t, folder, func(s *system) error {
			_, err := s.rooms.CreateRoom(t.Context(), store.Room{Kind: store.KindOpen, Name: "x", Creator: 98, Source: "elsewhere"}, nil)
			return err
		})
		return nil
	}
	tests := []struct {
		name  string
		plant func(folder string) error
		says  string
	}{
		{"a room is lost", inRooms(room), "rooms: head without room"},
		{"a head is lost", inRooms(head), "rooms: room without head"},
		{"a message is lost", inRooms(message), "rooms: a room's numbers have a gap"},
		{"an id is lost", inRooms(id), "rooms: message that its id does not lead to"},
		{"a reply is not listed", inRooms(reply), "rooms: reply is not listed under its root"},
		{"a member is lost", inRooms(member), "rooms: membership that its room does not know"},
		{"a membership is lost", inRooms(roomsOf), "rooms: member who does not know of it"},
		{"a mention is not listed", inRooms(mention), "rooms: mention is not listed"},
		{"a public room is not listed", inRooms(open), "rooms: open room is not listed"},
		{"an account is lost", inPeople("users"), "people.db: "},
		{"a name leads nowhere", inPeople("by-name"), "people.db: "},
		{"an address leads nowhere", inPeople("by-email"), "people.db: "},
		{"a member and author has no account", stranger, "has the user_id 99, and there is no such account"},
		{"a creator has no account", creator, "the creator of room "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := tt.plant(folder); err != nil {
				t.Fatal(err)
			}
			r := cli(t, "", "check", "--data", folder)
			if r.code != exitFailed || !strings.Contains(r.out, tt.says) || !strings.Contains(r.err, "problems found: ") {
				t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
			}
		})
	}
}
