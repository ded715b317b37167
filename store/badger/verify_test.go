package badger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// problems verifies a workspace and returns what was found, in words.
func problems(t testing.TB, s *Store) []string {
	t.Helper()
	var found []string
	if err := s.Verify(context.Background(), func(p Problem) { found = append(found, p.What+" ("+p.Where+")") }); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return found
}

// populated is a workspace with something of everything in it.
type populated struct {
	*Store
	room, direct, imported store.RoomID
	root, reply, deleted   store.Message
	loud                   store.Message // names everybody
	last                   store.Message
}

func populate(t *testing.T) *populated {
	p := &populated{Store: openT(t, t.TempDir())}
	ctx := t.Context()
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p.room = newRoom(t, p.Store, 1, 2, 3)
	p.root = post(t, p.Store, store.Draft{Room: p.room, Author: 1, Content: "root", ClientID: "c1"})
	p.reply = post(t, p.Store, store.Draft{Room: p.room, Author: 2, Content: "reply", Parent: p.root.ID, Mentions: []store.UserID{1, 3}})
	post(t, p.Store, store.Draft{Room: p.room, Author: 3, Content: "deeper", Parent: p.reply.ID, ClientID: "c1"})
	_, _, err := p.React(ctx, p.root.ID, 2, "+1", true)
	ok(nil, err)
	p.deleted = post(t, p.Store, store.Draft{Room: p.room, Author: 1, Content: "gone", Mentions: []store.UserID{2}})
	ok(p.EditMessage(ctx, p.deleted.ID, 1, func(m *store.Message) error { m.Deleted = true; return nil }))
	ok(p.Read(ctx, p.room, 2, p.deleted.ID, time.Unix(100, 0)))
	p.loud = post(t, p.Store, store.Draft{Room: p.room, Author: 1, Content: "all", MentionsRoom: true})
	var some []store.Message
	for i := range 10 {
		some = append(some, post(t, p.Store, store.Draft{Room: p.room, Author: 1, Content: fmt.Sprint("m", i), Mentions: []store.UserID{3}}))
	}
	for _, i := range []int{1, 3, 4, 8} {
		ok(p.ReadOne(ctx, some[i].ID, 2, time.Unix(200+int64(i), 0)))
	}
	ok(p.Join(ctx, store.Member{Room: p.room, User: 4}, 1, store.LineAdded("dan")))
	ok(p.Leave(ctx, p.room, 3, 3, store.LineLeft))
	p.last = post(t, p.Store, store.Draft{Room: p.room, Author: 4, Content: "last"})
	ok(p.MarkUnread(ctx, some[8].ID, 2))

	r, _, err := p.DirectRoom(ctx, 1, []store.UserID{1, 2})
	ok(nil, err)
	p.direct = r.ID
	post(t, p.Store, store.Draft{Room: p.direct, Author: 1, Content: "psst"})
	ok(p.Leave(ctx, p.direct, 2, 2, ""))

	p.imported = newRoom(t, p.Store, 1, 2)
	post(t, p.Store, store.Draft{Room: p.imported, Author: 1, Content: "before"})
	ok(nil, p.BeginImport(ctx, p.imported))
	var in []store.Message
	for i := range 20 {
		in = append(in, store.Message{ID: p.options.NewID(), Author: store.UserID(1 + i%4), Type: store.TypeText, Content: "old", At: time.Unix(int64(i), 0)})
	}
	ok(p.ImportMessages(ctx, p.imported, in, true))
	ok(nil, p.EndImport(ctx, p.imported))

	gone := newRoom(t, p.Store, 1)
	post(t, p.Store, store.Draft{Room: gone, Author: 1, Content: "x", ClientID: "gone"})
	ok(nil, p.DeleteRoom(ctx, gone, 1))
	ok(nil, p.waitErased(ctx, gone))
	return p
}

func TestVerifyHealthy(t *testing.T) {
	s := populate(t)
	if found := problems(t, s.Store); len(found) > 0 {
		t.Errorf("a healthy workspace: %s", strings.Join(found, "\n"))
	}
}

// TestVerifyDamage plants damage of one kind after the other into keys and expects it named.
func TestVerifyDamage(t *testing.T) {
	s := populate(t)
	set := func(k key, value []byte) func(*engine.Txn) error {
		return func(txn *engine.Txn) error { return txn.Set(k, value) }
	}
	del := func(k key) func(*engine.Txn) error {
		return func(txn *engine.Txn) error { return txn.Delete(k) }
	}
	message := func(seq store.Seq, damage func(*store.Message)) func(*engine.Txn) error {
		m := look(t, s.Store, func(r reader) (store.Message, error) { return messageAt(r, s.room, seq) })
		damage(&m)
		return set(messageKey(s.room, seq), encodeMessage(&m))
	}
	headed := func(damage func(*head)) func(*engine.Txn) error {
		h := look(t, s.Store, func(r reader) (head, error) { return getHead(r, s.room) })
		damage(&h)
		return set(headKey(s.room), h.encode())
	}
	member := func(user store.UserID, damage func(*membership)) func(*engine.Txn) error {
		m := look(t, s.Store, func(r reader) (membership, error) { return memberOf(r, s.room, user) })
		damage(&m)
		return set(roomsOfKey(user, s.room), m.encode())
	}
	seenKey := func() key { return onlyKey(t, s.Store, inRoom(tagSeen, s.room, 2)) }

	tests := []struct {
		name   string
		damage func(*engine.Txn) error
		want   string
	}{
		{"a message is missing", del(messageKey(s.room, 4)), "a room's numbers have a gap"},
		{"a message is cut off", set(messageKey(s.room, 4), []byte{formatPacked, 0, 0, 1}), "damaged record"},
		{"a value has an unknown format", set(headKey(s.room), []byte{99}), "damaged record"},
		{"an id is missing", del(idKey(s.reply.ID)), "message that its id does not lead to"},
		{"an id leads to no message", set(idKey(s.options.NewID()), place{s.room, 999}.encode()), "message id leads nowhere"},
		{"an id leads to another message", set(idKey(s.root.ID), place{s.room, s.reply.Seq}.encode()), "message id leads nowhere"},
		{"the head is behind", headed(func(h *head) { h.Seq-- }), "head is not the newest message"},
		{"the head counts too many", headed(func(h *head) { h.Countable++ }), "head counts wrong"},
		{"the head does not know a deleted message", headed(func(h *head) { h.LastTomb = 0 }), "head forgets deleted messages or mentions"},
		{"a message counts wrong", message(4, func(m *store.Message) { m.Countable += 2 }), "message count is wrong"},
		{"there is no head", del(headKey(s.room)), "room without head"},
		{"there is no room", del(roomKey(s.room)), "head without room"},
		{"the room is read-only for ever", headed(func(h *head) { h.Importing = true }), "room is read-only without an import"},
		{"an import runs that does not", set(importingKey(s.room), encodeNumber(1)), "import into a room that has none"},
		{"one member too many", headed(func(h *head) { h.Members++ }), "member count is wrong"},
		{"a member without state", del(roomsOfKey(2, s.room)), "member who does not know of it"},
		{"a state without member", del(memberKey(s.room, 2)), "membership that its room does not know"},
		{"the log has a hole", del(logKey(5)), "the log has a hole"},
		{"the log lost its beginning", del(logKey(1)), "the log has a hole"},
		{"a log entry is cut off", set(logKey(5), []byte{formatPacked, 1}), "damaged record"},
		{"receipts overlap", set(inRoom(tagRead, s.room, 2).seq(s.last.Seq), reading{2, time.Unix(1, 0)}.encode()), "receipts overlap"},
		{"a receipt is beyond the room", set(inRoom(tagRead, s.room, 2).seq(999), reading{998, time.Unix(1, 0)}.encode()), "receipt for messages that are not there"},
		{"receipts are not joined", set(inRoom(tagRead, s.room, 9).seq(2), reading{1, time.Unix(1, 0)}.encode()), ""},
		{"a receipt is lost", del(inRoom(tagRead, s.room, 2).seq(s.deleted.Seq)), "receipts reach less far than noted"},
		{"a seen message is lost", func(txn *engine.Txn) error { return txn.Delete(seenKey()) }, "seen messages do not come to their sum"},
		{"seen messages are in the past", set(inRoom(tagSeen, s.room, 2).seq(2), seen{1, 1}.encode()), "seen messages overlap or are outside of the room"},
		{"a stranger has seen something", set(inRoom(tagSeen, s.room, 8).seq(2), seen{2, 1}.encode()), "seen messages of somebody who is not in the room"},
		{"own messages are counted wrong", member(1, func(m *membership) { m.Own++ }), "read position counts wrong"},
		{"the read position is beyond the room", member(1, func(m *membership) { m.Through = 999 }), "read position is outside of the room"},
		{"an ordinal is wrong", set(inRoom(tagBy, s.room, 1).seq(s.root.Seq), encodeNumber(7)), "count of an author's messages is wrong"},
		{"an ordinal is missing", del(inRoom(tagBy, s.room, 1).seq(s.root.Seq)), "message is not counted for its author"},
		{"an ordinal of another's message", set(inRoom(tagBy, s.room, 9).seq(s.root.Seq), encodeNumber(1)), "message counted for somebody else"},
		{"replies are counted wrong", message(s.root.Seq, func(m *store.Message) { m.ReplyCount++ }), "reply count is wrong"},
		{"a reply is not listed", del(replyKey(s.room, s.root.Seq, s.reply.Seq)), "reply is not listed under its root"},
		{"a thread lists a stranger", set(replyKey(s.room, s.root.Seq, s.last.Seq), present), "thread lists what is not in it"},
		{"a reply has another root", message(s.reply.Seq, func(m *store.Message) { m.Root = s.last.ID }), "reply hangs on the wrong message"},
		{"a deleted message is not listed", del(tombKey(s.room, s.deleted.Seq)), "deleted message is not quite gone"},
		{"a deleted message has content", message(s.deleted.Seq, func(m *store.Message) { m.Content = "back" }), "deleted message is not quite gone"},
		{"a living message is listed as deleted", set(tombKey(s.room, s.root.Seq), encodeNumber(1)), "message listed as deleted is not"},
		{"a mention is not listed", del(mentionKey(1, s.room, s.reply.Seq)), "mention is not listed"},
		{"a mention of nobody", set(mentionKey(2, s.room, s.root.Seq), present), "mention that its message does not have"},
		{"a mention of everybody is not listed", del(roomMentionKey(s.room, s.loud.Seq)), "mention of everybody is not listed"},
		{"a mention of everybody by nobody", set(roomMentionKey(s.room, s.root.Seq), encodeNumber(1)), "mention of everybody that its message does not have"},
		{"a reaction twice", message(s.root.Seq, func(m *store.Message) { m.Reactions[0].Users = []store.UserID{2, 2} }), "reactions are beyond the limits or repeated"},
		{"a direct room is not found", del(pairKey([]store.UserID{1, 2})), "people's direct room is another one"},
		{"other people's direct room", set(pairKey([]store.UserID{1, 9}), append(pack(40), s.direct...)), "people's direct room is another one"},
		{"a client id of no message", set(onceKey(1, "zz"), once{ID: s.options.NewID(), At: time.Now()}.encode()), "client id of no message"},
		{"an open room is not listed", del(openKey(s.room)), "open room is not listed"},
		{"a closed room is listed", set(openKey(s.direct), present), "listed room is not open"},
		{"a room has another name", set(namedKey("other", time.Unix(1, 0), s.room), present), "room listed under a name it does not have"},
		{"a message of no room", set(messageKey("nowhere", 1), []byte{formatPacked}), "record of a room that does not exist"},
		{"a newer program was here", set(metaKey(metaSchema), encodeNumber(77)), "schema version is unknown"},
		{"the log has no epoch", set(metaKey(metaEpoch), encodeNumber(0)), "the log has no epoch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				// Two ranges of one time side by side take two keys.
				tt.want = "receipts are not joined"
				one := tt.damage
				tt.damage = func(txn *engine.Txn) error {
					if err := one(txn); err != nil {
						return err
					}
					return txn.Set(inRoom(tagRead, s.room, 9).seq(4), reading{3, time.Unix(1, 0)}.encode())
				}
			}
			repair := plant(t, s.Store, tt.damage)
			found := problems(t, s.Store)
			if !slices.ContainsFunc(found, func(p string) bool { return strings.HasPrefix(p, tt.want+" (") }) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
			repair()
		})
	}
	if found := problems(t, s.Store); len(found) > 0 {
		t.Errorf("after the repair: %s", strings.Join(found, "\n"))
	}
}

// look reads something from what is committed.
func look[T any](t testing.TB, s *Store, read func(r reader) (T, error)) (found T) {
	t.Helper()
	err := s.view(t.Context(), func(r *snapshot) (err error) {
		found, err = read(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// onlyKey returns the last key with a prefix.
func onlyKey(t *testing.T, s *Store, prefix key) (found key) {
	t.Helper()
	err := s.view(t.Context(), func(v *snapshot) error {
		return v.descend(prefix, nil, func(k, _ []byte) (bool, error) {
			found = key(k).clone()
			return false, nil
		})
	})
	if err != nil || found == nil {
		t.Fatalf("no key with prefix %x: %v", prefix, err)
	}
	return found
}

// plant changes keys behind the store's back and returns what puts them back.
func plant(t *testing.T, s *Store, damage func(*engine.Txn) error) (repair func()) {
	t.Helper()
	before := contents(t, s)
	if err := s.db.Update(damage); err != nil {
		t.Fatal(err)
	}
	s.snapshots.replace(s.db.NewTransaction(false))
	return func() {
		err := s.db.Update(func(txn *engine.Txn) error {
			for k := range contents(t, s) {
				if _, ok := before[k]; !ok {
					if err := txn.Delete([]byte(k)); err != nil {
						return err
					}
				}
			}
			for k, value := range before {
				if err := txn.Set([]byte(k), []byte(value)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.snapshots.replace(s.db.NewTransaction(false))
	}
}

// contents is everything in a small workspace.
func contents(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := s.view(t.Context(), func(v *snapshot) error {
		return v.ascend(nil, nil, func(k, value []byte) (bool, error) {
			all[string(k)] = string(value)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
