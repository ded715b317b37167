package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// A session remembers its newest spent refresh tokens, to notice one that is used again,
// and at most so many tokens in all: each use of a token within the grace makes another.
const (
	maxSpent  = 64
	maxTokens = 128
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

type refreshRecord struct {
	Session store.SessionID `json:"session"`
	Number  uint64          `json:"number"`
	Spent   int64           `json:"spent,omitempty"` // when first used
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
	return r, decode(value, &r)
}

func putRefresh(tx *bbolt.Tx, hash store.Hash, r refreshRecord) error {
	value, err := encode(r)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketRefresh).Put(hash[:], value); err != nil {
		return err
	}
	return tx.Bucket(bucketRefreshOf).Put(append(tokensOf(r.Session), number(r.Number)...), hash[:])
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
		return putRefresh(tx, refresh, refreshRecord{Session: n.ID, Number: r.Tokens})
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
	var reused bool
	var owner store.UserID
	err = s.batch(ctx, func(tx *bbolt.Tx) error {
		rotated, reused = store.Session{}, false
		token, err := getRefresh(tx, spent[:])
		if err != nil {
			return err
		}
		r, err := getSession(tx, token.Session)
		if errors.Is(err, store.ErrNotFound) || err == nil && !r.liveAt(now) {
			return errNoToken
		}
		if err != nil {
			return err
		}
		if token.Spent == 0 {
			token.Spent = toMillis(now)
		} else if now.Sub(fromMillis(token.Spent)) >= store.ReuseGrace {
			// Somebody has a copy. The end of the session must be committed, so this is no error yet.
			reused, owner = true, r.User
			return s.endSession(tx, token.Session, r)
		}
		if err := putRefresh(tx, spent, token); err != nil {
			return err
		}
		r.Tokens++
		r.ExpiresAt = toMillis(expires)
		if err := putRefresh(tx, next, refreshRecord{Session: token.Session, Number: r.Tokens}); err != nil {
			return err
		}
		rotated = r.session(token.Session)
		if err := putSession(tx, token.Session, r); err != nil {
			return err
		}
		return forgetTokens(tx, token.Session)
	})
	if err == nil && reused {
		s.log.Warn("a spent refresh token was used again, its session was ended", "user", owner)
		err = errNoToken
	}
	if err != nil {
		return store.Session{}, err
	}
	return rotated, nil
}

// forgetTokens removes the oldest spent tokens of a session, and the oldest of all, beyond
// what is kept.
func forgetTokens(tx *bbolt.Tx, id store.SessionID) error {
	type token struct {
		key, hash []byte
		spent     bool
	}
	var tokens []token
	spent := 0
	if err := eachKey(tx.Bucket(bucketRefreshOf), tokensOf(id), func(key, hash []byte) error {
		r, err := getRefresh(tx, hash)
		if err != nil {
			return fmt.Errorf("a token of a session: %w", err)
		}
		if r.Spent != 0 {
			spent++
		}
		tokens = append(tokens, token{bytes.Clone(key), bytes.Clone(hash), r.Spent != 0})
		return nil
	}); err != nil {
		return err
	}
	total := len(tokens)
	for _, t := range tokens {
		if total <= maxTokens && (spent <= maxSpent || !t.spent) {
			continue
		}
		if total--; t.spent {
			spent--
		}
		if err := errors.Join(tx.Bucket(bucketRefreshOf).Delete(t.key), tx.Bucket(bucketRefresh).Delete(t.hash)); err != nil {
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
	if err := eachKey(tx.Bucket(bucketRefreshOf), tokensOf(id), func(key, hash []byte) error {
		keys, hashes = append(keys, bytes.Clone(key)), append(hashes, bytes.Clone(hash))
		return nil
	}); err != nil {
		return err
	}
	for i := range keys {
		if err := errors.Join(tx.Bucket(bucketRefreshOf).Delete(keys[i]), tx.Bucket(bucketRefresh).Delete(hashes[i])); err != nil {
			return err
		}
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
