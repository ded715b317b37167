package badger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hearthchat/hearth/store"
)

// maxFirstMembers keeps the making of a room within one transaction.
const maxFirstMembers = 5000

func getHead(r reader, id store.RoomID) (head, error) {
	h, ok, err := decoded(r, headKey(id), decodeHead)
	if err == nil && !ok {
		err = store.NotFound("room", string(id))
	}
	return h, err
}

// getRoom returns a room with all its fields.
func getRoom(r reader, id store.RoomID) (store.Room, error) {
	room, _, err := roomAndHead(r, id)
	return room, err
}

func roomAndHead(r reader, id store.RoomID) (store.Room, head, error) {
	h, err := getHead(r, id)
	if err != nil {
		return store.Room{}, h, err
	}
	room, ok, err := decoded(r, roomKey(id), func(value []byte) (store.Room, error) { return decodeRoom(id, value) })
	if err == nil && !ok {
		err = fmt.Errorf("room %s: %w", id, errDamaged)
	}
	return withHead(room, h), h, err
}

// writable returns a room that may be changed now.
func writable(t *tx, id store.RoomID) (store.Room, head, error) {
	room, h, err := roomAndHead(t, id)
	if err == nil && h.Importing {
		err = store.ErrImportRunning
	}
	return room, h, err
}

// Room returns a room.
func (s *Store) Room(ctx context.Context, id store.RoomID) (room store.Room, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		room, err = getRoom(r, id)
		return err
	})
	return room, err
}

// CreateRoom makes a room with its first members, and waits while an earlier room of the
// same id is being erased.
func (s *Store) CreateRoom(ctx context.Context, r store.Room, members []store.Member) (store.Room, error) {
	if r.ID == "" {
		r.ID = store.RoomID(s.options.NewID().String())
	}
	if !r.ID.Valid() {
		return store.Room{}, store.Invalid("room_id", "must be 1 to 50 bytes without control characters or slashes")
	}
	if r.Kind != store.KindOpen && r.Kind != store.KindClosed && r.Kind != store.KindDirect {
		return store.Room{}, store.Invalid("kind", "must be open, closed or direct")
	}
	if len(members) > maxFirstMembers {
		return store.Room{}, store.Invalid("members", "at most 5000 at once")
	}
	members = slices.Clone(members) // see writeFor
	for {
		if err := s.waitErased(ctx, r.ID); err != nil {
			return store.Room{}, err
		}
		made, err := writeFor(ctx, s, func(t *tx) (store.Room, error) { return createRoom(t, r, members) })
		if !errors.Is(err, errErasing) {
			return made, err
		}
	}
}

func createRoom(t *tx, r store.Room, members []store.Member) (store.Room, error) {
	if _, taken, err := t.get(headKey(r.ID)); err != nil {
		return r, err
	} else if taken {
		return r, store.Conflict("room_exists", "Room already exists", fmt.Sprintf("there is a room with the id %q", r.ID))
	}
	if _, gone, err := t.get(goneKey(r.ID)); err != nil {
		return r, err
	} else if gone {
		return r, errErasing
	}
	r.CreatedAt = millis(r.CreatedAt)
	if r.CreatedAt.IsZero() {
		r.CreatedAt = t.now
	}
	record := new(store.Room)
	t.log(store.Change{Kind: store.RoomCreated, Room: r.ID, User: r.Creator, RecordRoom: record})
	var h head
	for _, m := range members {
		if _, ok, err := t.get(memberKey(r.ID, m.User)); err != nil {
			return r, err
		} else if ok {
			return r, store.Invalid("members", "must be distinct")
		}
		role := cmp.Or(m.Role, store.RoomMember)
		addMember(t, &h, r.ID, m.User, membership{Role: role, JoinedAt: t.now})
	}
	if r.Kind == store.KindDirect {
		if err := setPair(t, r.ID, members); err != nil {
			return r, err
		}
	} else if r.Source == "" {
		postLine(t, r.ID, &h, r.Creator, store.LineCreated)
	}
	t.set(headKey(r.ID), h.encode())
	setRoom(t, r)
	*record = withHead(r, h)
	return *record, nil
}

// setRoom writes a room and what finds it.
func setRoom(t *tx, r store.Room) {
	t.set(roomKey(r.ID), encodeRoom(r))
	if r.Kind == store.KindOpen {
		t.set(openKey(r.ID), present)
		t.set(namedKey(r.Name, r.CreatedAt, r.ID), present)
	}
}

// unsetRoom removes what setRoom wrote.
func unsetRoom(t *tx, r store.Room) {
	t.delete(roomKey(r.ID))
	if r.Kind == store.KindOpen {
		t.delete(openKey(r.ID))
		t.delete(namedKey(r.Name, r.CreatedAt, r.ID))
	}
}

// EditRoom changes Name, Description and Kind.
func (s *Store) EditRoom(ctx context.Context, id store.RoomID, by store.UserID, edit func(*store.Room) error) (store.Room, error) {
	return writeFor(ctx, s, func(t *tx) (store.Room, error) {
		before, h, err := writable(t, id)
		if err != nil {
			return before, err
		}
		edited := before
		if err := edit(&edited); err != nil {
			return before, err
		}
		after := before
		after.Name, after.Description, after.Kind = edited.Name, edited.Description, edited.Kind
		if after == before {
			return after, nil
		}
		if after.Kind != before.Kind && (after.Kind != store.KindOpen && after.Kind != store.KindClosed || before.Kind == store.KindDirect) {
			return before, store.Invalid("kind", "a room can be open or closed, and a direct one stays as it is")
		}
		unsetRoom(t, before)
		setRoom(t, after)
		record := new(store.Room)
		t.log(store.Change{Kind: store.RoomEdited, Room: id, User: by, RecordRoom: record})
		if after.Name != before.Name {
			postLine(t, id, &h, by, store.LineRenamed(after.Name))
			t.set(headKey(id), h.encode())
		}
		after = withHead(after, h)
		*record = after
		return after, nil
	})
}

// DirectRoom returns the direct room of exactly these people.
func (s *Store) DirectRoom(ctx context.Context, by store.UserID, people []store.UserID) (r store.Room, made bool, err error) {
	set := slices.Compact(slices.Sorted(slices.Values(people)))
	if len(set) == 0 || len(set) != len(people) || len(set) > store.MaxDirectMembers {
		return r, false, store.Invalid("user_ids", "must be 1 to 50 different people")
	}
	type outcome struct {
		room store.Room
		made bool
	}
	o, err := writeFor(ctx, s, func(t *tx) (o outcome, err error) {
		value, ok, err := t.get(pairKey(set))
		if err != nil {
			return o, err
		}
		if ok {
			o.room, err = showDirect(t, store.RoomID(value[1:]), by)
			return o, err
		}
		var members []store.Member
		for _, user := range set {
			members = append(members, store.Member{User: user})
		}
		room := store.Room{ID: store.RoomID(t.newID().String()), Kind: store.KindDirect, Creator: by}
		room, err = createRoom(t, room, members)
		return outcome{room, true}, err
	})
	return o.room, o.made, err
}

// setPair makes a new room the direct room of its members.
func setPair(t *tx, room store.RoomID, members []store.Member) error {
	var people []store.UserID
	for _, m := range members {
		people = append(people, m.User)
	}
	if len(people) == 0 || len(people) > store.MaxDirectMembers {
		return store.Invalid("members", "a direct room has 1 to 50")
	}
	k := pairKey(people)
	if _, taken, err := t.get(k); err != nil {
		return err
	} else if taken {
		return store.Conflict("room_exists", "Room already exists", "these people have a direct room")
	}
	t.set(k, append(pack(40), room...))
	return nil
}

// showDirect returns a direct room, not hidden any more for one person.
func showDirect(t *tx, id store.RoomID, by store.UserID) (store.Room, error) {
	r, h, err := roomAndHead(t, id)
	if err != nil {
		return r, err
	}
	m, ok, err := getMembership(t, id, by)
	if err == nil && ok && m.Hidden {
		unhide(t, &h, id, by, m)
		t.set(headKey(id), h.encode())
	}
	return r, err
}

// OpenRooms returns up to limit rooms of KindOpen after an id, in order of id.
func (s *Store) OpenRooms(ctx context.Context, after store.RoomID, limit int) ([]store.Room, error) {
	var rooms []store.Room
	err := s.view(ctx, func(r *snapshot) error {
		return r.ascend(newKey(tagOpen), openKey(after), func(k, _ []byte) (bool, error) {
			f := readKey(k)
			id := f.room()
			if id == after {
				return true, nil
			}
			room, err := getRoom(r, id)
			rooms = append(rooms, room)
			return len(rooms) < limit, err
		})
	})
	if err != nil {
		return nil, err
	}
	return rooms, nil
}

// OpenRoomNamed returns the oldest room of KindOpen with exactly this name.
func (s *Store) OpenRoomNamed(ctx context.Context, name string) (store.Room, error) {
	found := store.Room{}
	err := s.view(ctx, func(r *snapshot) error {
		prefix := namedPrefix(name)
		return r.ascend(prefix, prefix, func(k, _ []byte) (bool, error) {
			f := readKey(k)
			f.rest = f.rest[len(prefix)-1+8:]
			room, err := getRoom(r, f.room())
			if err != nil || room.Name != name { // another name with the same hash
				return err == nil, err
			}
			found = room
			return false, nil
		})
	})
	if err == nil && found.ID == "" {
		err = store.NotFound("room", name)
	}
	return found, err
}
