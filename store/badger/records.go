package badger

import (
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// head is what changes in a room with every message, apart from the room so that a post
// does not write its texts again.
type head struct {
	Seq             store.Seq
	Last            store.MessageID // of Seq
	Countable       uint64
	LastAt          time.Time
	Members         uint64
	Hidden          uint64    // members of a direct room who do not see it
	LastTomb        store.Seq // newest deleted message, 0: none
	LastRoomMention store.Seq // no newer message names everybody
	Posted          uint64    // of Countable, those that were not imported
	Importing       bool
}

func (h head) encode() []byte {
	p := pack(64).seq(h.Seq).id(h.Last).num(h.Countable).time(h.LastAt).num(h.Members).num(h.Hidden).
		seq(h.LastTomb).seq(h.LastRoomMention).num(h.Posted)
	return p.byte(flags(h.Importing))
}

func decodeHead(value []byte) (head, error) {
	u := unpack(value)
	h := head{Seq: u.seq(), Last: u.id(), Countable: u.num(), LastAt: u.time(), Members: u.num(), Hidden: u.num(),
		LastTomb: u.seq(), LastRoomMention: u.seq(), Posted: u.num()}
	h.Importing = u.byte()&1 != 0
	return h, u.done()
}

// flags packs booleans, the first into the lowest bit.
func flags(bits ...bool) (b byte) {
	for i, set := range bits {
		if set {
			b |= 1 << i
		}
	}
	return b
}

func encodeRoom(r store.Room) []byte {
	return pack(64 + len(r.Name) + len(r.Description)).text(string(r.Kind)).text(r.Name).text(r.Description).
		user(r.Creator).time(r.CreatedAt).text(r.Source)
}

// decodeRoom returns the room without what is in its head.
func decodeRoom(id store.RoomID, value []byte) (store.Room, error) {
	u := unpack(value)
	r := store.Room{ID: id, Kind: store.Kind(u.text()), Name: u.text(), Description: u.text(),
		Creator: u.user(), CreatedAt: u.time(), Source: u.text()}
	return r, u.done()
}

// withHead fills in what the engine keeps up to date.
func withHead(r store.Room, h head) store.Room {
	r.Head, r.Countable, r.LastAt, r.Members, r.Importing = h.Seq, h.Countable, h.LastAt, int(h.Members), h.Importing
	return r
}

// membership is one person in one room, and how far they have read.
type membership struct {
	Role      store.RoomRole
	JoinedAt  time.Time
	JoinedSeq store.Seq
	Hidden    bool

	// Everything up to Through is seen; at least JoinedSeq. How many messages up to there
	// are no system lines, and how many of those are the person's own.
	Through          store.Seq
	CountableThrough uint64
	OwnThrough       uint64

	Own         uint64    // messages of theirs in the room, ever
	Seen        uint64    // others' messages in seen ranges, which are all beyond Through
	Receipts    store.Seq // receipts cover what can have one after JoinedSeq up to here
	LastMention store.Seq // no newer message names the person
}

func (m membership) encode() []byte {
	return pack(48).text(string(m.Role)).time(m.JoinedAt).seq(m.JoinedSeq).byte(flags(m.Hidden)).
		seq(m.Through).num(m.CountableThrough).num(m.OwnThrough).num(m.Own).num(m.Seen).seq(m.Receipts).seq(m.LastMention)
}

func decodeMembership(value []byte) (membership, error) {
	u := unpack(value)
	m := membership{Role: store.RoomRole(u.text()), JoinedAt: u.time(), JoinedSeq: u.seq(), Hidden: u.byte()&1 != 0,
		Through: u.seq(), CountableThrough: u.num(), OwnThrough: u.num(), Own: u.num(), Seen: u.num(),
		Receipts: u.seq(), LastMention: u.seq()}
	return m, u.done()
}

func (m membership) member(r store.RoomID, u store.UserID) store.Member {
	return store.Member{Room: r, User: u, Role: m.Role, JoinedAt: m.JoinedAt, JoinedSeq: m.JoinedSeq, Hidden: m.Hidden}
}

// messageTypes are stored as their index, so new ones go to the end.
var messageTypes = []store.MessageType{store.TypeText, store.TypeImage, store.TypeFile, store.TypeSystem}

// encodeMessage holds everything but Room and Seq, which the key tells.
func encodeMessage(m *store.Message) []byte {
	kind := max(0, slices.Index(messageTypes, m.Type))
	reply, edited, listed := m.RootSeq != 0, !m.EditedAt.IsZero(), len(m.Mentions)+len(m.Reactions)+m.ReplyCount > 0
	p := pack(48 + len(m.Content) + len(m.ClientID)).byte(byte(kind)).
		byte(flags(m.Deleted, m.MentionsRoom, reply, edited, listed)).
		id(m.ID).user(m.Author).time(m.At).num(m.Countable).text(m.Content).text(m.ClientID)
	if reply {
		p = p.id(m.Parent).id(m.Root).seq(m.RootSeq)
	}
	if edited {
		p = p.time(m.EditedAt)
	}
	if listed {
		p = p.users(m.Mentions).num(uint64(m.ReplyCount)).num(uint64(len(m.Reactions)))
		for _, r := range m.Reactions {
			p = p.text(r.Name).users(r.Users)
		}
	}
	return p
}

func decodeMessage(room store.RoomID, seq store.Seq, value []byte) (store.Message, error) {
	u := unpack(value)
	kind, bits := u.byte(), u.byte()
	m := store.Message{Room: room, Seq: seq, Deleted: bits&1 != 0, MentionsRoom: bits&2 != 0,
		ID: u.id(), Author: u.user(), At: u.time(), Countable: u.num(), Content: u.text(), ClientID: u.text()}
	if int(kind) >= len(messageTypes) {
		return m, errDamaged
	}
	m.Type = messageTypes[kind]
	if bits&4 != 0 {
		m.Parent, m.Root, m.RootSeq = u.id(), u.id(), u.seq()
	}
	if bits&8 != 0 {
		m.EditedAt = u.time()
	}
	if bits&16 != 0 {
		m.Mentions = u.users()
		m.ReplyCount = int(u.num())
		for range u.size() {
			m.Reactions = append(m.Reactions, store.Reaction{Name: u.text(), Users: u.users()})
		}
	}
	return m, u.done()
}

func (p packer) users(list []store.UserID) packer {
	p = p.num(uint64(len(list)))
	for _, id := range list {
		p = p.user(id)
	}
	return p
}

func (u *unpacker) users() (list []store.UserID) {
	for range u.size() {
		list = append(list, u.user())
	}
	return list
}

// place is where a message is.
type place struct {
	Room store.RoomID
	Seq  store.Seq
}

func (at place) encode() []byte { return pack(48).seq(at.Seq).text(string(at.Room)) }

func decodePlace(value []byte) (place, error) {
	u := unpack(value)
	p := place{Seq: u.seq(), Room: store.RoomID(u.text())}
	return p, u.done()
}

// reading is the value of a range under tagRead, whose key tells the last of it.
type reading struct {
	From store.Seq
	At   time.Time
}

func (r reading) encode() []byte { return pack(16).seq(r.From).time(r.At) }

func decodeReading(value []byte) (reading, error) {
	u := unpack(value)
	r := reading{u.seq(), u.time()}
	return r, u.done()
}

// seen is the value of a range under tagSeen: messages that are not unread although they
// are beyond membership.Through. Count is how many of them are others' and no system lines.
type seen struct {
	From  store.Seq
	Count uint64
}

func (s seen) encode() []byte { return pack(12).seq(s.From).num(s.Count) }

func decodeSeen(value []byte) (seen, error) {
	u := unpack(value)
	s := seen{u.seq(), u.num()}
	return s, u.done()
}

// once remembers a client id.
type once struct {
	ID          store.MessageID
	Fingerprint [8]byte
	At          time.Time
}

func (o once) encode() []byte { return append(pack(32).id(o.ID), o.Fingerprint[:]...).time(o.At) }

func decodeOnce(value []byte) (o once, err error) {
	u := unpack(value)
	o.ID = u.id()
	copy(o.Fingerprint[:], u.take(len(o.Fingerprint)))
	o.At = u.time()
	return o, u.done()
}

// encodeNumber and decodeNumber hold a lone number: ordinals, authors, meta.
func encodeNumber(n uint64) []byte { return pack(10).num(n) }

func decodeNumber(value []byte) (uint64, error) {
	u := unpack(value)
	n := u.num()
	return n, u.done()
}

// encodeChange holds everything but the position, which the key tells.
func encodeChange(c *store.Change) []byte {
	p := pack(80 + len(c.Text)).byte(byte(c.Kind)).byte(flags(!c.Message.IsZero())).text(string(c.Room)).user(c.User)
	if !c.Message.IsZero() {
		p = p.id(c.Message)
	}
	return p.seq(c.Seq).seq(c.From).text(c.Text).time(c.At)
}

func decodeChange(at store.Position, value []byte) (store.Change, error) {
	u := unpack(value)
	c := store.Change{Position: at, Kind: store.ChangeKind(u.byte())}
	bits := u.byte()
	c.Room, c.User = store.RoomID(u.text()), u.user()
	if bits&1 != 0 {
		c.Message = u.id()
	}
	c.Seq, c.From, c.Text, c.At = u.seq(), u.seq(), u.text(), u.time()
	return c, u.done()
}
