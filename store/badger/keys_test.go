package badger

import (
	"bytes"
	"cmp"
	"math"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

func TestKeysAreInOrder(t *testing.T) {
	// Each is below the next.
	keys := []struct {
		name string
		key  key
	}{
		{"a room's first message", messageKey("a", 1)},
		{"its next", messageKey("a", 2)},
		{"numbers are in order, not their text", messageKey("a", 10)},
		{"the byte 0xFF carries", messageKey("a", 255)},
		{"and over", messageKey("a", 256)},
		{"the largest", messageKey("a", math.MaxUint64)},
		{"a room whose id begins with another's", messageKey("a b", 1)},
		{"and one that goes on", messageKey("ab", 1)},
		{"the next tag", idKey(store.MessageID{})},
		{"a user's rooms", roomsOfKey(1, "z")},
		{"the next user's", roomsOfKey(2, "a")},
		{"users by number", roomsOfKey(10, "a")},
		{"the log", logKey(1)},
		{"its end", logKey(math.MaxUint64)},
		{"a name's room of long ago", namedKey("x", time.UnixMilli(-5), "b")},
		{"a newer one", namedKey("x", time.UnixMilli(5), "a")},
		{"and by id", namedKey("x", time.UnixMilli(5), "b")},
	}
	for i, next := range keys[1:] {
		if bytes.Compare(keys[i].key, next.key) >= 0 {
			t.Errorf("%q %x is not below %q %x", keys[i].name, keys[i].key, next.name, next.key)
		}
	}
}

func TestPairKeyIsOfTheSet(t *testing.T) {
	if !bytes.Equal(pairKey([]store.UserID{3, 1, 2}), pairKey([]store.UserID{1, 2, 3})) {
		t.Error("the order of people matters")
	}
	if bytes.Equal(pairKey([]store.UserID{1, 2}), pairKey([]store.UserID{1, 2, 3})) {
		t.Error("a person more makes no difference")
	}
}

func FuzzKey(f *testing.F) {
	f.Add("room", int64(1), uint64(1), "other", int64(2), uint64(2))
	f.Add("a", int64(255), uint64(256), "ab", int64(1), uint64(0))
	f.Fuzz(func(t *testing.T, room1 string, user1 int64, seq1 uint64, room2 string, user2 int64, seq2 uint64) {
		a, b := store.RoomID(room1), store.RoomID(room2)
		if !a.Valid() || !b.Valid() || user1 < 0 || user2 < 0 {
			t.Skip()
		}
		build := func(r store.RoomID, u int64, n uint64) key {
			return inRoom(tagRead, r, store.UserID(u)).seq(store.Seq(n))
		}
		one, two := build(a, user1, seq1), build(b, user2, seq2)
		got := readKey(one)
		if r, u, n := got.room(), got.user(), got.seq(); r != a || u != store.UserID(user1) || n != store.Seq(seq1) || !got.done() {
			t.Errorf("read %q %d %d from the key of %q %d %d", r, u, n, a, user1, seq1)
		}
		if lastSeq(one) != store.Seq(seq1) {
			t.Errorf("lastSeq = %d, want %d", lastSeq(one), seq1)
		}
		want := cmp.Or(cmp.Compare(string(a)+"\x00", string(b)+"\x00"), cmp.Compare(user1, user2), cmp.Compare(seq1, seq2))
		if got := bytes.Compare(one, two); got != want {
			t.Errorf("compare %x with %x = %d, want %d", one, two, got, want)
		}
		if a != b && bytes.HasPrefix(two, newKey(tagRead).room(a)) {
			t.Errorf("%q is found under %q", b, a)
		}
	})
}

// FuzzValue reads arbitrary bytes as every kind of record: none may panic, and what is
// read and written again reads the same.
func FuzzValue(f *testing.F) {
	m := store.Message{ID: store.MessageID{1}, Author: 7, Type: store.TypeText, Content: "hi", At: time.UnixMilli(1).UTC(), RootSeq: 3,
		Mentions: []store.UserID{1, 2}, Reactions: []store.Reaction{{Name: "+1", Users: []store.UserID{9}}}, EditedAt: time.UnixMilli(-9).UTC()}
	f.Add(encodeMessage(&m))
	f.Add(head{Seq: 1, LastAt: time.UnixMilli(5)}.encode())
	f.Add(membership{Role: store.RoomOwner, Through: 300}.encode())
	f.Add(encodeChange(&store.Change{Kind: store.MessagePosted, Room: "r", Message: m.ID, Seq: 1}))
	f.Add(once{ID: m.ID}.encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		again(t, value, func(v []byte) (store.Message, error) { return decodeMessage("", 0, v) }, func(m store.Message) []byte { return encodeMessage(&m) })
		again(t, value, decodeHead, head.encode)
		again(t, value, decodeMembership, membership.encode)
		again(t, value, decodePlace, place.encode)
		again(t, value, decodeReading, reading.encode)
		again(t, value, decodeSeen, seen.encode)
		again(t, value, decodeOnce, once.encode)
		again(t, value, decodeNumber, encodeNumber)
		again(t, value, func(v []byte) (store.Room, error) { return decodeRoom("", v) }, encodeRoom)
		again(t, value, func(v []byte) (store.Change, error) { return decodeChange(store.Position{}, v) }, func(c store.Change) []byte { return encodeChange(&c) })
	})
}

func again[T any](t *testing.T, value []byte, decode func([]byte) (T, error), encode func(T) []byte) {
	t.Helper()
	record, err := decode(value)
	if err != nil {
		return
	}
	first := encode(record)
	record, err = decode(first)
	if err != nil {
		t.Fatalf("%T %x written as %x cannot be read: %v", record, value, first, err)
	}
	if second := encode(record); !bytes.Equal(first, second) {
		t.Errorf("%T %x is written as %x and then as %x", record, value, first, second)
	}
}
