package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// The buckets. Keys and values:
var (
	bucketUsers      = []byte("users")       // user → userRecord
	bucketByName     = []byte("by-name")     // folded username → user
	bucketByEmail    = []byte("by-email")    // folded address → user
	bucketByAlias    = []byte("by-alias")    // alias → user
	bucketByObject   = []byte("by-object")   // ObjectID made elsewhere → user
	bucketAdmins     = []byte("admins")      // user who is an active administrator → user
	bucketByRevision = []byte("by-revision") // revision → user, 1 for an edit or 0
	bucketSessions   = []byte("sessions")    // session → sessionRecord
	bucketSessionsOf = []byte("sessions-of") // user, session → nothing
	bucketRefresh    = []byte("refresh")     // hash → refreshRecord
	bucketRefreshOf  = []byte("refresh-of")  // session, 0, number → hash, expiry
	bucketCodes      = []byte("codes")       // hash → codeRecord
	bucketInvites    = []byte("invites")     // code → inviteRecord
	bucketMails      = []byte("mails")       // number → mailRecord
	bucketMeta       = []byte("meta")        // the keys below
)

var (
	metaVersion   = []byte("version")    // number: how many of the migrations were done
	metaSettings  = []byte("settings")   // settingsRecord
	metaSetupCode = []byte("setup-code") // the code itself, so that it can be shown again
	metaSetupDone = []byte("setup-done") // there is an administrator who can sign in
)

// migrations lead from each version of the file to the next; an empty file is version 0.
// Entries are only ever added at the end.
var migrations = []func(*Store, *bbolt.Tx) error{
	(*Store).makeBuckets,
	(*Store).makeMails,
}

// migrate brings the file to this version, in one transaction.
func (s *Store) migrate() error {
	return s.update(context.Background(), func(tx *bbolt.Tx) error {
		version, err := versionOf(tx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		if version > len(migrations) {
			return fmt.Errorf("%s was written by a newer version of Hearth (it has format %d, this one knows up to %d): run that version, or put a backup from before in its place",
				s.path, version, len(migrations))
		}
		if version == len(migrations) {
			return nil
		}
		for i, migration := range migrations[version:] {
			if err := migration(s, tx); err != nil {
				return fmt.Errorf("migrate %s to format %d: %w", s.path, version+i+1, err)
			}
		}
		if version > 0 {
			s.log.Info("accounts migrated", "file", s.path, "from", version, "to", len(migrations))
		}
		return tx.Bucket(bucketMeta).Put(metaVersion, number(uint64(len(migrations))))
	})
}

func versionOf(tx *bbolt.Tx) (int, error) {
	if meta := tx.Bucket(bucketMeta); meta != nil {
		if v := meta.Get(metaVersion); len(v) == 8 {
			return int(min(binary.BigEndian.Uint64(v), 1<<30)), nil
		}
		return 0, fmt.Errorf("its format cannot be told: it is damaged, or not a file of Hearth's accounts")
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return 0, fmt.Errorf("this bbolt file belongs to another program (it has a bucket %q)", name)
	}
	return 0, nil
}

// makeBuckets is the first migration.
func (s *Store) makeBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{
		bucketUsers, bucketByName, bucketByEmail, bucketByAlias, bucketByObject, bucketAdmins, bucketByRevision,
		bucketSessions, bucketSessionsOf, bucketRefresh, bucketRefreshOf, bucketCodes, bucketInvites, bucketMeta,
	} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("make bucket %s: %w", name, err)
		}
	}
	w := store.Settings{Name: "Hearth"}
	binary.BigEndian.PutUint32(w.ID[:], uint32(s.now().Unix()))
	if _, err := io.ReadFull(s.rand, w.ID[4:]); err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	return putSettings(tx, w)
}

// makeMails is the second migration.
func (s *Store) makeMails(tx *bbolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists(bucketMails); err != nil {
		return fmt.Errorf("make bucket %s: %w", bucketMails, err)
	}
	return nil
}

type settingsRecord struct {
	ID   store.ObjectID `json:"id"`
	Name string         `json:"name"`
}

func getSettings(tx *bbolt.Tx) (store.Settings, error) {
	var r settingsRecord
	if err := decode(tx.Bucket(bucketMeta).Get(metaSettings), &r); err != nil {
		return store.Settings{}, fmt.Errorf("settings: %w", err)
	}
	return store.Settings(r), nil
}

func putSettings(tx *bbolt.Tx, w store.Settings) error {
	value, err := encode(settingsRecord(w))
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(metaSettings, value)
}

// Settings returns what belongs to the workspace as a whole.
func (s *Store) Settings(ctx context.Context) (w store.Settings, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		w, err = getSettings(tx)
		return err
	})
	return w, err
}

// EditSettings changes the settings; the ID stays.
func (s *Store) EditSettings(ctx context.Context, edit func(*store.Settings) error) (w store.Settings, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		old, err := getSettings(tx)
		if err != nil {
			return err
		}
		w = old
		if err := edit(&w); err != nil {
			return err
		}
		if w.ID = old.ID; w == old {
			return nil
		}
		return putSettings(tx, w)
	})
	if err != nil {
		return store.Settings{}, err
	}
	return w, nil
}
