package badger

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/hearthchat/hearth/store"
)

// formatPacked is the first byte of every value: fields one after the other, numbers as
// varints. A new format is a new byte and old values stay readable.
const formatPacked byte = 2

// errDamaged says that a value is not what this program wrote.
var errDamaged = errors.New("damaged record")

// present is the value of a key that says everything.
var present = []byte{formatPacked}

// packer builds a value.
type packer []byte

func pack(size int) packer { return append(make(packer, 0, size+1), formatPacked) }

func (p packer) byte(b byte) packer           { return append(p, b) }
func (p packer) num(n uint64) packer          { return binary.AppendUvarint(p, n) }
func (p packer) seq(n store.Seq) packer       { return p.num(uint64(n)) }
func (p packer) user(u store.UserID) packer   { return p.num(uint64(u)) }
func (p packer) id(id store.MessageID) packer { return append(p, id[:]...) }
func (p packer) text(s string) packer         { return append(p.num(uint64(len(s))), s...) }

// time writes 0 for the zero time, else milliseconds, odd so that they differ from it.
func (p packer) time(t time.Time) packer {
	if t.IsZero() {
		return p.num(0)
	}
	ms := t.UnixMilli()
	return p.num(uint64(ms<<1^ms>>63)<<1 | 1)
}

// unpacker reads a value. After a mistake bad is true and every further field is zero.
type unpacker struct {
	rest []byte
	bad  bool
}

func unpack(value []byte) unpacker {
	if len(value) == 0 || value[0] != formatPacked {
		return unpacker{bad: true}
	}
	return unpacker{rest: value[1:]}
}

func (u *unpacker) take(n int) []byte {
	if u.bad || n < 0 || n > len(u.rest) {
		u.bad = true
		return nil
	}
	b := u.rest[:n]
	u.rest = u.rest[n:]
	return b
}

func (u *unpacker) byte() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unpacker) num() uint64 {
	n, size := binary.Uvarint(u.rest)
	if u.bad || size <= 0 {
		u.bad = true
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

func (u *unpacker) seq() store.Seq     { return store.Seq(u.num()) }
func (u *unpacker) user() store.UserID { return store.UserID(u.num()) }

func (u *unpacker) id() (id store.MessageID) {
	copy(id[:], u.take(len(id)))
	return id
}

// size is the length of something that follows, so never more than what is left.
func (u *unpacker) size() int {
	n := u.num()
	if n > uint64(len(u.rest)) {
		u.bad = true
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string { return string(u.take(u.size())) }

func (u *unpacker) time() time.Time {
	n := u.num()
	if n&1 == 0 {
		return time.Time{}
	}
	n >>= 1
	return time.UnixMilli(int64(n>>1) ^ -int64(n&1)).UTC()
}

// done is nil when everything was read and nothing is left.
func (u *unpacker) done() error {
	if u.bad || len(u.rest) > 0 {
		return errDamaged
	}
	return nil
}

// millis drops what is finer than times are stored.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
