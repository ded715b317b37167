package badger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// The first byte of every key. Numbers are stored and never reused.
const (
	tagMeta        byte = 1  // name → schema, epoch, low, relayed, importing
	tagRoom        byte = 2  // room → the room
	tagHead        byte = 3  // room → head
	tagMessage     byte = 4  // room, seq → the message with its reactions and reply count
	tagID          byte = 5  // message id → room, seq
	tagReply       byte = 6  // room, root seq, seq → –
	tagMember      byte = 7  // room, user → –
	tagRoomsOf     byte = 8  // user, room → membership and read state
	tagPair        byte = 9  // hash of people → their direct room
	tagRead        byte = 10 // room, user, through → from, at
	tagSeen        byte = 11 // room, user, through → from, how many messages
	tagBy          byte = 12 // room, user, seq → how many messages of theirs up to this one
	tagTomb        byte = 13 // room, seq → author of the deleted message
	tagMention     byte = 14 // user, room, seq → –
	tagRoomMention byte = 15 // room, seq → author
	tagOnce        byte = 16 // user, client id → message id, fingerprint, at
	tagLog         byte = 17 // seq → the change
	tagOpen        byte = 18 // room of KindOpen → –
	tagNamed       byte = 19 // hash of name, creation, room of KindOpen → –
	tagGone        byte = 20 // deleted room whose keys are not all erased → –

	tagCount = 21
)

// key is a key under construction.
type key []byte

func newKey(tag byte) key { return append(make(key, 0, 72), tag) }

func (k key) room(id store.RoomID) key { return append(append(k, id...), 0) }
func (k key) user(id store.UserID) key { return binary.BigEndian.AppendUint64(k, uint64(id)) }
func (k key) seq(n store.Seq) key      { return binary.BigEndian.AppendUint64(k, uint64(n)) }

func metaKey(name string) key          { return append(newKey(tagMeta), name...) }
func roomKey(r store.RoomID) key       { return newKey(tagRoom).room(r) }
func headKey(r store.RoomID) key       { return newKey(tagHead).room(r) }
func openKey(r store.RoomID) key       { return newKey(tagOpen).room(r) }
func goneKey(r store.RoomID) key       { return newKey(tagGone).room(r) }
func idKey(id store.MessageID) key     { return append(newKey(tagID), id[:]...) }
func logKey(n uint64) key              { return newKey(tagLog).seq(store.Seq(n)) }
func roomsOfPrefix(u store.UserID) key { return newKey(tagRoomsOf).user(u) }

func messageKey(r store.RoomID, n store.Seq) key { return newKey(tagMessage).room(r).seq(n) }
func tombKey(r store.RoomID, n store.Seq) key    { return newKey(tagTomb).room(r).seq(n) }

func replyKey(r store.RoomID, root, n store.Seq) key {
	return newKey(tagReply).room(r).seq(root).seq(n)
}

func roomMentionKey(r store.RoomID, n store.Seq) key {
	return newKey(tagRoomMention).room(r).seq(n)
}

func memberKey(r store.RoomID, u store.UserID) key  { return newKey(tagMember).room(r).user(u) }
func roomsOfKey(u store.UserID, r store.RoomID) key { return roomsOfPrefix(u).room(r) }

// inRoom is the prefix of what one person has in one room under tagRead, tagSeen or tagBy.
func inRoom(tag byte, r store.RoomID, u store.UserID) key { return newKey(tag).room(r).user(u) }

func mentionKey(u store.UserID, r store.RoomID, n store.Seq) key {
	return newKey(tagMention).user(u).room(r).seq(n)
}

func onceKey(u store.UserID, clientID string) key {
	return append(newKey(tagOnce).user(u), clientID...)
}

// pairKey names a set of people, in whatever order they come.
func pairKey(people []store.UserID) key {
	people = slices.Sorted(slices.Values(people))
	var all []byte
	for _, u := range people {
		all = binary.BigEndian.AppendUint64(all, uint64(u))
	}
	sum := sha256.Sum256(all)
	return append(newKey(tagPair), sum[:]...)
}

// namedPrefix holds the open rooms of one name, oldest first.
func namedPrefix(name string) key {
	sum := sha256.Sum256([]byte(name))
	return append(newKey(tagNamed), sum[:16]...)
}

func namedKey(name string, created time.Time, r store.RoomID) key {
	k := namedPrefix(name)
	// Flipping the sign bit puts times before 1970 first.
	k = binary.BigEndian.AppendUint64(k, uint64(created.UnixMilli())^1<<63)
	return k.room(r)
}

// fields reads a key from its second byte on. After a mistake ok is false and every
// further field is zero.
type fields struct {
	rest []byte
	ok   bool
}

func readKey(k []byte) fields {
	if len(k) == 0 {
		return fields{}
	}
	return fields{k[1:], true}
}

func (f *fields) uint64() uint64 {
	if !f.ok || len(f.rest) < 8 {
		f.ok = false
		return 0
	}
	n := binary.BigEndian.Uint64(f.rest)
	f.rest = f.rest[8:]
	return n
}

func (f *fields) user() store.UserID { return store.UserID(f.uint64()) }
func (f *fields) seq() store.Seq     { return store.Seq(f.uint64()) }

func (f *fields) room() store.RoomID {
	before, after, found := strings.Cut(string(f.rest), "\x00")
	if !f.ok || !found {
		f.ok = false
		return ""
	}
	f.rest = f.rest[len(f.rest)-len(after):]
	return store.RoomID(before)
}

// done reports whether everything was read and nothing is left.
func (f *fields) done() bool { return f.ok && len(f.rest) == 0 }

// lastSeq is the number that ends a key.
func lastSeq(k []byte) store.Seq {
	if len(k) < 8 {
		return 0
	}
	return store.Seq(binary.BigEndian.Uint64(k[len(k)-8:]))
}

func (k key) clone() key { return slices.Clone(k) }
