package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// plan is how a simulation runs: what it was told, the environment, a default.
type plan struct {
	seed  uint64
	steps int
}

func planOf(t *testing.T, seed uint64, steps, usual, soak int) plan {
	p := plan{cmp.Or(seed, rand.Uint64()), cmp.Or(steps, usual)}
	if os.Getenv("HEARTH_SOAK") == "1" {
		p.steps = soak
	}
	var err error
	if s := os.Getenv("HEARTH_SEED"); s != "" {
		if p.seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("HEARTH_SEED: %v", err)
		}
	}
	if s := os.Getenv("HEARTH_STEPS"); s != "" {
		if p.steps, err = strconv.Atoi(s); err != nil {
			t.Fatalf("HEARTH_STEPS: %v", err)
		}
	}
	return p
}

// trail remembers what a simulation did last, and says how to run it again.
type trail struct {
	plan
	done []string
}

func (tr *trail) begin(format string, args ...any) {
	tr.done = append(tr.done, fmt.Sprintf("%5d ", len(tr.done))+fmt.Sprintf(format, args...))
}

func (tr *trail) report(t *testing.T) {
	if t.Failed() {
		last := tr.done[max(0, len(tr.done)-30):]
		t.Logf("the last steps were:\n%s\nrun it again: HEARTH_SEED=%d HEARTH_STEPS=%d go test -run '^%s$'", strings.Join(last, "\n"), tr.seed, tr.steps, t.Name())
	}
}

// event is what one change of the log says, without its place.
type event struct {
	kind    store.ChangeKind
	room    store.RoomID
	user    store.UserID
	message store.MessageID
	seq     store.Seq
	text    string
}

// loose are the kinds whose number and bounds are the engine's choice.
var loose = map[store.ChangeKind]bool{store.MessagesRead: true, store.RoomEdited: true, store.RoomImported: true, store.MarkedUnread: true}

// simulation is an engine and the model of it.
type simulation struct {
	*fixture
	*model
	trail
	rnd    *rand.Rand
	want   []event // what this step must add to the log
	logged store.Position
	relay  store.Revision

	trimmed     uint64 // the oldest change that must be there
	nextForeign int    // numbers of imported messages, ten thousand for each room
}

// simUsers are the people of a simulation; the last of them never joins anything.
const simUsers = 6

// simSteps are the things that can happen, each as often as its weight.
var simSteps = []struct {
	weight int
	name   string
	do     func(s *simulation)
}{
	{3, "create", (*simulation).stepCreate},
	{4, "direct", (*simulation).stepDirect},
	{3, "edit room", (*simulation).stepEditRoom},
	{1, "delete room", (*simulation).stepDeleteRoom},
	{8, "join", (*simulation).stepJoin},
	{6, "leave", (*simulation).stepLeave},
	{2, "role", (*simulation).stepRole},
	{40, "post", (*simulation).stepPost},
	{5, "repeat", (*simulation).stepRepeat},
	{6, "edit", (*simulation).stepEdit},
	{5, "delete", (*simulation).stepDelete},
	{10, "react", (*simulation).stepReact},
	{12, "read", (*simulation).stepRead},
	{18, "read one", (*simulation).stepReadOne},
	{8, "mark", (*simulation).stepMark},
	{6, "look", (*simulation).stepLook},
	{3, "import", (*simulation).stepImport},
	{2, "relay", (*simulation).stepRelay},
	{1, "trim", (*simulation).stepTrim},
	{1, "reopen", (*simulation).stepReopen},
}

func simulate(t *testing.T, open openWorkspace, p plan) {
	s := &simulation{fixture: newFixture(t, open), model: newModel(), trail: trail{plan: p}, rnd: rand.New(rand.NewPCG(p.seed, 1))}
	defer s.report(t)
	s.logged = s.head()
	total := 0
	for _, step := range simSteps {
		total += step.weight
	}
	for i := range p.steps {
		s.clock.advance(time.Duration(1+s.rnd.IntN(5000)) * time.Millisecond)
		pick := s.rnd.IntN(total)
		for _, step := range simSteps {
			if pick -= step.weight; pick < 0 {
				s.begin("%s", step.name)
				step.do(s)
				break
			}
		}
		s.checkLog()
		if i%100 == 99 {
			s.checkAll()
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	s.checkAll()
}

// note adds what the step is about to the trail.
func (s *simulation) note(format string, args ...any) {
	s.done[len(s.done)-1] += " " + fmt.Sprintf(format, args...)
}

func (s *simulation) expect(e event) { s.want = append(s.want, e) }

// wantError requires the kind of error that the model says, or none.
func (s *simulation) wantError(err, want error) (ok bool) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Fatalf("error = %v, want %v", err, want)
	}
	return err == nil
}

func (s *simulation) anyone() store.UserID { return store.UserID(1 + s.rnd.IntN(simUsers)) }

func (s *simulation) chance(percent int) bool { return s.rnd.IntN(100) < percent }

func pick[T any](rnd *rand.Rand, from []T) (one T, ok bool) {
	if len(from) == 0 {
		return one, false
	}
	return from[rnd.IntN(len(from))], true
}

// anyRoom picks a room that keep accepts.
func (s *simulation) anyRoom(keep func(*modelRoom) bool) (*modelRoom, bool) {
	return pick(s.rnd, s.roomsWhere(keep))
}

func everyRoom(*modelRoom) bool     { return true }
func notDirect(r *modelRoom) bool   { return r.Kind != store.KindDirect }
func hasMessages(r *modelRoom) bool { return len(r.messages) > 0 }

// anyMember picks a member of a room, most of the time, else anybody.
func (s *simulation) anyMember(r *modelRoom) store.UserID {
	if m, ok := pick(s.rnd, r.memberList()); ok && !s.chance(7) {
		return m.User
	}
	return s.anyone()
}

// anyMessage picks a message, more often a new one.
func (s *simulation) anyMessage(r *modelRoom) store.Message {
	n := len(r.messages)
	if s.chance(60) {
		n = min(n, 12)
	}
	return *r.at(store.Seq(len(r.messages) - s.rnd.IntN(n)))
}

// newLines takes the messages that the engine added to a room beyond the model into it:
// all of them must be the system lines that lines names, with their authors.
func (s *simulation) newLines(r *modelRoom, author store.UserID, lines ...string) {
	s.t.Helper()
	page := s.page(r.ID, store.Span{After: store.Seq(len(r.messages)), Oldest: len(r.messages) == 0, Limit: 10})
	if len(page) != len(lines) {
		s.t.Fatalf("%s got %+v, want the lines %q", r.ID, page, lines)
	}
	for i, line := range lines {
		m := r.post(store.Message{ID: page[i].ID, Author: author, Type: store.TypeSystem, Content: line, At: s.clock.Now()})
		wantSame(s.t, "line", page[i], m)
		s.expect(event{store.MessagePosted, r.ID, author, m.ID, m.Seq, ""})
	}
}

// checkLog compares what the step added to the log with what it had to.
func (s *simulation) checkLog() {
	s.t.Helper()
	var got []event
	for _, c := range s.since(s.logged) {
		s.logged = c.Position
		if !loose[c.Kind] {
			got = append(got, event{c.Kind, c.Room, c.User, c.Message, c.Seq, c.Text})
		}
		if m := c.RecordMessage; m != nil && m.ID != c.Message {
			s.t.Errorf("message %s rides along with %+v", m.ID, c)
		}
	}
	order := func(a, b event) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got, order)
	slices.SortFunc(s.want, order)
	if !slices.Equal(got, s.want) {
		s.t.Errorf("the log got %+v, want %+v", got, s.want)
	}
	s.want = nil
	if head := s.head(); head != s.logged {
		s.t.Errorf("head = %v, want %v", head, s.logged)
	}
}

// checkRoom compares a room, its members and what waits for each.
func (s *simulation) checkRoom(r *modelRoom) {
	s.t.Helper()
	wantSame(s.t, "room", s.look(r.ID), r.room())
	members, err := s.Members(s.ctx, r.ID, 0, 100)
	s.fatal("members", err)
	wantSame(s.t, "members", members, r.memberList())
	for user := store.UserID(1); user <= simUsers; user++ {
		s.checkPerson(r, user)
	}
}

func (s *simulation) checkPerson(r *modelRoom, user store.UserID) {
	s.t.Helper()
	u, err := s.UnreadIn(s.ctx, r.ID, user)
	if !r.has(user) {
		wantErr(s.t, "unread of a stranger", err, store.ErrJoinFirst)
		_, err := s.Member(s.ctx, r.ID, user)
		wantErr(s.t, "stranger", err, store.ErrNotFound)
		return
	}
	s.fatal("unread", err)
	wantSame(s.t, fmt.Sprintf("unread of %d", user), u, r.unread(user))
}

// settled returns a message without what the documents leave open: the order of kinds of
// reaction, and all but the place of a deleted message.
func settled(m store.Message) store.Message {
	if m.Deleted {
		m.Mentions, m.MentionsRoom, m.Reactions, m.EditedAt = nil, false, nil, time.Time{}
	}
	m.Reactions = slices.Clone(m.Reactions)
	slices.SortFunc(m.Reactions, func(a, b store.Reaction) int { return strings.Compare(a.Name, b.Name) })
	return m
}

func (s *simulation) checkMessages(r *modelRoom, what string, got, want []store.Message) {
	s.t.Helper()
	wantSame(s.t, what+" has seqs", ids(got), ids(want))
	for i := range min(len(got), len(want)) {
		wantSame(s.t, what, settled(got[i]), settled(r.message(want[i].Seq)))
	}
}

// checkAll compares everything.
func (s *simulation) checkAll() {
	s.t.Helper()
	for _, r := range s.roomsWhere(everyRoom) {
		s.checkRoom(r)
		s.checkMessages(r, "room "+string(r.ID), s.all(r.ID), r.messages)
		for _, m := range r.messages[max(0, len(r.messages)-150):] {
			s.checkMessage(r, m)
		}
	}
	for user := store.UserID(1); user <= simUsers; user++ {
		var members []store.Member
		var unread []store.Unread
		for _, r := range s.roomsWhere(func(r *modelRoom) bool { return r.has(user) }) {
			members, unread = append(members, r.members[user]), append(unread, r.unread(user))
		}
		gotMembers, err := s.RoomsOf(s.ctx, user)
		s.fatal("rooms of", err)
		gotUnread, err := s.Unread(s.ctx, user)
		s.fatal("unread", err)
		wantSame(s.t, "rooms of", gotMembers, members)
		wantSame(s.t, "unread of all rooms", gotUnread, unread)
	}
	s.checkOpen()
}

// checkMessage compares one message, its thread and its readers.
func (s *simulation) checkMessage(r *modelRoom, m store.Message) {
	s.t.Helper()
	wantSame(s.t, "message", settled(s.message(m.ID)), settled(r.message(m.Seq)))
	tree, err := s.Thread(s.ctx, m.ID, store.Span{Oldest: true, Limit: 10_000})
	s.fatal("thread", err)
	wantSame(s.t, "thread", ids(tree), ids(r.thread(m.Seq)))
	if !m.Deleted && !r.imported[m.Seq] {
		wantSame(s.t, fmt.Sprintf("readers of %d", m.Seq), s.readers(m.ID), r.readers(m.Seq))
	}
}

// checkOpen compares the list of open rooms and the oldest of each name.
func (s *simulation) checkOpen() {
	s.t.Helper()
	oldest := map[string]*modelRoom{}
	var want []store.Room
	for _, r := range s.roomsWhere(func(r *modelRoom) bool { return r.Kind == store.KindOpen }) {
		want = append(want, r.room())
		if first := oldest[r.Name]; first == nil || r.CreatedAt.Before(first.CreatedAt) {
			oldest[r.Name] = r
		}
	}
	got, err := s.OpenRooms(s.ctx, "", 10_000)
	s.fatal("open rooms", err)
	wantSame(s.t, "open rooms", got, want)
	for name, r := range oldest {
		if got, err := s.OpenRoomNamed(s.ctx, name); err != nil || got.ID != r.ID {
			s.t.Errorf("open room named %q = %s, %v, want %s", name, got.ID, err, r.ID)
		}
	}
}
