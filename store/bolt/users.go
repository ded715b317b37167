package bolt

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// maxForeignName bounds the names of imported accounts, in code points.
const maxForeignName = 100

// index leads from what an account has to the account.
type index struct {
	bucket []byte
	key    func(s *Store, u store.User) []byte // nil: not in this index
	taken  error                               // when the key leads to another account
}

var indexes = []index{
	{bucketByName, func(_ *Store, u store.User) []byte { return folded(u.Username) },
		store.Conflict("username_taken", "This username is taken", "username: choose another")},
	{bucketByEmail, func(_ *Store, u store.User) []byte { return folded(u.Email) },
		store.Conflict("email_taken", "This e-mail address is taken", "email: somebody has an account with it")},
	{bucketByAlias, func(_ *Store, u store.User) []byte { return exact(u.Alias) },
		store.Conflict("alias_taken", "This alias is taken", "alias: another account came from there")},
	{bucketByObject, (*Store).foreignObject,
		store.Conflict("id_taken", "This id is taken", "id: another account has it")},
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
		return store.Invalid("username", "must not be empty")
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
		if err := settle(tx, a.User); err != nil {
			return err
		}
		u = a.User
		return s.save(tx, account{}, a)
	})
	if err != nil {
		return store.User{}, err
	}
	return u, nil
}

// settle ends the setup once there is an administrator who can sign in.
func settle(tx *bbolt.Tx, u store.User) error {
	if u.IsAdmin() && u.CanSignIn() {
		return endSetup(tx)
	}
	return nil
}

// ImportUsers makes accounts that came from elsewhere.
func (s *Store) ImportUsers(ctx context.Context, users []store.User) (all []store.User, added int, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		all, added = make([]store.User, 0, len(users)), 0
		suffixes := make(map[string]int)
		for _, u := range users {
			if key := exact(u.Alias); key != nil {
				if id := tx.Bucket(bucketByAlias).Get(key); id != nil {
					a, err := load(tx, userOf(id))
					if err != nil {
						return err
					}
					all = append(all, a.User)
					continue
				}
			}
			u, err := s.importUser(tx, u, suffixes)
			if err != nil {
				return err
			}
			all, added = append(all, u), added+1
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return all, added, nil
}

func (s *Store) importUser(tx *bbolt.Tx, u store.User, suffixes map[string]int) (store.User, error) {
	if err := store.CheckText("username", u.Username, maxForeignName); err != nil {
		return u, err
	}
	id, err := tx.Bucket(bucketUsers).NextSequence()
	if err != nil {
		return u, err
	}
	u.ID, u.UpdatedAt = store.UserID(id), store.Truncate(s.now())
	if u.CreatedAt.IsZero() {
		u.CreatedAt = u.UpdatedAt
	}
	u.CreatedAt, u.LastLogin = store.Truncate(u.CreatedAt), store.Truncate(u.LastLogin)
	if u.Object == (store.ObjectID{}) {
		u.Object = store.NewObjectID(u.CreatedAt, s.tag, u.ID)
	} else if there, err := s.byObject(tx, u.Object); err == nil {
		return u, store.Conflict("id_taken", "This id is taken", "id: "+there.Object.String())
	}
	u.Username = freeName(tx, u.Username, suffixes)
	return u, s.save(tx, account{}, account{User: u})
}

// freeName returns name, or name with the first of "-2", "-3" and so on that is free.
// suffixes remembers, for one import, how far each name got. The neutral names of closed
// accounts, present and future, are never free.
func freeName(tx *bbolt.Tx, name string, suffixes map[string]int) string {
	names := tx.Bucket(bucketByName)
	free := func(name string) bool { return names.Get(folded(name)) == nil && !neutral(name) }
	if free(name) {
		return name
	}
	key := store.Fold(name)
	for n := max(2, suffixes[key]); ; n++ {
		suffix := "-" + strconv.Itoa(n)
		short := name
		for utf8.RuneCountInString(short)+len(suffix) > maxForeignName {
			_, size := utf8.DecodeLastRuneInString(short)
			short = short[:len(short)-size]
		}
		if free(short + suffix) {
			suffixes[key] = n + 1
			return short + suffix
		}
	}
}

// neutral reports whether name is what a closed account is called.
func neutral(name string) bool {
	digits, ok := strings.CutPrefix(store.Fold(name), store.Fold(strings.TrimSuffix(store.DeletedName(0), "0")))
	_, err := strconv.ParseInt(digits, 10, 64)
	return ok && err == nil
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
		if old.IsAdmin() && !a.IsAdmin() {
			if err := checkLastAdmin(tx, id); err != nil {
				return err
			}
		}
		a.UpdatedAt = store.Truncate(s.now())
		u = a.User
		if err := settle(tx, a.User); err != nil {
			return err
		}
		return s.save(tx, old, a)
	})
	if err != nil {
		return store.User{}, err
	}
	return u, nil
}

// checkLastAdmin returns ErrLastAdmin when id is the only active administrator and
// somebody else can sign in.
func checkLastAdmin(tx *bbolt.Tx, id store.UserID) error {
	admins := tx.Bucket(bucketAdmins).Cursor()
	for key, _ := admins.First(); key != nil; key, _ = admins.Next() {
		if userOf(key) != id {
			return nil
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
	return nil
}
