package bolt

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// maxForeignName bounds the names of imported accounts, in code points.
const maxForeignName = 100

// ImportUsers makes accounts that came from elsewhere.
func (s *Store) ImportUsers(ctx context.Context, users []store.User) (all []store.User, added int, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		all, added = make([]store.User, 0, len(users)), 0
		i := s.newImporting(tx)
		for _, u := range users {
			if id, ok := i.find(bucketByAlias, exact(u.Alias)); ok {
				a, err := load(tx, id)
				if err != nil {
					return err
				}
				all = append(all, a.User)
				continue
			}
			u, err := i.add(u)
			if err != nil {
				return err
			}
			all, added = append(all, u), added+1
		}
		return i.finish()
	})
	if err != nil {
		return nil, 0, err
	}
	return all, added, nil
}

// importing is one import under way. It writes the indexes last and in the order of their
// keys: bbolt moves everything that follows a key put into the middle, and tens of
// thousands of those, in one transaction, cost more than all the rest.
type importing struct {
	s        *Store
	tx       *bbolt.Tx
	keys     map[string]map[string]store.UserID // by bucket
	suffixes map[string]int                     // how far each name got
}

func (s *Store) newImporting(tx *bbolt.Tx) *importing {
	i := &importing{s: s, tx: tx, keys: make(map[string]map[string]store.UserID), suffixes: make(map[string]int)}
	for _, x := range indexes {
		i.keys[string(x.bucket)] = make(map[string]store.UserID)
	}
	return i
}

// find looks a key up, also among those not written yet.
func (i *importing) find(bucket, key []byte) (store.UserID, bool) {
	if key == nil {
		return 0, false
	}
	if id, ok := i.keys[string(bucket)][string(key)]; ok {
		return id, true
	}
	id := i.tx.Bucket(bucket).Get(key)
	return userOf(id), id != nil
}

// add makes an account, all but its index entries.
func (i *importing) add(u store.User) (store.User, error) {
	if err := store.CheckText("username", u.Username, maxForeignName); err != nil {
		return u, err
	}
	if u.Username == "" {
		return u, errNoName
	}
	id, err := i.tx.Bucket(bucketUsers).NextSequence()
	if err != nil {
		return u, err
	}
	u.ID, u.UpdatedAt = store.UserID(id), store.Truncate(i.s.now())
	if u.CreatedAt.IsZero() {
		u.CreatedAt = u.UpdatedAt
	}
	u.CreatedAt, u.LastLogin = store.Truncate(u.CreatedAt), store.Truncate(u.LastLogin)
	if u.Object == (store.ObjectID{}) {
		u.Object = store.NewObjectID(u.CreatedAt, i.s.tag, u.ID)
	} else if _, err := i.s.byObject(i.tx, u.Object); err == nil {
		return u, errObjectTaken
	}
	u.Username = i.freeName(u.Username)
	for _, x := range indexes {
		key := x.key(i.s, u)
		if _, taken := i.find(x.bucket, key); taken {
			return u, x.taken
		}
		if key != nil {
			i.keys[string(x.bucket)][string(key)] = u.ID
		}
	}
	a := account{User: u}
	if a.edited, err = revise(i.tx, u.ID, 0, true); err != nil {
		return u, err
	}
	return u, i.s.put(i.tx, a)
}

// finish writes the index entries.
func (i *importing) finish() error {
	for _, x := range indexes {
		keys := i.keys[string(x.bucket)]
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if err := i.tx.Bucket(x.bucket).Put([]byte(key), userKey(keys[key])); err != nil {
				return err
			}
		}
	}
	return nil
}

// freeName returns name, or name with the first of "-2", "-3" and so on that is free. The
// neutral names of closed accounts, present and future, are never free.
func (i *importing) freeName(name string) string {
	free := func(name string) bool {
		_, taken := i.find(bucketByName, folded(name))
		return !taken && !neutral(name)
	}
	if free(name) {
		return name
	}
	key := store.Fold(name)
	for n := max(2, i.suffixes[key]); ; n++ {
		suffix := "-" + strconv.Itoa(n)
		short := name
		for utf8.RuneCountInString(short)+len(suffix) > maxForeignName {
			_, size := utf8.DecodeLastRuneInString(short)
			short = short[:len(short)-size]
		}
		if free(short + suffix) {
			i.suffixes[key] = n + 1
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
