// Package storetest is the suite that every engine must pass: each documented sentence of
// the store interfaces is a case, and seeded random operations are compared with a plain
// model. An engine's own tests call it:
//
//	func open(t *testing.T, o storetest.Options) store.Workspace {
//		s, err := badger.Open(o.Dir, badger.Options{Now: o.Now})
//		if err != nil {
//			t.Fatal(err)
//		}
//		return s
//	}
//
//	func TestWorkspace(t *testing.T) { storetest.Workspace(t, open) }
//	func TestSimulate(t *testing.T)  { storetest.Simulate(t, open, 0, 0) }
package storetest

import (
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Options are how the suite wants an engine opened.
type Options struct {
	Dir string           // holds the engine's files; the same again reopens them
	Now func() time.Time // the clock to use for everything
}

// workspaceCase is one documented sentence.
type workspaceCase struct {
	name string
	run  func(f *fixture)
}

// workspaceGroups are the cases in the order they run.
var workspaceGroups = []struct {
	name  string
	cases []workspaceCase
}{
	{"rooms", roomCases},
	{"members", memberCases},
	{"messages", messageCases},
	{"edits", editCases},
	{"receipts", receiptCases},
	{"unread", unreadCases},
	{"imports", importCases},
	{"log", logCases},
	{"at once", concurrentCases},
	{"ownership", ownershipCases},
}

// Workspace runs every case about rooms, messages, imports, receipts and the log, each on
// a fresh engine. What open returns must have a method Close() error, and only the suite
// calls it.
func Workspace(t *testing.T, open func(t *testing.T, o Options) store.Workspace) {
	for _, g := range workspaceGroups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newFixture(t, open)) })
			}
		})
	}
}

// accountsGroups are the cases in the order they run.
var accountsGroups = []struct {
	name  string
	cases []accountsCase
}{
	{"people", userCases},
	{"setup", setupCases},
	{"imports", importUserCases},
	{"changes", revisionCases},
	{"sessions", sessionCases},
	{"codes", codeCases},
	{"mails", mailCases},
}

// Accounts runs every case about people, sessions, codes, mails and settings, with an open as
// for Workspace.
func Accounts(t *testing.T, open func(t *testing.T, o Options) store.Accounts) {
	for _, g := range accountsGroups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newOffice(t, open)) })
			}
		})
	}
}

// Simulate does random things to a workspace and compares it with a plain model after
// each. Seed 0 is a random one, steps 0 a few seconds' worth; HEARTH_SEED and HEARTH_STEPS
// in the environment win over both, and HEARTH_SOAK=1 does many more steps. A failure
// prints what runs it again.
func Simulate(t *testing.T, open func(t *testing.T, o Options) store.Workspace, seed uint64, steps int) {
	simulate(t, open, planOf(t, seed, steps, 600, 20_000))
}

// SimulateAccounts is Simulate for people, sessions, codes and settings.
func SimulateAccounts(t *testing.T, open func(t *testing.T, o Options) store.Accounts, seed uint64, steps int) {
	simulateAccounts(t, open, planOf(t, seed, steps, 600, 20_000))
}
