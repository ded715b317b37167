package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// A session remembers every refresh token until that would have expired, and its newest
// ones in any case: a spent token that comes back means that somebody has a copy, however
// long ago it was and however often the other one refreshed since. One that handed out
// more than can be remembered is ended, for then nobody could tell.
const (
	keptTokens = 64
	maxTokens  = 10_000
	// forgetAtOnce bounds what one rotation cleans up.
	forgetAtOnce = 8
)

type sessionRecord struct {
	User      store.UserID `json:"user"`
	CreatedAt int64        `json:"created_at"`
	ExpiresAt int64        `json:"expires_at"`
	Cookie    bool         `json:"cookie,omitempty"`
	Tokens    uint64       `json:"tokens"` // handed out so far
}

func (r sessionRecord) session(id store.SessionID) store.Session {
	return store.Session{ID: id, User: r.User, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: fromMillis(r.ExpiresAt), Cookie: r.Cookie}
}

func (r sessionRecord) liveAt(now time.Time) bool { return now.Before(fromMillis(r.ExpiresAt)) }

// refreshRecord is what is kept under the hash of a token. There are many, so they are
// binary: number, when spent, session.
type refreshRecord struct {
	Session store.SessionID
	Number  uint64
	Spent   int64 // when first used, 0: not yet
}

var (
	errNoSession = &store.Fault{Kind: store.ErrNotFound, Code: "session_not_found", Text: "Session not found"}
	errNoToken   = &store.Fault{Kind: store.ErrUnauthorized, Code: "refresh_token_invalid", Text: "Invalid refresh token"}
)

func getSession(tx *bbolt.Tx, id store.SessionID) (r sessionRecord, err error) {
	value := tx.Bucket(bucketSessions).Get([]byte(id))
	if value == nil {
		return r, errNoSession
	}
	return r, decode(value, &r)
}

func putSession(tx *bbolt.Tx, id store.SessionID, r sessionRecord) error {
	value, err := encode(r)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketSessions).Put([]byte(id), value)
}

func getRefresh(tx *bbolt.Tx, hash []byte) (r refreshRecord, err error) {
	value := tx.Bucket(bucketRefresh).Get(hash)
	if value == nil {
		return r, errNoToken
	}
	if len(value) <= 17 || value[0] != formatToken {
		return r, errFormat
	}
	return refreshRecord{
		Number: binary.BigEndian.Uint64(value[1:]), Spent: int64(binary.BigEndian.Uint64(value[9:])), Session: store.SessionID(value[17:]),
	}, nil
}

func putRefresh(tx *bbolt.Tx, hash store.Hash, r refreshRecord) error {
	value := binary.BigEndian.AppendUint64([]byte{formatToken}, r.Number)
	value = binary.BigEndian.AppendUint64(value, uint64(r.Spent))
	return tx.Bucket(bucketRefresh).Put(hash[:], append(value, r.Session...))
}

// handOut stores a new token, which expires with its session as that is now.
func handOut(tx *bbolt.Tx, id store.SessionID, r sessionRecord, hash store.Hash) error {
	if err := putRefresh(tx, hash, refreshRecord{Session: id, Number: r.Tokens}); err != nil {
		return err
	}
	value := binary.BigEndian.AppendUint64(bytes.Clone(hash[:]), uint64(r.ExpiresAt))
	return tx.Bucket(bucketRefreshOf).Put(tokenKey(id, r.Tokens), value)
}

// tokenKey is where a session lists one of its tokens; readTokenOf reads what is there.
func tokenKey(id store.SessionID, n uint64) []byte { return append(tokensOf(id), number(n)...) }

func readTokenOf(key, value []byte) (n uint64, hash []byte, expires time.Time, err error) {
	if len(key) < 9 || len(value) != 40 {
		return 0, nil, time.Time{}, errFormat
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]), value[:32], fromMillis(int64(binary.BigEndian.Uint64(value[32:]))), nil
}

// tokensOf is what the keys of a session's tokens begin with.
func tokensOf(id store.SessionID) []byte { return append([]byte(id), 0) }

func sessionOfKey(user store.UserID, id store.SessionID) []byte {
	return append(userKey(user), id...)
}

// OpenSession stores a session with its first refresh token.
func (s *Store) OpenSession(ctx context.Context, n store.Session, refresh store.Hash) error {
	return s.batch(ctx, func(tx *bbolt.Tx) error {
		if n.ID == "" || bytes.IndexByte([]byte(n.ID), 0) >= 0 {
			return store.Invalid("session", "must be 32 hexadecimal digits")
		}
		if tx.Bucket(bucketSessions).Get([]byte(n.ID)) != nil {
			return store.Conflict("session_taken", "This session is open already", "")
		}
		a, err := load(tx, n.User)
		if err != nil {
			return err
		}
		a.LastLogin = store.Truncate(n.CreatedAt)
		if err := s.put(tx, a); err != nil {
			return err
		}
		r := sessionRecord{User: n.User, CreatedAt: toMillis(n.CreatedAt), ExpiresAt: toMillis(n.ExpiresAt), Cookie: n.Cookie, Tokens: 1}
		if err := putSession(tx, n.ID, r); err != nil {
			return err
		}
		if err := tx.Bucket(bucketSessionsOf).Put(sessionOfKey(n.User, n.ID), nil); err != nil {
			return err
		}
		return handOut(tx, n.ID, r, refresh)
	})
}

// Session returns a live session.
func (s *Store) Session(ctx context.Context, id store.SessionID, now time.Time) (found store.Session, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		found, err = liveSession(tx, id, now)
		return err
	})
	return found, err
}

func liveSession(tx *bbolt.Tx, id store.SessionID, now time.Time) (store.Session, error) {
	r, err := getSession(tx, id)
	if err == nil && !r.liveAt(now) {
		err = errNoSession
	}
	if err != nil {
		return store.Session{}, err
	}
	return r.session(id), nil
}

// SessionByRefresh returns the live session of a refresh token; ErrNotFound if there is none.
func (s *Store) SessionByRefresh(ctx context.Context, refresh store.Hash, now time.Time) (found store.Session, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		r, err := getRefresh(tx, refresh[:])
		if errors.Is(err, store.ErrUnauthorized) {
			return errNoSession
		}
		if err != nil {
			return err
		}
		found, err = liveSession(tx, r.Session, now)
		return err
	})
	return found, err
}

// RotateSession spends a refresh token and stores the next one.
func (s *Store) RotateSession(ctx context.Context, spent, next store.Hash, now, expires time.Time) (rotated store.Session, err error) {
	now = store.Truncate(now)
	var why string // the session had to be ended, which must be committed and so is no error inside
	err = s.batch(ctx, func(tx *bbolt.Tx) error {
		rotated, why = store.Session{}, ""
		token, err := getRefresh(tx, spent[:])
		if err != nil {
			return err
		}
		id := token.Session
		r, err := getSession(tx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !r.liveAt(now) {
			return errNoToken
		}
		if err != nil {
			return err
		}
		if token.Spent != 0 && now.Sub(fromMillis(token.Spent)) >= store.ReuseGrace {
			why = "a spent refresh token was used again"
			return s.endSession(tx, id, r)
		}
		if token.Spent == 0 {
			token.Spent = toMillis(now)
			if err := putRefresh(tx, spent, token); err != nil {
				return err
			}
		}
		r.Tokens++
		r.ExpiresAt = toMillis(expires)
		remembered, err := forgetTokens(tx, id, r.Tokens, now)
		if err != nil {
			return err
		}
		if remembered > maxTokens {
			why = "it handed out more refresh tokens than can be remembered"
			return s.endSession(tx, id, r)
		}
		rotated = r.session(id)
		return errors.Join(handOut(tx, id, r, next), putSession(tx, id, r))
	})
	if err == nil && why != "" {
		s.log.Warn("session ended", "why", why)
		err = errNoToken
	}
	if err != nil {
		return store.Session{}, err
	}
	return rotated, nil
}

// forgetTokens removes tokens that have expired, oldest first, from a session that hands
// out number newest. It returns how many numbers there are from the oldest one kept.
func forgetTokens(tx *bbolt.Tx, id store.SessionID, newest uint64, now time.Time) (remembered uint64, err error) {
	var keys, hashes [][]byte
	c := tx.Bucket(bucketRefreshOf).Cursor()
	for key, value := c.Seek(tokensOf(id)); bytes.HasPrefix(key, tokensOf(id)); key, value = c.Next() {
		n, hash, expires, err := readTokenOf(key, value)
		if err != nil {
			return 0, err
		}
		remembered = newest - n + 1
		if remembered <= keptTokens || now.Before(expires) || len(keys) == forgetAtOnce {
			break
		}
		keys, hashes = append(keys, bytes.Clone(key)), append(hashes, bytes.Clone(hash))
	}
	return remembered, removeTokens(tx, keys, hashes)
}

func removeTokens(tx *bbolt.Tx, keys, hashes [][]byte) error {
	for i := range keys {
		if err := errors.Join(tx.Bucket(bucketRefreshOf).Delete(keys[i]), tx.Bucket(bucketRefresh).Delete(hashes[i])); err != nil {
			return err
		}
	}
	return nil
}

// eachKey calls f for the keys that begin with prefix. f must not change the bucket; what
// it gets is gone after it returns.
func eachKey(b *bbolt.Bucket, prefix []byte, f func(key, value []byte) error) error {
	c := b.Cursor()
	for key, value := c.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, value = c.Next() {
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// removeSession removes a session and its tokens.
func removeSession(tx *bbolt.Tx, id store.SessionID, user store.UserID) error {
	var keys, hashes [][]byte
	if err := eachKey(tx.Bucket(bucketRefreshOf), tokensOf(id), func(key, value []byte) error {
		_, hash, _, err := readTokenOf(key, value)
		if err != nil {
			return err
		}
		keys, hashes = append(keys, bytes.Clone(key)), append(hashes, bytes.Clone(hash))
		return nil
	}); err != nil {
		return err
	}
	if err := removeTokens(tx, keys, hashes); err != nil {
		return err
	}
	return errors.Join(tx.Bucket(bucketSessions).Delete([]byte(id)), tx.Bucket(bucketSessionsOf).Delete(sessionOfKey(user, id)))
}

// endSession removes a session and reports it.
func (s *Store) endSession(tx *bbolt.Tx, id store.SessionID, r sessionRecord) error {
	if err := removeSession(tx, id, r.User); err != nil {
		return err
	}
	return s.reportEnd(tx, r.User)
}

// reportEnd notes that sessions of an account ended.
func (s *Store) reportEnd(tx *bbolt.Tx, user store.UserID) error {
	a, err := load(tx, user)
	if err != nil {
		return err
	}
	if a.ended, err = revise(tx, user, a.ended, false); err != nil {
		return err
	}
	return s.put(tx, a)
}

// EndSession ends one session.
func (s *Store) EndSession(ctx context.Context, id store.SessionID) error {
	return s.batch(ctx, func(tx *bbolt.Tx) error {
		r, err := getSession(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.endSession(tx, id, r)
	})
}

// EndSessions ends all sessions of a person but one.
func (s *Store) EndSessions(ctx context.Context, user store.UserID, except store.SessionID) error {
	return s.batch(ctx, func(tx *bbolt.Tx) error {
		var ids []store.SessionID
		if err := eachKey(tx.Bucket(bucketSessionsOf), userKey(user), func(key, _ []byte) error {
			if id := store.SessionID(key[8:]); id != except {
				ids = append(ids, id)
			}
			return nil
		}); err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := removeSession(tx, id, user); err != nil {
				return err
			}
		}
		return s.reportEnd(tx, user)
	})
}

// SweepSessions removes what expired. Sockets outlive access tokens, so the end of
// expired sessions is reported too.
func (s *Store) SweepSessions(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	sessions, codes, err := s.expired(ctx, now, limit)
	if err != nil || len(sessions)+len(codes) == 0 {
		return 0, err
	}
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		removed = 0
		people := make(map[store.UserID]bool)
		for _, id := range sessions {
			r, err := getSession(tx, id)
			if errors.Is(err, store.ErrNotFound) || err == nil && !fromMillis(r.ExpiresAt).Before(now) {
				continue // ended or refreshed since it was found
			}
			if err != nil {
				return err
			}
			if err := removeSession(tx, id, r.User); err != nil {
				return err
			}
			if removed++; !people[r.User] {
				people[r.User] = true
				if err := s.reportEnd(tx, r.User); err != nil {
					return err
				}
			}
		}
		for _, hash := range codes {
			if tx.Bucket(bucketCodes).Get(hash) != nil {
				removed++
			}
			if err := tx.Bucket(bucketCodes).Delete(hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// expired finds what SweepSessions removes, without keeping writers waiting.
func (s *Store) expired(ctx context.Context, now time.Time, limit int) (sessions []store.SessionID, codes [][]byte, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketSessions).Cursor()
		for key, value := c.First(); key != nil && len(sessions) < limit; key, value = c.Next() {
			var r sessionRecord
			if err := decode(value, &r); err != nil {
				return fmt.Errorf("a session: %w", err)
			}
			if fromMillis(r.ExpiresAt).Before(now) {
				sessions = append(sessions, store.SessionID(key))
			}
		}
		c = tx.Bucket(bucketCodes).Cursor()
		for key, value := c.First(); key != nil && len(codes) < limit; key, value = c.Next() {
			var r codeRecord
			if err := decode(value, &r); err != nil {
				return fmt.Errorf("a code: %w", err)
			}
			if fromMillis(r.Expires).Before(now) {
				codes = append(codes, bytes.Clone(key))
			}
		}
		return nil
	})
	return sessions, codes, err
}
