package badger

import (
	"context"
	"math"
	"slices"

	"github.com/hearthchat/hearth/store"
)

const (
	importStep    = 1000 // messages or members of one operation
	importContent = 512 << 10
)

// importingKey keeps the head that a room had when the import into it began.
func importingKey(room store.RoomID) key {
	return append(metaKey(metaImporting), 0).room(room)
}

// BeginImport makes the room read-only for everything but ImportMessages.
func (s *Store) BeginImport(ctx context.Context, room store.RoomID) error {
	return s.write(ctx, func(t *tx) error {
		r, h, err := writable(t, room)
		if err != nil {
			return err
		}
		t.set(importingKey(room), encodeNumber(uint64(h.Seq)))
		setImporting(t, r, h, true)
		return nil
	})
}

func setImporting(t *tx, r store.Room, h head, on bool) {
	h.Importing = on
	t.set(headKey(r.ID), h.encode())
	r = withHead(r, h)
	t.log(store.Change{Kind: store.RoomEdited, Room: r.ID, RecordRoom: &r})
}

// ImportMessages appends messages in order, in as many operations as their size asks for.
// Repeating it after an error adds what is missing.
func (s *Store) ImportMessages(ctx context.Context, room store.RoomID, messages []store.Message, mix bool) (added int, err error) {
	for err == nil && len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && n < importStep && (n == 0 || size+len(messages[n].Content) <= importContent) {
			size += len(messages[n].Content)
			n++
		}
		part := slices.Clone(messages[:n]) // see writeFor
		some := 0
		some, err = writeFor(ctx, s, func(t *tx) (int, error) { return importSome(t, room, part, mix) })
		added += some
		messages = messages[n:]
	}
	return added, err
}

func importSome(t *tx, room store.RoomID, messages []store.Message, mix bool) (added int, err error) {
	h, err := getHead(t, room)
	if err != nil {
		return 0, err
	}
	if !h.Importing {
		return 0, &store.Fault{Kind: store.ErrBusy, Code: "import_not_begun", Text: "No import is running", Details: "begin the import first"}
	}
	from := h.Seq + 1
	ordinals := ordinals{t, room, make(map[store.UserID]uint64)}
	for _, in := range messages {
		if _, there, err := findMessage(t, in.ID); err != nil {
			return 0, err
		} else if there {
			continue
		}
		if h.Posted > 0 && !mix {
			return 0, store.Conflict("room_not_empty", "The room is not empty", "messages that were not imported are in it; say that they may be mixed")
		}
		if err := importOne(t, room, &h, in, ordinals); err != nil {
			return 0, err
		}
	}
	if h.Seq < from {
		return 0, nil
	}
	if err := ordinals.save(); err != nil {
		return 0, err
	}
	t.set(headKey(room), h.encode())
	t.log(store.Change{Kind: store.RoomImported, Room: room, From: from, Seq: h.Seq})
	return int(h.Seq - from + 1), nil
}

func importOne(t *tx, room store.RoomID, h *head, in store.Message, own ordinals) error {
	switch {
	case in.ID.IsZero():
		return store.Invalid("message_id", "an imported message needs one")
	case !slices.Contains(messageTypes, in.Type):
		return store.Invalid("message_type", "must be text, image, file or system")
	case len(in.Content) > maxContentBytes:
		return store.Invalid("content", "is too long")
	}
	m := store.Message{ID: in.ID, Room: room, Author: in.Author, Type: in.Type, Content: in.Content, At: millis(in.At)}
	if err := attach(t, &m, in.Parent); err != nil {
		return err
	}
	putMessage(t, h, &m)
	if m.Type == store.TypeSystem {
		return nil
	}
	n, err := own.next(m.Author)
	t.set(inRoom(tagBy, room, m.Author).seq(m.Seq), encodeNumber(n))
	return err
}

// ordinals counts the messages of each author while an import adds to them.
type ordinals struct {
	t    *tx
	room store.RoomID
	last map[store.UserID]uint64
}

func (o ordinals) next(author store.UserID) (uint64, error) {
	n, ok := o.last[author]
	if !ok {
		var err error
		if n, err = ownThrough(o.t, o.room, author, math.MaxInt64); err != nil {
			return 0, err
		}
	}
	o.last[author] = n + 1
	return n + 1, nil
}

// save keeps the count of those authors who are members.
func (o ordinals) save() error {
	for author, n := range o.last {
		m, ok, err := getMembership(o.t, o.room, author)
		if err != nil {
			return err
		}
		if ok {
			m.Own = n
			setMembership(o.t, o.room, author, m)
		}
	}
	return nil
}

// EndImport opens the room again.
func (s *Store) EndImport(ctx context.Context, room store.RoomID) error {
	for {
		var at passed
		for first := true; first || at.last != 0; first = false {
			after := at.last
			var err error
			at, err = writeFor(ctx, s, func(t *tx) (passed, error) { return passImport(t, room, after) })
			if err != nil {
				return err
			}
		}
		ended, err := writeFor(ctx, s, func(t *tx) (bool, error) {
			r, h, err := roomAndHead(t, room)
			if err != nil || h.Seq != at.head || !h.Importing {
				return h.Seq == at.head, err
			}
			t.delete(importingKey(room))
			setImporting(t, r, h, false)
			return true, nil
		})
		if err != nil || ended {
			return err
		}
	}
}

// passed says how far members are through with what was imported.
type passed struct {
	head store.Seq
	last store.UserID // 0: all of them
}

// passImport lets some members after a user see what was imported.
func passImport(t *tx, room store.RoomID, after store.UserID) (at passed, err error) {
	h, err := getHead(t, room)
	at.head = h.Seq
	if err != nil || !h.Importing {
		return at, err
	}
	before, err := number(t, importingKey(room))
	if err != nil {
		return at, err
	}
	var users []store.UserID
	err = eachMember(t, room, after, func(user store.UserID, _ membership) bool {
		users = append(users, user)
		return len(users) < importStep
	})
	for _, user := range users {
		if err != nil {
			break
		}
		at.last = user
		var of state
		if of, err = stateOf(t, room, user); err == nil {
			err = of.passImport(t, store.Seq(before))
		}
	}
	return at, err
}

// passImport makes all after before seen, which is everything imported.
func (s *state) passImport(t *tx, before store.Seq) error {
	if s.Through == s.head.Seq {
		return nil
	}
	waiting, err := s.countThrough(before)
	if err != nil {
		return err
	}
	if waiting == 0 {
		err = s.seeThrough(t, s.head.Seq)
	} else {
		// What waited before the import still does, so the imported part is a seen range.
		what := span{max(before, s.Through) + 1, s.head.Seq}
		if what.from > what.through {
			return nil
		}
		if _, err := s.unsee(t, what.from); err != nil {
			return err
		}
		err = s.addSeen(t, what)
	}
	setMembership(t, s.room, s.user, s.membership)
	return err
}

// endStaleImports ends what an earlier run of the program left unfinished.
func (s *Store) endStaleImports(ctx context.Context) error {
	var rooms []store.RoomID
	err := s.view(ctx, func(r *snapshot) error {
		prefix := append(metaKey(metaImporting), 0)
		return r.ascend(prefix, prefix, func(k, _ []byte) (bool, error) {
			f := readKey(k[len(prefix)-1:])
			rooms = append(rooms, f.room())
			return true, nil
		})
	})
	for _, room := range rooms {
		if err == nil {
			err = s.EndImport(ctx, room)
		}
	}
	return err
}
