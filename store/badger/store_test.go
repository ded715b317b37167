package badger

import (
	"context"
	"errors"
	"testing"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/storetest"
)

// verified is a workspace that may only be closed in good order.
type verified struct{ *Store }

func (v verified) Close() error {
	var found []error
	err := v.Verify(context.Background(), func(p Problem) { found = append(found, errors.New(p.What+" ("+p.Where+")")) })
	return errors.Join(append(found, err, v.Store.Close())...)
}

func openForSuite(t *testing.T, o storetest.Options) store.Workspace {
	s, err := Open(o.Dir, Options{Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	return verified{s}
}

func TestWorkspace(t *testing.T) { storetest.Workspace(t, openForSuite) }

func TestSimulate(t *testing.T) { storetest.Simulate(t, openForSuite, 0, 0) }
