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

// Problem is something that ought to be otherwise.
type Problem struct {
	What  string // what is wrong, a sentence without a full stop
	Where string // bucket and key
}

// Verify reads everything and reports each thing that does not fit: pages, records,
// indexes in both directions, revisions, sessions and their tokens, codes, mails. It changes
// nothing. The error is about reading itself; without one, everything was looked at.
func (s *Store) Verify(ctx context.Context, report func(Problem)) error {
	if err := s.checkPages(func(why string) error {
		report(Problem{What: why, Where: "pages"})
		return nil
	}); err != nil {
		return err
	}
	return s.view(ctx, func(tx *bbolt.Tx) error {
		v := &verifier{ctx: ctx, s: s, tx: tx, report: report, users: make(map[store.UserID]account)}
		for _, part := range []func() error{
			v.meta, v.accounts, v.indexes, v.revisions, v.sessions, v.sessionsOf, v.refresh, v.refreshOf, v.codes, v.invites, v.mails,
		} {
			if err := part(); err != nil {
				return err
			}
		}
		return nil
	})
}

type verifier struct {
	ctx    context.Context
	s      *Store
	tx     *bbolt.Tx
	report func(Problem)
	users  map[store.UserID]account
}

func (v *verifier) wrong(bucket, key []byte, format string, args ...any) {
	v.report(Problem{What: fmt.Sprintf(format, args...), Where: fmt.Sprintf("%s %s", bucket, readable(key))})
}

// readable shows text as text and numbers as numbers.
func readable(key []byte) string {
	if len(key) == 8 && key[0] == 0 {
		return fmt.Sprint(binary.BigEndian.Uint64(key))
	}
	for _, b := range key {
		if b < ' ' || b == 0x7f {
			return fmt.Sprintf("%x", key)
		}
	}
	return fmt.Sprintf("%q", key)
}

// each calls f for everything in a bucket.
func (v *verifier) each(bucket []byte, f func(key, value []byte) error) error {
	b := v.tx.Bucket(bucket)
	if b == nil {
		v.wrong(bucket, nil, "the bucket is not there")
		return nil
	}
	return eachKey(b, nil, func(key, value []byte) error {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		return f(key, value)
	})
}

// get returns what is under a key, also when there is no bucket.
func (v *verifier) get(bucket, key []byte) []byte {
	if b := v.tx.Bucket(bucket); b != nil {
		return b.Get(key)
	}
	return nil
}

func (v *verifier) meta() error {
	if _, err := getSettings(v.tx); err != nil {
		v.wrong(bucketMeta, metaSettings, "the settings cannot be read: %v", err)
	}
	if code, settled := setupState(v.tx); settled && code != "" {
		v.wrong(bucketMeta, metaSetupCode, "there is a setup code, but it was spent")
	}
	return nil
}

func (v *verifier) accounts() error {
	return v.each(bucketUsers, func(key, value []byte) error {
		id := userOf(key)
		a, err := decodeAccount(id, value)
		if err == nil && (len(key) != 8 || id <= 0) {
			err = errors.New("it has no number")
		}
		if err != nil {
			v.wrong(bucketUsers, key, "the account cannot be read: %v", err)
			return nil
		}
		v.users[id] = a
		if uint64(id) > v.tx.Bucket(bucketUsers).Sequence() {
			v.wrong(bucketUsers, key, "the number of this account would be given to another")
		}
		for _, i := range indexes {
			if k := i.key(v.s, a.User); k != nil && !bytes.Equal(v.get(i.bucket, k), key) {
				v.wrong(i.bucket, k, "does not lead to account %d", id)
			}
		}
		if !bytes.Equal(v.get(bucketByRevision, number(uint64(a.edited))), append(userKey(id), 1)) {
			v.wrong(bucketUsers, key, "the newest edit, %d, is not among the changes", a.edited)
		}
		if a.ended != 0 && !bytes.Equal(v.get(bucketByRevision, number(uint64(a.ended))), append(userKey(id), 0)) {
			v.wrong(bucketUsers, key, "the newest end of a session, %d, is not among the changes", a.ended)
		}
		return nil
	})
}

func (v *verifier) indexes() error {
	for _, i := range indexes {
		if err := v.each(i.bucket, func(key, value []byte) error {
			a, ok := v.users[userOf(value)]
			switch {
			case !ok:
				v.wrong(i.bucket, key, "leads to account %d, which is not there", userOf(value))
			case !bytes.Equal(i.key(v.s, a.User), key):
				v.wrong(i.bucket, key, "leads to account %d, which is not called that", a.ID)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) revisions() error {
	return v.each(bucketByRevision, func(key, value []byte) error {
		if len(key) != 8 || len(value) != 9 {
			v.wrong(bucketByRevision, key, "the change cannot be read")
			return nil
		}
		revision := store.Revision(binary.BigEndian.Uint64(key))
		a, ok := v.users[userOf(value)]
		switch {
		case !ok:
			v.wrong(bucketByRevision, key, "a change of account %d, which is not there", userOf(value))
		case value[8] == 1 && a.edited != revision || value[8] != 1 && a.ended != revision:
			v.wrong(bucketByRevision, key, "a change of account %d, which knows nothing of it", a.ID)
		}
		if uint64(revision) > v.tx.Bucket(bucketByRevision).Sequence() {
			v.wrong(bucketByRevision, key, "the number of this change would be given to another")
		}
		return nil
	})
}

func (v *verifier) sessions() error {
	return v.each(bucketSessions, func(key, value []byte) error {
		var r sessionRecord
		if err := decode(value, &r); err != nil {
			v.wrong(bucketSessions, key, "the session cannot be read: %v", err)
			return nil
		}
		if _, ok := v.users[r.User]; !ok {
			v.wrong(bucketSessions, key, "a session of account %d, which is not there", r.User)
		}
		if v.get(bucketSessionsOf, sessionOfKey(r.User, store.SessionID(key))) == nil {
			v.wrong(bucketSessions, key, "the session is not among those of account %d", r.User)
		}
		return nil
	})
}

func (v *verifier) sessionsOf() error {
	return v.each(bucketSessionsOf, func(key, _ []byte) error {
		user := userOf(key)
		if len(key) <= 8 {
			v.wrong(bucketSessionsOf, key, "names no session")
			return nil
		}
		r, err := getSession(v.tx, store.SessionID(key[8:]))
		if err != nil || r.User != user {
			v.wrong(bucketSessionsOf, key[8:], "account %d has no such session", user)
		}
		return nil
	})
}

func (v *verifier) refresh() error {
	return v.each(bucketRefresh, func(key, _ []byte) error {
		r, err := getRefresh(v.tx, key)
		if err != nil {
			v.wrong(bucketRefresh, key, "the refresh token cannot be read: %v", err)
			return nil
		}
		session, err := getSession(v.tx, r.Session)
		switch {
		case err != nil:
			v.wrong(bucketRefresh, key, "a refresh token of session %q, which is not there", r.Session)
		case r.Number == 0 || r.Number > session.Tokens:
			v.wrong(bucketRefresh, key, "refresh token %d of a session that handed out %d", r.Number, session.Tokens)
		}
		if !bytes.HasPrefix(v.get(bucketRefreshOf, tokenKey(r.Session, r.Number)), key) {
			v.wrong(bucketRefresh, key, "the refresh token is not among those of session %q", r.Session)
		}
		return nil
	})
}

func (v *verifier) refreshOf() error {
	return v.each(bucketRefreshOf, func(key, value []byte) error {
		_, hash, _, err := readTokenOf(key, value)
		if err != nil {
			v.wrong(bucketRefreshOf, key, "the entry cannot be read")
			return nil
		}
		if r, err := getRefresh(v.tx, hash); err != nil || !bytes.Equal(tokenKey(r.Session, r.Number), key) {
			v.wrong(bucketRefreshOf, key, "leads to no refresh token of this session")
		}
		return nil
	})
}

func (v *verifier) codes() error {
	return v.each(bucketCodes, func(key, value []byte) error {
		var r codeRecord
		if err := decode(value, &r); err != nil {
			v.wrong(bucketCodes, key, "the code cannot be read: %v", err)
		} else if _, ok := v.users[r.User]; !ok {
			v.wrong(bucketCodes, key, "a code for account %d, which is not there", r.User)
		}
		return nil
	})
}

func (v *verifier) invites() error {
	return v.each(bucketInvites, func(key, value []byte) error {
		var r inviteRecord
		if err := decode(value, &r); err != nil {
			v.wrong(bucketInvites, key, "the invite cannot be read: %v", err)
		}
		return nil
	})
}

func (v *verifier) mails() error {
	return v.each(bucketMails, func(key, value []byte) error {
		m, err := decodeMail(key, value)
		if err != nil {
			v.wrong(bucketMails, key, "the mail cannot be read: %v", err)
		} else if m.ID > v.tx.Bucket(bucketMails).Sequence() {
			v.wrong(bucketMails, key, "the number of this mail would be given to another")
		}
		return nil
	})
}
