package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// accountsSimulation is an engine and the model of it.
type accountsSimulation struct {
	*office
	*accountsModel
	trail
	rnd   *rand.Rand
	at    store.Revision
	want  map[store.UserChange]bool // what this step must report, without revisions; false: may
	count int                       // of sessions, tokens and codes ever made
}

// accountSteps are the things that can happen, each as often as its weight.
var accountSteps = []struct {
	weight int
	name   string
	do     func(s *accountsSimulation)
}{
	{14, "create", (*accountsSimulation).stepCreate},
	{6, "import", (*accountsSimulation).stepImport},
	{24, "edit", (*accountsSimulation).stepEdit},
	{5, "close", (*accountsSimulation).stepClose},
	{10, "sign in", (*accountsSimulation).stepSignIn},
	{22, "rotate", (*accountsSimulation).stepRotate},
	{4, "end one", (*accountsSimulation).stepEndOne},
	{3, "end all", (*accountsSimulation).stepEndAll},
	{3, "sweep", (*accountsSimulation).stepSweep},
	{5, "add code", (*accountsSimulation).stepAddCode},
	{6, "take code", (*accountsSimulation).stepTakeCode},
	{3, "invite", (*accountsSimulation).stepInvite},
	{2, "settings", (*accountsSimulation).stepSettings},
	{4, "list", (*accountsSimulation).stepList},
	{1, "reopen", (*accountsSimulation).stepReopen},
}

func simulateAccounts(t *testing.T, open openAccounts, p plan) {
	s := &accountsSimulation{
		office: newOffice(t, open), trail: trail{plan: p}, rnd: rand.New(rand.NewPCG(p.seed, 2)),
		accountsModel: &accountsModel{
			sessions: map[store.SessionID]store.Session{}, tokens: map[int]*modelToken{}, codes: map[int]store.Code{}, invites: map[string]store.Invite{},
		},
		want: map[store.UserChange]bool{},
	}
	defer s.report(t)
	settings, err := s.Settings(s.ctx)
	s.fatal("settings", err)
	s.accountsModel.settings = settings
	total := 0
	for _, step := range accountSteps {
		total += step.weight
	}
	for i := range p.steps {
		s.clock.advance(time.Duration(1+s.rnd.IntN(8000)) * time.Millisecond)
		pick := s.rnd.IntN(total)
		for _, step := range accountSteps {
			if pick -= step.weight; pick < 0 {
				s.begin("%s", step.name)
				step.do(s)
				break
			}
		}
		s.checkChanges()
		s.checkSetup()
		if i%100 == 99 {
			s.checkAll()
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	s.checkAll()
}

func (s *accountsSimulation) note(format string, args ...any) {
	s.done[len(s.done)-1] += " " + fmt.Sprintf(format, args...)
}

func (s *accountsSimulation) chance(percent int) bool { return s.rnd.IntN(100) < percent }

func (s *accountsSimulation) wantError(err, want error) (ok bool) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Fatalf("error = %v, want %v", err, want)
	}
	return err == nil
}

func (s *accountsSimulation) edited(id store.UserID) {
	s.want[store.UserChange{User: id, Edited: true}] = true
}

// ended expects the report of a session's end, if it was still alive.
func (s *accountsSimulation) ended(session store.Session) {
	key := store.UserChange{User: session.User}
	s.want[key] = s.want[key] || s.clock.Now().Before(session.ExpiresAt)
}

// checkChanges compares what the step reported with what it had to.
func (s *accountsSimulation) checkChanges() {
	s.t.Helper()
	changes, last := s.changed(s.at)
	s.at = max(s.at, last)
	for _, c := range changes {
		c.Revision = 0
		if _, ok := s.want[c]; !ok {
			s.t.Errorf("reported %+v, which is no change of this step, or twice", c)
		}
		delete(s.want, c)
	}
	for c, must := range s.want {
		if must {
			s.t.Errorf("did not report %+v", c)
		}
	}
	clear(s.want)
}

func (s *accountsSimulation) checkSetup() {
	s.t.Helper()
	code, err := s.SetupCode(s.ctx)
	s.fatal("setup code", err)
	if (code == "") != s.settled || s.setup != "" && code != "" && code != s.setup {
		s.t.Errorf("setup code = %q, want one %v and %q", code, !s.settled, s.setup)
	}
	if code != "" {
		s.setup = code
	}
}

// anyUser picks an account that is open.
func (s *accountsSimulation) anyUser(keep func(store.User) bool) (store.User, bool) {
	var open []store.User
	for _, u := range s.users {
		if !u.Closed && keep(u) {
			open = append(open, u)
		}
	}
	return pick(s.rnd, open)
}

func everyUser(store.User) bool { return true }

// anyCase writes a word in one case or another.
func (s *accountsSimulation) anyCase(word string) string {
	switch s.rnd.IntN(3) {
	case 0:
		return strings.ToUpper(word)
	case 1:
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}

func (s *accountsSimulation) anyUsername() string {
	return s.anyCase(fmt.Sprintf("%c%s", 'a'+rune(s.rnd.IntN(3)), []string{"nn", "nn-2", "nna", "ob", "yd", "l.x", "l_x"}[s.rnd.IntN(7)]))
}

func (s *accountsSimulation) anyEmail() string {
	if s.chance(30) {
		return ""
	}
	return s.anyCase(fmt.Sprintf("p%d@example.org", s.rnd.IntN(15)))
}

// checkPerson compares one account by all of its names.
func (s *accountsSimulation) checkPerson(u store.User) {
	s.t.Helper()
	wantSame(s.t, "account", s.user(u.ID), u)
	ways := map[string]func() (store.User, error){
		"object": func() (store.User, error) { return s.UserByObject(s.ctx, u.Object) },
		"name":   func() (store.User, error) { return s.UserByName(s.ctx, s.anyCase(u.Username)) },
	}
	if u.Email != "" {
		ways["email"] = func() (store.User, error) { return s.UserByEmail(s.ctx, s.anyCase(u.Email)) }
	}
	if u.Alias != "" {
		ways["alias"] = func() (store.User, error) { return s.UserByAlias(s.ctx, u.Alias) }
	}
	for way, get := range ways {
		got, err := get()
		if err != nil {
			s.t.Errorf("account %d by %s: %v", u.ID, way, err)
		}
		wantSame(s.t, "account by "+way, got, u)
	}
}

// checkSession compares one session, and which of its tokens lead to it.
func (s *accountsSimulation) checkSession(want store.Session) {
	s.t.Helper()
	now := s.clock.Now()
	got, err := s.Session(s.ctx, want.ID, now)
	if !now.Before(want.ExpiresAt) {
		wantErr(s.t, "an expired session", err, store.ErrNotFound)
		return
	}
	s.fatal("session", err)
	wantSame(s.t, "session", got, want)
	for n, known := range s.tokens {
		if known.session == want.ID && now.Before(known.expires) {
			got, err := s.SessionByRefresh(s.ctx, token(n), now)
			s.fatal("session by refresh", err)
			wantSame(s.t, fmt.Sprintf("session of token %d", n), got, want)
		}
	}
}

// checkAll compares everything.
func (s *accountsSimulation) checkAll() {
	s.t.Helper()
	var edits, admins []store.UserID
	for _, u := range s.users {
		s.checkPerson(u)
		if u.IsAdmin() {
			admins = append(admins, u.ID)
		}
	}
	changes, _ := s.changed(0)
	for _, c := range changes {
		if c.Edited {
			edits = append(edits, c.User)
		}
	}
	wantSame(s.t, "newest edits", edits, s.edits)
	got, err := s.Admins(s.ctx)
	s.fatal("admins", err)
	s.wantUsers("administrators", got, admins...)
	for _, session := range s.sessionsWhere(func(store.Session) bool { return true }) {
		s.checkSession(session)
	}
	for code, want := range s.invites {
		got, err := s.Invite(s.ctx, code, s.clock.Now())
		if !s.clock.Now().Before(want.Expires) {
			wantErr(s.t, "an expired invite", err, store.ErrNotFound)
			continue
		}
		s.fatal("invite", err)
		wantSame(s.t, "invite", got, want)
	}
	settings, err := s.Settings(s.ctx)
	s.fatal("settings", err)
	wantSame(s.t, "settings", settings, s.accountsModel.settings)
	for _, prefix := range []string{"", "A", "an", "ann-"} {
		s.checkList(prefix, 100_000)
	}
}

// checkList compares a list read in pages.
func (s *accountsSimulation) checkList(prefix string, limit int) {
	s.t.Helper()
	var got []store.User
	for after := store.UserID(0); ; after = got[len(got)-1].ID {
		page, err := s.ListUsers(s.ctx, prefix, after, limit)
		s.fatal("list", err)
		if got = append(got, page...); len(page) < limit {
			break
		}
	}
	wantSame(s.t, fmt.Sprintf("accounts %q", prefix), got, s.list(prefix))
}

func (s *accountsSimulation) stepList() {
	prefix := []string{"", "a", "AN", "b", "deleted", "cyd"}[s.rnd.IntN(6)]
	s.checkList(prefix, 1+s.rnd.IntN(5))
	if u, ok := pick(s.rnd, s.users); ok {
		s.checkPerson(u)
	}
}

func (s *accountsSimulation) stepReopen() {
	s.reopen()
	s.checkAll()
}

func (s *accountsSimulation) stepSettings() {
	name := fmt.Sprint("name ", s.rnd.IntN(3))
	got, err := s.EditSettings(s.ctx, func(e *store.Settings) error { e.Name = name; return nil })
	s.fatal("edit settings", err)
	s.accountsModel.settings.Name = name
	wantSame(s.t, "settings", got, s.accountsModel.settings)
}

// next numbers sessions, tokens and codes.
func (s *accountsSimulation) next() int {
	s.count++
	return s.count
}

// sorted returns the numbers that a map has, so that a seed always picks the same.
func sorted[V any](m map[int]V) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
