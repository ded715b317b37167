package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// User returns an account by its number.
func (s *Store) User(ctx context.Context, id store.UserID) (store.User, error) {
	u, ok, writes := s.cache.get(id)
	if ok {
		return u, ctx.Err()
	}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		a, err := load(tx, id)
		u = a.User
		return err
	})
	if err != nil {
		return store.User{}, err
	}
	s.cache.add(u, writes)
	return u, nil
}

// UserByObject returns an account by its other name.
func (s *Store) UserByObject(ctx context.Context, id store.ObjectID) (u store.User, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		u, err = s.byObject(tx, id)
		return err
	})
	return u, err
}

func (s *Store) byObject(tx *bbolt.Tx, object store.ObjectID) (store.User, error) {
	if [4]byte(object[4:8]) == s.tag {
		a, err := load(tx, store.UserID(binary.BigEndian.Uint32(object[8:])))
		if err == nil && a.Object == object || err != nil && !errors.Is(err, store.ErrNotFound) {
			return a.User, err
		}
	}
	return s.byIndex(tx, bucketByObject, object[:], object.String())
}

// UserByAlias returns the account that came from somewhere.
func (s *Store) UserByAlias(ctx context.Context, alias string) (store.User, error) {
	return s.lookUp(ctx, bucketByAlias, exact(alias), alias)
}

// UserByName returns an account by its username, whatever the case.
func (s *Store) UserByName(ctx context.Context, username string) (store.User, error) {
	return s.lookUp(ctx, bucketByName, folded(username), username)
}

// UserByEmail returns an account by its address, whatever the case.
func (s *Store) UserByEmail(ctx context.Context, email string) (store.User, error) {
	return s.lookUp(ctx, bucketByEmail, folded(email), email)
}

func (s *Store) lookUp(ctx context.Context, bucket, key []byte, asked string) (u store.User, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		u, err = s.byIndex(tx, bucket, key, asked)
		return err
	})
	return u, err
}

func (s *Store) byIndex(tx *bbolt.Tx, bucket, key []byte, asked string) (store.User, error) {
	id := tx.Bucket(bucket).Get(key)
	if id == nil {
		return store.User{}, store.NotFound("user", asked)
	}
	a, err := load(tx, userOf(id))
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%s: %q leads to account %d, which is not there", s.path, bucket, userOf(id))
	}
	return a.User, err
}

// ListUsers returns a page of the accounts that are not closed.
func (s *Store) ListUsers(ctx context.Context, prefix string, after store.UserID, limit int) (users []store.User, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		if prefix == "" {
			users, err = listByID(tx, after, limit)
		} else {
			users, err = listByName(tx, folded(prefix), after, limit)
		}
		return err
	})
	return users, err
}

func listByID(tx *bbolt.Tx, after store.UserID, limit int) (users []store.User, err error) {
	c := tx.Bucket(bucketUsers).Cursor()
	for key, value := c.Seek(userKey(max(after, 0) + 1)); key != nil && len(users) < limit; key, value = c.Next() {
		a, err := decodeAccount(userOf(key), value)
		if err != nil {
			return nil, err
		}
		if !a.Closed {
			users = append(users, a.User)
		}
	}
	return users, nil
}

func listByName(tx *bbolt.Tx, prefix []byte, after store.UserID, limit int) (users []store.User, err error) {
	c := tx.Bucket(bucketByName).Cursor()
	key, id := c.Seek(prefix)
	if after != 0 {
		last, err := load(tx, after)
		if errors.Is(err, store.ErrNotFound) {
			err = store.Invalid("after", "must be the last one of the previous page")
		}
		if err != nil {
			return nil, err
		}
		if from := folded(last.Username); bytes.Compare(from, prefix) >= 0 {
			if key, id = c.Seek(from); bytes.Equal(key, from) {
				key, id = c.Next()
			}
		}
	}
	for ; bytes.HasPrefix(key, prefix) && len(users) < limit; key, id = c.Next() {
		a, err := load(tx, userOf(id))
		if err != nil {
			return nil, err
		}
		if !a.Closed {
			users = append(users, a.User)
		}
	}
	return users, nil
}

// Admins returns the active administrators.
func (s *Store) Admins(ctx context.Context) (admins []store.User, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketAdmins).Cursor()
		for key, _ := c.First(); key != nil; key, _ = c.Next() {
			a, err := load(tx, userOf(key))
			if err != nil {
				return err
			}
			admins = append(admins, a.User)
		}
		return nil
	})
	return admins, err
}

// ChangedUsers returns changes after a revision. Of one account's edits only the newest
// remains, and so of the ends of its sessions.
func (s *Store) ChangedUsers(ctx context.Context, after store.Revision, limit int) (changes []store.UserChange, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketByRevision).Cursor()
		for key, value := c.Seek(number(uint64(after) + 1)); key != nil && len(changes) < limit; key, value = c.Next() {
			if len(key) != 8 || len(value) != 9 {
				return fmt.Errorf("%s: change %x cannot be read", s.path, key)
			}
			changes = append(changes, store.UserChange{
				Revision: store.Revision(binary.BigEndian.Uint64(key)), User: userOf(value), Edited: value[8] == 1,
			})
		}
		return nil
	})
	return changes, err
}

// WaitUsers returns when there is a change after the revision.
func (s *Store) WaitUsers(ctx context.Context, after store.Revision) error {
	for {
		next, closed := s.changes.wait()
		if closed {
			return fmt.Errorf("accounts: %w", store.ErrClosed)
		}
		changes, err := s.ChangedUsers(ctx, after, 1)
		if err != nil || len(changes) > 0 {
			return err
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
