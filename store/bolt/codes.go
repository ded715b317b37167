package bolt

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

type codeRecord struct {
	Purpose store.Purpose `json:"purpose"`
	User    store.UserID  `json:"user"`
	Email   string        `json:"email,omitempty"`
	Expires int64         `json:"expires"`
}

type inviteRecord struct {
	By      store.UserID `json:"by"`
	Room    store.RoomID `json:"room,omitempty"`
	Expires int64        `json:"expires"`
}

var (
	errNoCode   = &store.Fault{Kind: store.ErrNotFound, Code: "code_not_found", Text: "Code not found"}
	errNoInvite = &store.Fault{Kind: store.ErrNotFound, Code: "invite_not_found", Text: "Invite not found"}
	errNoSetup  = store.Forbidden("wrong_setup_code", "This setup code is wrong or was used already")
)

// AddCode keeps a code.
func (s *Store) AddCode(ctx context.Context, c store.Code) error {
	return s.batch(ctx, func(tx *bbolt.Tx) error {
		if _, err := load(tx, c.User); err != nil {
			return err
		}
		value, err := encode(codeRecord{c.Purpose, c.User, c.Email, toMillis(c.Expires)})
		if err != nil {
			return err
		}
		return tx.Bucket(bucketCodes).Put(c.Hash[:], value)
	})
}

// TakeCode spends a code.
func (s *Store) TakeCode(ctx context.Context, hash store.Hash, purpose store.Purpose, now time.Time) (c store.Code, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		codes := tx.Bucket(bucketCodes)
		value := codes.Get(hash[:])
		if value == nil {
			return errNoCode
		}
		var r codeRecord
		if err := decode(value, &r); err != nil {
			return err
		}
		if r.Purpose != purpose || !now.Before(fromMillis(r.Expires)) {
			return errNoCode
		}
		c = store.Code{Hash: hash, Purpose: r.Purpose, User: r.User, Email: r.Email, Expires: fromMillis(r.Expires)}
		return codes.Delete(hash[:])
	})
	if err != nil {
		return store.Code{}, err
	}
	return c, nil
}

// AddInvite keeps an invite, and forgets those that have expired.
func (s *Store) AddInvite(ctx context.Context, i store.Invite) error {
	if i.Code == "" {
		return store.Invalid("invite", "must have a code")
	}
	return s.update(ctx, func(tx *bbolt.Tx) error {
		invites := tx.Bucket(bucketInvites)
		var old [][]byte
		if err := eachKey(invites, nil, func(code, value []byte) error {
			var r inviteRecord
			if err := decode(value, &r); err != nil {
				return err
			}
			if fromMillis(r.Expires).Before(s.now()) {
				old = append(old, bytes.Clone(code))
			}
			return nil
		}); err != nil {
			return err
		}
		for _, code := range old {
			if err := invites.Delete(code); err != nil {
				return err
			}
		}
		value, err := encode(inviteRecord{i.By, i.Room, toMillis(i.Expires)})
		if err != nil {
			return err
		}
		return invites.Put([]byte(i.Code), value)
	})
}

// Invite returns an invite that is valid now.
func (s *Store) Invite(ctx context.Context, code string, now time.Time) (i store.Invite, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		i, err = getInvite(tx, code, now)
		return err
	})
	return i, err
}

func getInvite(tx *bbolt.Tx, code string, now time.Time) (store.Invite, error) {
	value := tx.Bucket(bucketInvites).Get([]byte(code))
	if value == nil {
		return store.Invite{}, errNoInvite
	}
	var r inviteRecord
	if err := decode(value, &r); err != nil {
		return store.Invite{}, err
	}
	if !now.Before(fromMillis(r.Expires)) {
		return store.Invite{}, errNoInvite
	}
	return store.Invite{Code: code, By: r.By, Room: r.Room, Expires: fromMillis(r.Expires)}, nil
}

// setupAlphabet has no letters that are mistaken for others.
var setupAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// SetupCode returns the code that makes the first administrator: 160 random bits in
// groups of four characters. It is kept readable, to be shown again, until it is of no use.
func (s *Store) SetupCode(ctx context.Context) (code string, err error) {
	settled := false
	if err := s.view(ctx, func(tx *bbolt.Tx) error {
		code, settled = setupState(tx)
		return nil
	}); err != nil || settled || code != "" {
		return code, err
	}
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		if code, settled = setupState(tx); settled || code != "" {
			return nil
		}
		var random [20]byte
		if _, err := io.ReadFull(s.rand, random[:]); err != nil {
			return fmt.Errorf("read random bytes: %w", err)
		}
		var groups []string
		for text := setupAlphabet.EncodeToString(random[:]); text != ""; text = text[4:] {
			groups = append(groups, text[:4])
		}
		code = strings.Join(groups, "-")
		return tx.Bucket(bucketMeta).Put(metaSetupCode, []byte(code))
	})
	return code, err
}

// setupState returns the setup code, if there is one yet, and whether none is needed.
func setupState(tx *bbolt.Tx) (code string, settled bool) {
	meta := tx.Bucket(bucketMeta)
	return string(meta.Get(metaSetupCode)), meta.Get(metaSetupDone) != nil
}

// takeSetupCode spends the setup code.
func takeSetupCode(tx *bbolt.Tx, code string) error {
	want, settled := setupState(tx)
	if settled || want == "" || subtle.ConstantTimeCompare([]byte(code), []byte(want)) != 1 {
		return errNoSetup
	}
	return endSetup(tx)
}

// endSetup removes the setup code.
func endSetup(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta.Get(metaSetupDone) != nil {
		return nil
	}
	if err := meta.Delete(metaSetupCode); err != nil {
		return err
	}
	return meta.Put(metaSetupDone, []byte{1})
}
