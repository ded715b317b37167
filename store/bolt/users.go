package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// index leads from what an account has to the account.
type index struct {
	bucket []byte
	key    func(s *Store, u store.User) []byte // nil: not in this index
	taken  error                               // when the key leads to another account
}

var (
	errNoName      = store.Invalid("username", "must not be empty")
	errObjectTaken = store.Conflict("id_taken", "This id is taken", "id: another account has it")
)

var indexes = []index{
	{bucketByName, func(_ *Store, u store.User) []byte { return folded(u.Username) },
		store.Conflict("username_taken", "This username is taken", "username: choose another")},
	{bucketByEmail, func(_ *Store, u store.User) []byte { return folded(u.Email) },
		store.Conflict("email_taken", "This e-mail address is taken", "email: somebody has an account with it")},
	{bucketByAlias, func(_ *Store, u store.User) []byte { return exact(u.Alias) },
		store.Conflict("alias_taken", "This alias is taken", "alias: another account came from there")},
	{bucketByObject, (*Store).foreignObject,
		errObjectTaken},
	{bucketAdmins, func(_ *Store, u store.User) []byte {
		if u.IsAdmin() {
			return userKey(u.ID)
		}
		return nil
	}, nil},
}

func folded(s string) []byte { return exact(store.Fold(s)) }

func exact(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// foreignObject is the key of an account whose ObjectID does not follow from its number.
func (s *Store) foreignObject(u store.User) []byte {
	if u.Object == store.NewObjectID(u.CreatedAt, s.tag, u.ID) {
		return nil
	}
	return u.Object[:]
}

func notFound(id store.UserID) error { return store.NotFound("user", id.String()) }

// load reads an account; ErrNotFound if there is none.
func load(tx *bbolt.Tx, id store.UserID) (account, error) {
	value := tx.Bucket(bucketUsers).Get(userKey(id))
	if value == nil {
		return account{}, notFound(id)
	}
	return decodeAccount(id, value)
}

// save writes an account that was old, or the zero account for a new one, with everything
// that leads to it, as the newest change.
func (s *Store) save(tx *bbolt.Tx, old, a account) error {
	if a.Username == "" {
		return errNoName
	}
	for _, i := range indexes {
		var before []byte
		if old.ID != 0 {
			before = i.key(s, old.User)
		}
		if err := move(tx.Bucket(i.bucket), before, i.key(s, a.User), a.ID, i.taken); err != nil {
			return err
		}
	}
	revision, err := revise(tx, a.ID, old.edited, true)
	if err != nil {
		return err
	}
	a.edited = revision
	return s.put(tx, a)
}

// put writes the record alone.
func (s *Store) put(tx *bbolt.Tx, a account) error {
	s.cache.drop(a.ID)
	value, err := a.encode()
	if err != nil {
		return err
	}
	return tx.Bucket(bucketUsers).Put(userKey(a.ID), value)
}

// move replaces the key before, which led to id, by after; nil is no key.
func move(b *bbolt.Bucket, before, after []byte, id store.UserID, taken error) error {
	if bytes.Equal(before, after) {
		return nil
	}
	if after != nil {
		if there := b.Get(after); there != nil && userOf(there) != id {
			return taken
		}
		if err := b.Put(after, userKey(id)); err != nil {
			return err
		}
	}
	if before != nil {
		return b.Delete(before)
	}
	return nil
}

// revise numbers a change of an account; the one before of the same kind is forgotten.
func revise(tx *bbolt.Tx, id store.UserID, before store.Revision, edited bool) (store.Revision, error) {
	b := tx.Bucket(bucketByRevision)
	if before != 0 {
		if err := b.Delete(number(uint64(before))); err != nil {
			return 0, err
		}
	}
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	kind := byte(0)
	if edited {
		kind = 1
	}
	return store.Revision(n), b.Put(number(n), append(userKey(id), kind))
}

// CreateUser makes an account.
func (s *Store) CreateUser(ctx context.Context, n store.NewUser) (u store.User, err error) {
	err = s.batch(ctx, func(tx *bbolt.Tx) error {
		a := account{User: n.User}
		if n.SetupCode != "" {
			if err := takeSetupCode(tx, n.SetupCode); err != nil {
				return err
			}
			a.Role, a.Active, a.Closed = store.RoleAdmin, true, false
		}
		now := store.Truncate(s.now())
		if n.Invite != "" {
			if _, err := getInvite(tx, n.Invite, now); err != nil {
				return store.Forbidden("invite_invalid", "This invite is unknown or has expired")
			}
		}
		id, err := tx.Bucket(bucketUsers).NextSequence()
		if err != nil {
			return err
		}
		a.ID, a.CreatedAt, a.UpdatedAt = store.UserID(id), now, now
		a.Object = store.NewObjectID(now, s.tag, a.ID)
		a.LastLogin = store.Truncate(a.LastLogin)
		if tx.Bucket(bucketByObject).Get(a.Object[:]) != nil {
			return fmt.Errorf("an imported account has the id %s already", a.Object)
		}
		if a.Runs() {
			if err := endSetup(tx); err != nil {
				return err
			}
		}
		u = a.User
		return s.save(tx, account{}, a)
	})
	if err != nil {
		return store.User{}, err
	}
	return u, nil
}

// EditUser changes an account. Its number, ObjectID and time of creation stay.
func (s *Store) EditUser(ctx context.Context, id store.UserID, edit func(*store.User) error) (u store.User, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		old, err := load(tx, id)
		if err != nil {
			return err
		}
		a := old
		if err := edit(&a.User); err != nil {
			return err
		}
		a.ID, a.Object, a.CreatedAt, a.UpdatedAt = old.ID, old.Object, old.CreatedAt, old.UpdatedAt
		a.LastLogin = store.Truncate(a.LastLogin)
		if u = a.User; a == old {
			return nil
		}
		if old.Runs() != a.Runs() {
			if err := adminsChange(tx, id, a.Runs()); err != nil {
				return err
			}
		}
		if a.Closed && !old.Closed {
			if err := forgetWaiting(tx, old.User); err != nil {
				return err
			}
		}
		a.UpdatedAt = store.Truncate(s.now())
		u = a.User
		return s.save(tx, old, a)
	})
	if err != nil {
		return store.User{}, err
	}
	return u, nil
}

// adminsChange ends the setup when id becomes an administrator who can sign in, and opens
// it again when the last one goes. ErrLastAdmin when somebody else could sign in then.
func adminsChange(tx *bbolt.Tx, id store.UserID, runs bool) error {
	if runs {
		return endSetup(tx)
	}
	admins := tx.Bucket(bucketAdmins).Cursor()
	for key, _ := admins.First(); key != nil; key, _ = admins.Next() {
		if userOf(key) == id {
			continue
		}
		if other, err := load(tx, userOf(key)); err != nil || other.Runs() {
			return err
		}
	}
	users := tx.Bucket(bucketUsers).Cursor()
	for key, value := users.First(); key != nil; key, value = users.Next() {
		other, err := decodeAccount(userOf(key), value)
		if err != nil {
			return err
		}
		if other.ID != id && other.CanSignIn() {
			return store.ErrLastAdmin
		}
	}
	return tx.Bucket(bucketMeta).Delete(metaSetupDone)
}
