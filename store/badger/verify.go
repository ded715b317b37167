package badger

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hearthchat/hearth/store"
)

// Problem is something in the data that should not be. What says which rule is broken and
// Where on which record.
type Problem struct{ What, Where string }

// Verify walks everything there is at the moment it is called and reports what breaks an
// invariant. It changes nothing and takes memory for no more than one room's members at a
// time. The error says why it could not go on, not that something was found.
func (s *Store) Verify(ctx context.Context, report func(Problem)) error {
	if err := s.db.VerifyChecksum(); err != nil {
		report(Problem{"a table's checksum is wrong", err.Error()})
	}
	return s.view(ctx, func(r *snapshot) error {
		v := &verifier{ctx: ctx, snapshot: r, report: report, known: make(map[store.RoomID]existence)}
		for _, check := range []func() error{
			v.meta, v.log, v.rooms, v.strays, v.ids, v.roomsOf, v.pairs, v.open, v.named, v.mentions, v.onces, v.imports,
		} {
			if err := check(); err != nil {
				return fmt.Errorf("verify: %w", err)
			}
		}
		return nil
	})
}

type verifier struct {
	*snapshot
	ctx    context.Context // of one call
	report func(Problem)
	known  map[store.RoomID]existence // some of the rooms
}

type existence struct{ there, deleted bool }

// found reports a problem; where is formatted with args.
func (v *verifier) found(what, where string, args ...any) {
	v.report(Problem{what, fmt.Sprintf(where, args...)})
}

// each visits the keys with a prefix. A record that cannot be read is reported and passed over.
func (v *verifier) each(prefix key, visit func(k key, f fields, value []byte) error) error {
	return v.ascend(prefix, prefix, func(k, value []byte) (bool, error) {
		if err := v.ctx.Err(); err != nil {
			return false, err
		}
		return true, v.tolerate(visit(k, readKey(k), value), "key %x", k)
	})
}

// tolerate reports an error that says a record is damaged, and returns every other.
func (v *verifier) tolerate(err error, where string, args ...any) error {
	if isDamage(err) {
		v.found("damaged record", where+": %v", append(args, err)...)
		return nil
	}
	return err
}

// exists reports whether a room is there; deleted says that its keys are still being erased.
func (v *verifier) exists(room store.RoomID) (there, deleted bool, err error) {
	if is, known := v.known[room]; known {
		return is.there, is.deleted, nil
	}
	if there, err = v.has(headKey(room)); err == nil && !there {
		deleted, err = v.has(goneKey(room))
	}
	if len(v.known) > 1000 {
		clear(v.known)
	}
	v.known[room] = existence{there, deleted}
	return there, deleted, err
}

func (v *verifier) has(k key) (bool, error) {
	_, ok, err := v.get(k)
	return ok, err
}

func (v *verifier) meta() error {
	version, err := number(v, metaKey(metaSchema))
	if err := v.tolerate(err, "meta schema"); err != nil {
		return err
	}
	if version != uint64(len(migrations)) {
		v.found("schema version is unknown", "meta schema: %d", version)
	}
	epoch, err := number(v, metaKey(metaEpoch))
	if epoch == 0 && err == nil {
		v.found("the log has no epoch", "meta epoch")
	}
	return v.tolerate(err, "meta epoch")
}

func (v *verifier) log() error {
	low, err := number(v, metaKey(metaLow))
	if err := v.tolerate(err, "meta low"); err != nil {
		return err
	}
	next := max(low, 1)
	return v.each(newKey(tagLog), func(k key, f fields, value []byte) error {
		n := f.uint64()
		if n != next {
			v.found("the log has a hole", "log entries %d through %d", next, n-1)
		}
		next = n + 1
		c, err := decodeChange(store.Position{}, value)
		if err == nil && c.Kind == 0 {
			v.found("log entry without kind", "log entry %d", n)
		}
		return err
	})
}

// rooms checks each room with all that is in it.
func (v *verifier) rooms() error {
	err := v.each(newKey(tagRoom), func(_ key, f fields, _ []byte) error {
		room := f.room()
		there, err := v.has(headKey(room))
		if !there {
			v.found("room without head", "room %s", room)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.each(newKey(tagHead), func(_ key, f fields, value []byte) error {
		room := f.room()
		h, err := decodeHead(value)
		if err != nil {
			return err
		}
		r, ok, err := decoded(v, roomKey(room), func(value []byte) (store.Room, error) { return decodeRoom(room, value) })
		if err != nil || !ok {
			v.found("head without room", "room %s", room)
			return err
		}
		of := roomVerifier{verifier: v, room: r, head: h}
		return of.verify()
	})
}

// strays looks for keys of rooms that do not exist.
func (v *verifier) strays() error {
	for _, tag := range []byte{tagMessage, tagReply, tagMember, tagRead, tagSeen, tagBy, tagTomb, tagRoomMention} {
		prefix := newKey(tag)
		err := v.leap(prefix, prefix, func(k, _ []byte) (key, error) {
			f := readKey(k)
			room := f.room()
			there, deleted, err := v.exists(room)
			if !there && !deleted {
				v.found("record of a room that does not exist", "room %s, key %x", room, k)
			}
			past := newKey(tag).room(room)
			past[len(past)-1] = 1 // after the 0x00 that ends the room
			return past, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) ids() error {
	return v.each(newKey(tagID), func(k key, _ fields, value []byte) error {
		at, err := decodePlace(value)
		if err != nil {
			return err
		}
		id := store.MessageID(k[1:])
		there, deleted, err := v.exists(at.Room)
		if err != nil || deleted {
			return err
		}
		var m store.Message
		if there {
			m, err = messageAt(v, at.Room, at.Seq)
		}
		if m.ID != id && (err == nil || isDamage(err)) {
			v.found("message id leads nowhere", "message id %s in room %s at %d", id, at.Room, at.Seq)
			return nil
		}
		return err
	})
}

func (v *verifier) roomsOf() error {
	return v.each(newKey(tagRoomsOf), func(_ key, f fields, value []byte) error {
		user, room := f.user(), f.room()
		there, deleted, err := v.exists(room)
		if err != nil || deleted {
			return err
		}
		member, err := v.has(memberKey(room, user))
		if !there || !member {
			v.found("membership that its room does not know", "room %s, user %d", room, user)
		}
		return err
	})
}

func (v *verifier) pairs() error {
	return v.each(newKey(tagPair), func(k key, _ fields, value []byte) error {
		id := store.RoomID(value[1:])
		r, err := getRoom(v, id)
		var people []store.UserID
		if err == nil && r.Kind == store.KindDirect {
			err = v.each(newKey(tagMember).room(id), func(_ key, f fields, _ []byte) error {
				f.room()
				people = append(people, f.user())
				return nil
			})
		}
		if !bytes.Equal(k, pairKey(people)) {
			v.found("people's direct room is another one", "room %s", id)
			return nil
		}
		return err
	})
}

func (v *verifier) open() error {
	return v.each(newKey(tagOpen), func(_ key, f fields, _ []byte) error {
		id := f.room()
		if r, err := getRoom(v, id); err != nil || r.Kind != store.KindOpen {
			v.found("listed room is not open", "room %s", id)
		}
		return nil
	})
}

func (v *verifier) named() error {
	return v.each(newKey(tagNamed), func(k key, f fields, _ []byte) error {
		if f.ok = len(f.rest) > 24; f.ok {
			f.rest = f.rest[24:]
		}
		id := f.room()
		if r, err := getRoom(v, id); err != nil || r.Kind != store.KindOpen || !bytes.Equal(k, namedKey(r.Name, r.CreatedAt, id)) {
			v.found("room listed under a name it does not have", "room %s", id)
		}
		return nil
	})
}

func (v *verifier) mentions() error {
	return v.each(newKey(tagMention), func(_ key, f fields, _ []byte) error {
		user, room, seq := f.user(), f.room(), f.seq()
		there, deleted, err := v.exists(room)
		if err != nil || deleted {
			return err
		}
		var m store.Message
		if there {
			m, err = messageAt(v, room, seq)
		}
		if err == nil && (m.Deleted || !contains(m.Mentions, user)) {
			v.found("mention that its message does not have", "room %s, message %d, user %d", room, seq, user)
		}
		return err
	})
}

func (v *verifier) onces() error {
	return v.each(newKey(tagOnce), func(k key, f fields, value []byte) error {
		o, err := decodeOnce(value)
		if err != nil {
			return err
		}
		author := f.user()
		at, ok, err := decoded(v, idKey(o.ID), decodePlace)
		if err != nil {
			return err
		}
		there, deleted, err := v.exists(at.Room)
		if err != nil || deleted {
			return err
		}
		var m store.Message
		if ok && there {
			m, err = messageAt(v, at.Room, at.Seq)
		}
		if err == nil && (m.ID != o.ID || m.Author != author || m.ClientID != string(f.rest)) {
			v.found("client id of no message", "user %d, client id %q", author, f.rest)
		}
		return err
	})
}

func (v *verifier) imports() error {
	prefix := append(metaKey(metaImporting), 0)
	return v.each(prefix, func(k key, _ fields, _ []byte) error {
		f := readKey(k[len(prefix)-1:])
		room := f.room()
		h, ok, err := decoded(v, headKey(room), decodeHead)
		if err == nil && (!ok || !h.Importing) {
			v.found("import into a room that has none", "room %s", room)
		}
		return err
	})
}
