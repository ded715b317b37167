package badger

import (
	"testing"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/storetest"
)

func openForSuite(t *testing.T, o storetest.Options) store.Workspace {
	s, err := Open(o.Dir, Options{Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWorkspace(t *testing.T) { storetest.Workspace(t, openForSuite) }

func TestSimulate(t *testing.T) { storetest.Simulate(t, openForSuite, 0, 0) }
