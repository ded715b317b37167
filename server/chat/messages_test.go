package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

func TestPostRules(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room, other := w.room(w.ann, false), w.room(w.ann, false)
	parent := w.says(w.ann, room, "first")
	line, err := w.History(w.ctx(), w.ann, room, chat.Query{Limit: 1, Before: parent.ID})
	w.must(err)
	for _, tt := range []struct {
		name  string
		draft store.Draft
		want  error
	}{
		{"text", store.Draft{Content: "hello"}, nil},
		{"the author is who asks", store.Draft{Content: "hello", Author: w.bob.ID}, nil},
		{"the id is the server's", store.Draft{Content: "hello", ID: parent.ID}, nil},
		{"an image", store.Draft{Content: "hello", Type: store.TypeImage}, nil},
		{"a system line", store.Draft{Content: "hello", Type: store.TypeSystem}, store.ErrInvalid},
		{"a type nobody knows", store.Draft{Content: "hello", Type: "video"}, store.ErrInvalid},
		{"nothing", store.Draft{Content: " \n\t"}, store.ErrInvalid},
		{"NUL", store.Draft{Content: "a\x00b"}, store.ErrInvalid},
		{"invalid UTF-8", store.Draft{Content: "a\xff"}, store.ErrInvalid},
		{"the longest", store.Draft{Content: strings.Repeat("é", store.MaxContent)}, nil},
		{"too long", store.Draft{Content: strings.Repeat("é", store.MaxContent+1)}, store.ErrInvalid},
		{"a reply", store.Draft{Content: "hello", Parent: parent.ID}, nil},
		{"a reply to a system line", store.Draft{Content: "hello", Parent: line[0].ID}, nil},
		{"a reply across rooms", store.Draft{Content: "hello", Room: other, Parent: parent.ID}, store.ErrInvalid},
		{"a long client id", store.Draft{Content: "hello", ClientID: strings.Repeat("c", 65)}, store.ErrInvalid},
		{"a client id in letters beyond ASCII", store.Draft{Content: "hello", ClientID: "é"}, store.ErrInvalid},
		{"no such room", store.Draft{Content: "hello", Room: "nowhere"}, store.ErrNotFound},
	} {
		if tt.draft.Room == "" {
			tt.draft.Room = room
		}
		m, _, err := w.Post(w.ctx(), w.ann, tt.draft)
		if kindOf(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil && (m.Author != w.ann.ID || m.ID == parent.ID || m.Content != tt.draft.Content) {
			t.Errorf("%s: stored %+v", tt.name, m)
		}
	}
}

func TestTheSameClientIDPostsOnce(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.ann, false, w.bob)
	d := store.Draft{Room: room, Content: "hello", ClientID: "c-1"}
	first, repeated, err := w.Post(w.ctx(), w.ann, d)
	if err != nil || repeated {
		t.Fatalf("first: repeated %v, %v", repeated, err)
	}
	if again, repeated, err := w.Post(w.ctx(), w.ann, d); err != nil || !repeated || again.ID != first.ID {
		t.Errorf("again: %v, repeated %v, %v; want the first", again.ID, repeated, err)
	}
	if others, repeated, err := w.Post(w.ctx(), w.bob, d); err != nil || repeated || others.ID == first.ID {
		t.Errorf("somebody else's: %v, repeated %v, %v; want a message of their own", others.ID, repeated, err)
	}
	d.Content = "other"
	if _, _, err := w.Post(w.ctx(), w.ann, d); kindOf(err) != store.ErrExists {
		t.Errorf("with other content: %v, want a conflict", err)
	}
}

func TestMentions(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	w.person("b.ob-x", store.RoleMember)
	room := w.room(w.ann, false, w.bob)
	for _, tt := range []struct {
		content   string
		people    []store.UserID
		everybody bool
	}{
		{"hello", nil, false},
		{"@bob", []store.UserID{w.bob.ID}, false},
		{"hello @BOB, and @Ann.", []store.UserID{w.ann.ID, w.bob.ID}, false},
		{"(@bob)", []store.UserID{w.bob.ID}, false},
		{"@bob @bob @bob", []store.UserID{w.bob.ID}, false},
		{"mail bob@bob.example", nil, false},
		{"@cyd is not a member", nil, false},
		{"@nobody", nil, false},
		{"@bobby", nil, false},
		{"`@bob` and ```\n@ann\n```", nil, false},
		{"@room", nil, true},
		{"@all @here! @bob", []store.UserID{w.bob.ID}, true},
		{"@everyone", nil, false},
		{"@b.ob-x", nil, false},
		{"@bob..", []store.UserID{w.bob.ID}, false},
		{"@bob" + strings.Repeat("b", 60), nil, false},
	} {
		m := w.says(w.ann, room, tt.content)
		if !slices.Equal(m.Mentions, tt.people) || m.MentionsRoom != tt.everybody {
			t.Errorf("%q names %v, everybody %v; want %v, %v", tt.content, m.Mentions, m.MentionsRoom, tt.people, tt.everybody)
		}
	}
	m := w.says(w.ann, room, "@bob")
	if m, err := w.Edit(w.ctx(), w.ann, m.ID, "@ann @room"); err != nil || !slices.Equal(m.Mentions, []store.UserID{w.ann.ID}) || !m.MentionsRoom {
		t.Errorf("after an edit: %v, %v, %v", m.Mentions, m.MentionsRoom, err)
	}
}

func TestEditAndDelete(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.ann, false, w.bob)
	m := w.says(w.bob, room, "hello")
	if m, err := w.Edit(w.ctx(), w.bob, m.ID, "  changed "); err != nil || m.Content != "changed" || m.EditedAt.IsZero() {
		t.Errorf("edit: %+v, %v", m, err)
	}
	if _, err := w.Edit(w.ctx(), w.bob, m.ID, " "); kindOf(err) != store.ErrInvalid {
		t.Errorf("edit to nothing: %v", err)
	}
	if m, err := w.Delete(w.ctx(), w.ann, m.ID); err != nil || !m.Deleted || m.Content != "" {
		t.Errorf("the owner deletes: %+v, %v", m, err)
	}
	if _, err := w.Delete(w.ctx(), w.bob, m.ID); err != nil {
		t.Errorf("deleting again: %v", err)
	}
	if _, err := w.Edit(w.ctx(), w.bob, m.ID, "back"); kindOf(err) != store.ErrForbidden {
		t.Errorf("edit of a deleted message: %v", err)
	}
	if _, _, err := w.React(w.ctx(), w.bob, m.ID, "👍", true); kindOf(err) != store.ErrForbidden {
		t.Errorf("reaction to a deleted message: %v", err)
	}
	left := w.says(w.bob, room, "bye")
	w.must(w.Leave(w.ctx(), w.bob, room))
	if _, err := w.Edit(w.ctx(), w.bob, left.ID, "changed"); kindOf(err) != store.ErrJoinFirst {
		t.Errorf("edit after leaving: %v", err)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room, other := w.room(w.ann, false), w.room(w.ann, false)
	var ids []store.MessageID
	for i := range 9 {
		ids = append(ids, w.says(w.ann, room, fmt.Sprint(i)).ID)
	}
	elsewhere := w.says(w.ann, other, "elsewhere").ID
	for _, tt := range []struct {
		name string
		q    chat.Query
		want string
	}{
		{"the newest", chat.Query{Limit: 3}, "678"},
		{"before", chat.Query{Limit: 3, Before: ids[4]}, "123"},
		{"after", chat.Query{Limit: 3, After: ids[4]}, "567"},
		{"after the newest", chat.Query{Limit: 3, After: ids[8]}, ""},
		{"around", chat.Query{Limit: 5, Around: ids[4]}, "23456"},
		{"around the newest", chat.Query{Limit: 5, Around: ids[8]}, "678"},
		{"around, one", chat.Query{Limit: 1, Around: ids[4]}, "4"},
		{"around, two", chat.Query{Limit: 2, Around: ids[4]}, "34"},
		{"offset", chat.Query{Limit: 3, Offset: 2}, "456"},
		{"offset past the end", chat.Query{Limit: 3, Offset: 1000}, ""},
	} {
		page, err := w.History(w.ctx(), w.ann, room, tt.q)
		w.must(err)
		var got string
		for _, m := range page {
			got += m.Content
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for _, q := range []chat.Query{{Limit: 3, Before: elsewhere}, {Limit: 3, After: store.MessageID{1}}, {Limit: 3, Around: elsewhere}} {
		if _, err := w.History(w.ctx(), w.ann, room, q); kindOf(err) != store.ErrInvalid {
			t.Errorf("a page by the id of another room: %v", err)
		}
	}
}

func TestThreadIsTheWholeTree(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room := w.room(w.ann, false)
	parent := store.MessageID{}
	var last store.Message
	for i := range 4 {
		m, _, err := w.Post(w.ctx(), w.ann, store.Draft{Room: room, Content: fmt.Sprint(i), Parent: parent})
		w.must(err)
		w.says(w.ann, room, "between")
		parent, last = m.ID, m
	}
	for _, tt := range []struct {
		q    chat.Query
		want string
	}{
		{chat.Query{Limit: 10}, "0123"}, {chat.Query{Limit: 2}, "01"}, {chat.Query{Limit: 10, After: last.Root}, "123"}, {chat.Query{Limit: 2, Before: last.ID}, "12"},
	} {
		page, err := w.Thread(w.ctx(), w.ann, last.ID, tt.q)
		w.must(err)
		var got string
		for _, m := range page {
			got += m.Content
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.q, got, tt.want)
		}
	}
}

func TestUnreadThroughTheRules(t *testing.T) {
	w := newWorld(t, chat.Options{Unlimited: true})
	room, other := w.room(w.ann, false, w.bob), w.room(w.ann, false)
	w.says(w.ann, room, "one")
	m := w.says(w.ann, room, "@bob two")
	w.says(w.ann, room, "three")
	if u, _, err := w.ReadThrough(w.ctx(), w.bob, room, m.ID); err != nil || u.Count != 1 || u.Mentions != 0 {
		t.Errorf("after reading two: %+v, %v", u, err)
	}
	if u, err := w.MarkUnread(w.ctx(), w.bob, m.ID); err != nil || u.Count != 2 || u.Mentions != 1 {
		t.Errorf("after marking the second unread: %+v, %v", u, err)
	}
	elsewhere := w.says(w.ann, other, "elsewhere")
	if _, _, err := w.ReadThrough(w.ctx(), w.bob, room, elsewhere.ID); kindOf(err) != store.ErrInvalid {
		t.Errorf("reading up to a message of another room: %v", err)
	}
	if readers, err := w.Readers(w.ctx(), w.ann, m.ID); err != nil || len(readers) != 1 || readers[0].User != w.bob.ID {
		t.Errorf("readers: %+v, %v", readers, err)
	}
}
