package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// accountsModel is what is known about people, written straight from the definitions.
type accountsModel struct {
	settings store.Settings
	users    []store.User   // by ID
	edits    []store.UserID // in the order of each account's newest edit
	sessions map[store.SessionID]store.Session
	tokens   map[int]*modelToken
	codes    map[int]store.Code
	invites  map[string]store.Invite
	setup    string // the setup code once it was seen
	settled  bool   // there is an administrator who can sign in
}

type modelToken struct {
	session store.SessionID
	spent   time.Time // zero: not yet
	expires time.Time // when the session would end without a later rotation; a token may be forgotten then
}

func (m *accountsModel) find(is func(store.User) bool) (store.User, bool) {
	i := slices.IndexFunc(m.users, is)
	if i < 0 {
		return store.User{}, false
	}
	return m.users[i], true
}

func (m *accountsModel) byName(name string) (store.User, bool) {
	return m.find(func(u store.User) bool { return strings.EqualFold(u.Username, name) })
}

func (m *accountsModel) byEmail(email string) (store.User, bool) {
	return m.find(func(u store.User) bool { return email != "" && strings.EqualFold(u.Email, email) })
}

// set makes u what is known of its account, as the newest edit.
func (m *accountsModel) set(u store.User) {
	m.edits = append(slices.DeleteFunc(m.edits, func(id store.UserID) bool { return id == u.ID }), u.ID)
	if i := slices.IndexFunc(m.users, func(old store.User) bool { return old.ID == u.ID }); i >= 0 {
		m.users[i] = u
	} else {
		m.users = append(m.users, u)
	}
	before := m.settled
	if _, m.settled = m.find(store.User.Runs); before && !m.settled {
		m.setup = ""
	}
}

// free returns the first of name, name-2, name-3 and so on that nobody has.
func (m *accountsModel) free(name string) string {
	free := name
	for n := 2; ; n++ {
		if _, taken := m.byName(free); !taken {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// leavesNoAdmin reports whether old must not become u, by the rule of EditUser.
func (m *accountsModel) leavesNoAdmin(old, u store.User) bool {
	_, another := m.find(func(o store.User) bool { return o.ID != u.ID && o.Runs() })
	_, stranded := m.find(func(o store.User) bool { return o.ID != u.ID && o.CanSignIn() })
	return old.Runs() && !u.Runs() && !another && stranded
}

// list returns what ListUsers must give on one page.
func (m *accountsModel) list(prefix string) []store.User {
	var list []store.User
	for _, u := range m.users {
		if !u.Closed && strings.HasPrefix(store.Fold(u.Username), store.Fold(prefix)) {
			list = append(list, u)
		}
	}
	if prefix != "" {
		slices.SortFunc(list, func(a, b store.User) int { return strings.Compare(store.Fold(a.Username), store.Fold(b.Username)) })
	}
	return list
}

// end forgets a session and its tokens.
func (m *accountsModel) end(id store.SessionID) {
	delete(m.sessions, id)
	for n, t := range m.tokens {
		if t.session == id {
			delete(m.tokens, n)
		}
	}
}

// sessionsWhere returns the sessions that keep accepts, by id.
func (m *accountsModel) sessionsWhere(keep func(store.Session) bool) []store.Session {
	var list []store.Session
	for _, s := range m.sessions {
		if keep(s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b store.Session) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list
}
