package badger

import (
	"cmp"
	"context"
	"math"

	"github.com/hearthchat/hearth/store"
)

func getMembership(r reader, room store.RoomID, user store.UserID) (membership, bool, error) {
	return decoded(r, roomsOfKey(user, room), decodeMembership)
}

func setMembership(t *tx, room store.RoomID, user store.UserID, m membership) {
	t.set(roomsOfKey(user, room), m.encode())
}

// addMember writes a new membership.
func addMember(t *tx, h *head, room store.RoomID, user store.UserID, m membership) {
	h.Members++
	t.set(memberKey(room, user), present)
	setMembership(t, room, user, m)
	t.log(store.Change{Kind: store.MemberJoined, Room: room, User: user})
}

// Join makes m.User a member. Where they join is the line's place, so neither it nor
// anything before is new to them.
func (s *Store) Join(ctx context.Context, m store.Member, by store.UserID, line string) (joined bool, err error) {
	return writeFor(ctx, s, func(t *tx) (bool, error) {
		r, h, err := roomAndHead(t, m.Room)
		if err != nil {
			return false, err
		}
		if _, ok, err := t.get(memberKey(m.Room, m.User)); err != nil || ok {
			return false, err
		}
		if h.Importing {
			return false, store.ErrImportRunning
		}
		if r.Kind == store.KindDirect {
			return false, store.Forbidden("direct_room", "Nobody can be added to a direct room")
		}
		own, err := ownThrough(t, m.Room, m.User, math.MaxInt64)
		if err != nil {
			return false, err
		}
		at := h.Seq
		if line != "" {
			at++
		}
		addMember(t, &h, m.Room, m.User, membership{
			Role: cmp.Or(m.Role, store.RoomMember), JoinedAt: t.now, JoinedSeq: at,
			Through: at, CountableThrough: h.Countable, OwnThrough: own, Own: own, Receipts: at,
		})
		if line != "" {
			postLine(t, m.Room, &h, by, line)
		}
		t.set(headKey(m.Room), h.encode())
		return true, nil
	})
}

// Leave ends a membership, or hides a direct room.
func (s *Store) Leave(ctx context.Context, room store.RoomID, user, by store.UserID, line string) (left bool, err error) {
	return writeFor(ctx, s, func(t *tx) (bool, error) {
		r, h, err := roomAndHead(t, room)
		if err != nil {
			return false, err
		}
		m, ok, err := getMembership(t, room, user)
		if err != nil || !ok || m.Hidden {
			return false, err
		}
		if h.Importing && line != "" {
			return false, store.ErrImportRunning
		}
		if r.Kind == store.KindDirect {
			m.Hidden = true
			h.Hidden++
			setMembership(t, room, user, m)
		} else if err := removeMember(t, &h, room, user, m); err != nil {
			return false, err
		}
		t.log(store.Change{Kind: store.MemberLeft, Room: room, User: user})
		if r.Kind != store.KindDirect && m.Role == store.RoomOwner {
			if err := passOwnership(t, room); err != nil {
				return false, err
			}
		}
		if r.Kind != store.KindDirect && line != "" {
			postLine(t, room, &h, by, line)
		}
		t.set(headKey(room), h.encode())
		return true, nil
	})
}

// removeMember deletes a membership with its read state. Receipts stay, and the number of
// the person's own messages can be found again.
func removeMember(t *tx, h *head, room store.RoomID, user store.UserID, m membership) error {
	h.Members--
	t.delete(memberKey(room, user))
	t.delete(roomsOfKey(user, room))
	if m.Seen == 0 {
		return nil
	}
	prefix := inRoom(tagSeen, room, user)
	return t.ascend(prefix, prefix, func(k, _ []byte) (bool, error) {
		t.delete(key(k).clone())
		return true, nil
	})
}

// passOwnership makes the longest-standing member the owner of a room that has none.
func passOwnership(t *tx, room store.RoomID) error {
	var heir store.UserID
	var best membership
	owned := false
	err := eachMember(t, room, 0, func(user store.UserID, m membership) bool {
		owned = m.Role == store.RoomOwner
		if heir == 0 || cmp.Or(m.JoinedAt.Compare(best.JoinedAt), cmp.Compare(m.JoinedSeq, best.JoinedSeq)) < 0 {
			heir, best = user, m
		}
		return !owned
	})
	if err != nil || owned || heir == 0 {
		return err
	}
	best.Role = store.RoomOwner
	setMembership(t, room, heir, best)
	t.log(store.Change{Kind: store.MemberChanged, Room: room, User: heir})
	return nil
}

// eachMember visits the members of a room after a user, by UserID, until visit returns false.
func eachMember(r reader, room store.RoomID, after store.UserID, visit func(store.UserID, membership) bool) error {
	prefix := newKey(tagMember).room(room)
	return r.ascend(prefix, memberKey(room, after+1), func(k, _ []byte) (bool, error) {
		user := store.UserID(lastSeq(k))
		m, ok, err := getMembership(r, room, user)
		if err == nil && !ok {
			err = errDamaged
		}
		return err == nil && visit(user, m), err
	})
}

// unhide shows a direct room again.
func unhide(t *tx, h *head, room store.RoomID, user store.UserID, m membership) {
	m.Hidden = false
	h.Hidden--
	setMembership(t, room, user, m)
	t.log(store.Change{Kind: store.MemberJoined, Room: room, User: user})
}

// unhideAll shows a direct room again to everybody in it.
func unhideAll(t *tx, h *head, room store.RoomID) error {
	return eachMember(t, room, 0, func(user store.UserID, m membership) bool {
		if m.Hidden {
			unhide(t, h, room, user, m)
		}
		return h.Hidden > 0
	})
}

// SetRoomRole changes a member's role.
func (s *Store) SetRoomRole(ctx context.Context, room store.RoomID, user store.UserID, role store.RoomRole) error {
	if role != store.RoomOwner && role != store.RoomModerator && role != store.RoomMember {
		return store.Invalid("role", "must be owner, moderator or member")
	}
	return s.write(ctx, func(t *tx) error {
		if _, _, err := writable(t, room); err != nil {
			return err
		}
		m, err := memberOf(t, room, user)
		if err != nil || m.Role == role {
			return err
		}
		m.Role = role
		setMembership(t, room, user, m)
		t.log(store.Change{Kind: store.MemberChanged, Room: room, User: user})
		return nil
	})
}

// memberOf returns the membership of somebody who must have one.
func memberOf(r reader, room store.RoomID, user store.UserID) (membership, error) {
	m, ok, err := getMembership(r, room, user)
	if err == nil && !ok {
		err = store.NotFound("member", user.String())
	}
	return m, err
}

// joined is memberOf for somebody who wants to do something in the room.
func joined(r reader, room store.RoomID, user store.UserID) (membership, error) {
	m, ok, err := getMembership(r, room, user)
	if err == nil && !ok {
		err = store.ErrJoinFirst
	}
	return m, err
}

// Member returns a membership.
func (s *Store) Member(ctx context.Context, room store.RoomID, user store.UserID) (member store.Member, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		if _, err := getHead(r, room); err != nil {
			return err
		}
		m, err := memberOf(r, room, user)
		member = m.member(room, user)
		return err
	})
	if err != nil {
		return store.Member{}, err
	}
	return member, nil
}

// Members returns up to limit members after a user, by UserID.
func (s *Store) Members(ctx context.Context, room store.RoomID, after store.UserID, limit int) (members []store.Member, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		if _, err := getHead(r, room); err != nil {
			return err
		}
		return eachMember(r, room, after, func(user store.UserID, m membership) bool {
			members = append(members, m.member(room, user))
			return len(members) < limit
		})
	})
	if err != nil {
		return nil, err
	}
	return members, nil
}

// RoomsOf returns a person's memberships, by RoomID, hidden ones too.
func (s *Store) RoomsOf(ctx context.Context, user store.UserID) (members []store.Member, err error) {
	err = s.view(ctx, func(r *snapshot) error {
		return eachRoomOf(r, user, func(room store.RoomID, _ head, m membership) error {
			members = append(members, m.member(room, user))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return members, nil
}

// eachRoomOf visits the rooms a person is in. Deleted ones, whose keys are not all erased,
// are passed over.
func eachRoomOf(r reader, user store.UserID, visit func(store.RoomID, head, membership) error) error {
	prefix := roomsOfPrefix(user)
	return r.ascend(prefix, prefix, func(k, value []byte) (bool, error) {
		f := readKey(k[8:])
		room := f.room()
		m, err := decodeMembership(value)
		if err != nil {
			return false, err
		}
		h, ok, err := decoded(r, headKey(room), decodeHead)
		if err == nil && ok {
			err = visit(room, h, m)
		}
		return err == nil, err
	})
}
