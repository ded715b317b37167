package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/hearthchat/hearth/server"
	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/mail"
	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/badger"
	"github.com/hearthchat/hearth/store/bolt"
)

// This is the only file that names engines.

// Where the engines keep their files in the data folder.
const (
	roomsFolder = "rooms"
	peopleFile  = "people.db"
)

// workspaceEngine is a workspace that can end.
type workspaceEngine interface {
	store.Workspace
	Failed() <-chan struct{} // closed when it cannot write any more
	Err() error              // says why
	Close() error
}

// accountsEngine is accounts that can end.
type accountsEngine interface {
	store.Accounts
	Err() error // says why it takes no changes until the next start
	Close() error
}

// system is a workspace with its stores open and the rules over them.
type system struct {
	*settled
	people accountsEngine
	rooms  workspaceEngine
	auth   *auth.Service
	chat   *chat.Service
	outbox *mail.Outbox // nil: no mail is sent

	metrics *server.Metrics // what the stores do is counted here

	// verifyStores reports what is wrong inside each store.
	verifyStores func(ctx context.Context, report func(problem string)) error
}

// openSystem opens both stores, making them when they are not there. Errors say what to
// do and have the exit code for it.
func openSystem(ctx context.Context, s *settled, log *slog.Logger) (*system, error) {
	if strconv.IntSize == 32 {
		return nil, errors.New("this is a 32-bit program, in which the store damages its files: use a 64-bit build of Hearth")
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, &failure{exitData, fmt.Errorf("make the data folder: %w", err)}
	}
	y := &system{settled: s, metrics: server.NewMetrics()}
	var people *bolt.Store
	var rooms *badger.Store
	var peopleErr, roomsErr error
	var opening sync.WaitGroup
	opening.Go(func() { people, peopleErr = bolt.Open(filepath.Join(s.Data, peopleFile), bolt.Options{Log: log}) })
	opening.Go(func() {
		rooms, roomsErr = badger.Open(filepath.Join(s.Data, roomsFolder), badger.Options{Log: log, Committed: y.metrics.Committed})
	})
	opening.Wait()
	if peopleErr == nil {
		y.people = people
	}
	if roomsErr == nil {
		y.rooms = rooms
	}
	if errors.Is(roomsErr, store.ErrBusy) && errors.Is(peopleErr, store.ErrBusy) {
		peopleErr = nil // the same process has both
	}
	err := openFailure(errors.Join(roomsErr, peopleErr))
	if err == nil {
		y.verifyStores = verifier(people, rooms)
		err = y.addRules(ctx, log)
	}
	if err != nil {
		return nil, errors.Join(err, y.Close())
	}
	return y, nil
}

func openFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrBusy):
		return &failure{exitBusy, err}
	}
	return &failure{exitData, err}
}

// addRules puts the services over the stores.
func (y *system) addRules(ctx context.Context, log *slog.Logger) error {
	workspace, err := y.people.Settings(ctx)
	if err != nil {
		return &failure{exitData, err}
	}
	keys, warnings, err := auth.OpenKeys(y.Data, workspace.ID, auth.KeyOptions{Secret: y.Secret, Previous: y.PreviousSecret, TTL: y.AccessTTL})
	if err != nil {
		return &failure{exitData, err}
	}
	for _, w := range warnings {
		log.Warn(w)
	}
	o := auth.Options{Registration: y.Registration, RefreshTTL: y.RefreshTTL, NoRates: y.NoLimits}
	if y.Mail.Host != "" {
		y.outbox = mail.New(y.people, y.Mail, y.PublicURL, mail.Options{Log: log})
		o.Mail = y.outbox
	}
	y.auth = auth.New(y.people, keys, auth.NewPasswords(auth.PasswordOptions{Cost: y.BcryptCost}), o)
	y.chat = chat.New(y.rooms, y.people, chat.Options{Unlimited: y.NoLimits})
	return nil
}

// writable says why the stores take no changes now; nil when they do.
func (y *system) writable() error { return errors.Join(y.rooms.Err(), y.people.Err()) }

// Close closes the stores, rooms first: whom a message names is then still there.
func (y *system) Close() error {
	var errs []error
	if y.rooms != nil {
		errs = append(errs, y.rooms.Close())
	}
	if y.people != nil {
		errs = append(errs, y.people.Close())
	}
	return errors.Join(errs...)
}

// address is where people reach Hearth, for links that are printed.
func (y *system) address() string {
	if y.PublicURL != "" {
		return y.PublicURL
	}
	return y.localAddress()
}

// localAddress is where this computer reaches Hearth.
func (y *system) localAddress() string {
	host, port, _ := net.SplitHostPort(y.Listen) // checked when it was set
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// verifier returns the checks that the engines have of their own.
func verifier(people *bolt.Store, rooms *badger.Store) func(ctx context.Context, report func(problem string)) error {
	return func(ctx context.Context, report func(problem string)) error {
		return errors.Join(
			rooms.Verify(ctx, func(p badger.Problem) { report(fmt.Sprintf("%s: %s (%s)", roomsFolder, p.What, p.Where)) }),
			people.Verify(ctx, func(p bolt.Problem) { report(fmt.Sprintf("%s: %s (%s)", peopleFile, p.What, p.Where)) }),
		)
	}
}
