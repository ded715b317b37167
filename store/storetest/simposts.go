package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hearthchat/hearth/store"
)

// anyMentions names some of the people, ascending.
func (s *simulation) anyMentions() (people []store.UserID, room bool) {
	for user := store.UserID(1); user <= simUsers; user++ {
		if s.chance(12) {
			people = append(people, user)
		}
	}
	return people, s.chance(8)
}

func (s *simulation) stepPost() {
	r, ok := s.anyRoom(everyRoom)
	if !ok {
		return
	}
	d := store.Draft{Room: r.ID, Author: s.anyMember(r), Content: fmt.Sprint("said ", s.rnd.IntN(1000)), Type: store.TypeText}
	d.Mentions, d.MentionsRoom = s.anyMentions()
	want := error(nil)
	switch {
	case !r.has(d.Author):
		want = store.ErrJoinFirst
	case len(r.messages) > 0 && s.chance(35):
		d.Parent = s.anyMessage(r).ID
	case s.chance(3):
		d.Parent, want = store.MessageID{5}, store.ErrInvalid
	}
	if s.chance(10) {
		d.Type = store.TypeImage
	}
	if s.chance(40) {
		d.ClientID = fmt.Sprint("c-", len(s.done))
	}
	s.post(r, d, want)
}

// post appends a draft to the engine and, when it should work, to the model.
func (s *simulation) post(r *modelRoom, d store.Draft, want error) {
	s.note("%s by %d, parent %s, client id %q", r.ID, d.Author, d.Parent, d.ClientID)
	m, repeated, err := s.Append(s.ctx, d)
	if !s.wantError(err, want) {
		return
	}
	if repeated {
		s.t.Fatalf("append of a new draft: repeated")
	}
	for _, member := range r.memberList() {
		s.show(r, member.User)
	}
	posted := r.post(store.Message{
		ID: m.ID, Author: d.Author, Type: d.Type, Content: d.Content, Parent: d.Parent,
		At: s.clock.Now(), Mentions: d.Mentions, MentionsRoom: d.MentionsRoom, ClientID: d.ClientID,
	})
	wantSame(s.t, "posted", m, posted)
	s.expect(event{store.MessagePosted, r.ID, d.Author, m.ID, m.Seq, ""})
	if d.ClientID != "" {
		s.once[onceKey{d.Author, d.ClientID}] = &onceEntry{d, r.ID, m.Seq, s.clock.Now().Add(store.ClientIDLife)}
	}
	s.checkRoom(r)
}

// stepRepeat appends a draft again, sometimes with something changed.
func (s *simulation) stepRepeat() {
	var keys []onceKey
	for key := range s.once {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b onceKey) int { return s.once[a].until.Compare(s.once[b].until) })
	key, ok := pick(s.rnd, keys)
	if !ok {
		return
	}
	entry := s.once[key]
	r, now := s.rooms[entry.room], s.clock.Now()
	if !r.has(key.author) || nearly(entry.until, now) {
		return
	}
	d, other := entry.draft, s.chance(40)
	if other {
		d.Content += "!"
	}
	if now.After(entry.until) {
		s.post(r, d, nil)
		return
	}
	s.note("%s seq %d, other %v", r.ID, entry.seq, other)
	m, repeated, err := s.Append(s.ctx, d)
	if other {
		s.wantError(err, store.ErrOtherClientID)
	} else if s.wantError(err, nil); !repeated {
		s.t.Fatalf("append again: not repeated")
	} else {
		wantSame(s.t, "appended again", settled(m), settled(r.message(entry.seq)))
	}
	s.checkRoom(r)
}

// anyEditable picks a message and who works on it. The documents leave open which error
// comes first, so never two reasons to refuse at once.
func (s *simulation) anyEditable() (r *modelRoom, m store.Message, by store.UserID, want error) {
	r, ok := s.anyRoom(hasMessages)
	if !ok {
		return nil, m, 0, nil
	}
	m, by = s.anyMessage(r), s.anyMember(r)
	frozen := m.Deleted || m.Type == store.TypeSystem
	switch {
	case frozen && !r.has(by):
		return nil, m, 0, nil
	case frozen:
		want = store.ErrForbidden
	case !r.has(by):
		want = store.ErrJoinFirst
	}
	s.note("%s seq %d by %d", r.ID, m.Seq, by)
	return r, m, by, want
}

func (s *simulation) stepEdit() {
	r, m, by, want := s.anyEditable()
	if r == nil {
		return
	}
	content := fmt.Sprint("said ", s.rnd.IntN(1000))
	if s.chance(10) {
		content = m.Content
	}
	mentions, everybody := s.anyMentions()
	if content == m.Content {
		mentions, everybody = m.Mentions, m.MentionsRoom
	}
	if want == nil && s.chance(10) {
		want = errors.New("a reason of the caller's own")
	}
	_, err := s.EditMessage(s.ctx, m.ID, by, func(e *store.Message) error {
		e.Content, e.Mentions, e.MentionsRoom = content, slices.Clone(mentions), everybody
		return want
	})
	if s.wantError(err, want) && content != m.Content {
		edited := r.at(m.Seq)
		edited.Content, edited.Mentions, edited.MentionsRoom, edited.EditedAt = content, mentions, everybody, s.clock.Now()
		s.expect(event{store.MessageEdited, r.ID, by, m.ID, m.Seq, ""})
	}
	s.checkMessage(r, *r.at(m.Seq))
	s.checkRoom(r)
}

func (s *simulation) stepDelete() {
	r, m, by, want := s.anyEditable()
	if r == nil {
		return
	}
	_, err := s.EditMessage(s.ctx, m.ID, by, func(e *store.Message) error { e.Deleted = true; return nil })
	if s.wantError(err, want) {
		deleted := r.at(m.Seq)
		deleted.Deleted, deleted.Content = true, ""
		s.expect(event{store.MessageDeleted, r.ID, by, m.ID, m.Seq, ""})
	}
	s.checkMessage(r, *r.at(m.Seq))
	s.checkRoom(r)
}

func (s *simulation) stepReact() {
	r, m, by, want := s.anyEditable()
	on := s.chance(65)
	if r == nil || want == store.ErrForbidden && !on {
		return
	}
	name := [...]string{"+1", "👍", "eyes"}[s.rnd.IntN(3)]
	_, changed, err := s.React(s.ctx, m.ID, by, name, on)
	if s.wantError(err, want) {
		if did := react(r.at(m.Seq), by, name, on); did != changed {
			s.t.Fatalf("reaction changed %v, want %v", changed, did)
		}
	}
	if changed {
		kind := store.ReactionRemoved
		if on {
			kind = store.ReactionAdded
		}
		s.expect(event{kind, r.ID, by, m.ID, m.Seq, name})
	}
	s.checkMessage(r, *r.at(m.Seq))
}

// anyReadable picks a message and a person to read it.
func (s *simulation) anyReadable() (r *modelRoom, m store.Message, user store.UserID, want error) {
	r, ok := s.anyRoom(hasMessages)
	if !ok {
		return nil, m, 0, nil
	}
	m, user = s.anyMessage(r), s.anyMember(r)
	if !r.has(user) {
		want = store.ErrJoinFirst
	}
	s.note("%s seq %d by %d", r.ID, m.Seq, user)
	return r, m, user, want
}

func (s *simulation) stepRead() {
	r, m, user, want := s.anyReadable()
	if r == nil {
		return
	}
	u, err := s.Read(s.ctx, r.ID, user, m.ID, s.clock.Now())
	if s.wantError(err, want) {
		r.readThrough(user, m.Seq, s.clock.Now())
		wantSame(s.t, "unread after reading", u, r.unread(user))
	}
	s.checkPerson(r, user)
	s.checkMessage(r, *r.at(m.Seq))
}

func (s *simulation) stepReadOne() {
	r, m, user, want := s.anyReadable()
	if r == nil || r.imported[m.Seq] {
		return
	}
	first, err := s.ReadOne(s.ctx, m.ID, user, s.clock.Now())
	if s.wantError(err, want) {
		if at := r.readOne(user, m.Seq, s.clock.Now()); !at.Equal(first) && !m.Deleted {
			s.t.Fatalf("first read at %v, want %v", first, at)
		}
	}
	s.checkPerson(r, user)
	s.checkMessage(r, *r.at(m.Seq))
}

func (s *simulation) stepMark() {
	r, m, user, want := s.anyReadable()
	if r == nil {
		return
	}
	u, err := s.MarkUnread(s.ctx, m.ID, user)
	if s.wantError(err, want) {
		r.mark(user, m.Seq)
		wantSame(s.t, "unread after the marker", u, r.unread(user))
	}
	s.checkPerson(r, user)
}
