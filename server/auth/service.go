package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// How long things are good for unless Options say otherwise.
const (
	refreshTTL = 30 * 24 * time.Hour
	resetTTL   = time.Hour
	inviteTTL  = 7 * 24 * time.Hour
	verifyTTL  = 24 * time.Hour
)

// Options adjust a Service. The zero value lets anybody register.
type Options struct {
	Registration store.Registration // who may make an account; empty means open
	RefreshTTL   time.Duration      // life of a session that is not used; 0 means 30 days
	NoRates      bool               // HEARTH_LIMITS=off: see ThrottleOptions
	Mail         Postbox            // nil: no mail is sent, and nobody waits for any
	Now          func() time.Time   // nil means time.Now
	Rand         io.Reader          // nil means crypto/rand
}

// Service is the sign-in business: who gets an account, a session, a new password.
type Service struct {
	accounts  store.Accounts
	keys      *Keys
	passwords *Passwords
	throttle  *Throttle
	options   Options
}

// New returns the service for the accounts of one workspace.
func New(accounts store.Accounts, keys *Keys, passwords *Passwords, o Options) *Service {
	o.Registration = cmp.Or(o.Registration, store.RegistrationOpen)
	o.RefreshTTL = cmp.Or(o.RefreshTTL, refreshTTL)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Service{
		accounts: accounts, keys: keys, passwords: passwords, options: o,
		throttle: NewThrottle(ThrottleOptions{NoRates: o.NoRates, Now: o.Now}),
	}
}

// Registration says who may make an account.
func (s *Service) Registration() store.Registration { return s.options.Registration }

// Viewer is who is asking.
type Viewer struct {
	User    store.User
	Session store.SessionID
}

// SignIn is what a person who signed in gets.
type SignIn struct {
	User    store.User
	Session store.Session
	Access  string // access token, minutes
	Refresh string // refresh token, works once
}

// Authenticate returns who holds an access token: it is valid, its session lives and its
// account is active, else ErrUnauthorized.
func (s *Service) Authenticate(ctx context.Context, access string) (Viewer, error) {
	claims, err := s.keys.Parse(access)
	if err != nil {
		return Viewer{}, err
	}
	session, err := s.accounts.Session(ctx, claims.Session, s.options.Now())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Viewer{}, errSessionEnded
	case err != nil:
		return Viewer{}, fmt.Errorf("look up a session: %w", err)
	case session.User != claims.User:
		return Viewer{}, errTokenInvalid
	}
	user, err := s.active(ctx, session.User)
	if err != nil {
		return Viewer{}, err
	}
	return Viewer{User: user, Session: session.ID}, nil
}

// active returns an account that may use its sessions, else errSessionEnded.
func (s *Service) active(ctx context.Context, id store.UserID) (store.User, error) {
	user, err := s.accounts.User(ctx, id)
	if err == nil && user.Active && !user.Closed {
		return user, nil
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		err = errSessionEnded
	}
	return store.User{}, err
}

// Login opens a session for whoever knows the password. login is a username or an e-mail
// address. Everything that is wrong with the two is the same ErrUnauthorized, in the same
// time; its Details say how many tries are left. ErrLimited while guessing pauses.
// ErrForbidden with the Code "email_unverified", and a new mail, for whoever knows the
// password of an account that waits for its address to be verified. cookie says that the
// refresh token will travel in cookies only.
func (s *Service) Login(ctx context.Context, login, password string, cookie bool, addr netip.Addr) (SignIn, error) {
	if err := s.throttle.Rate(addr); err != nil {
		return SignIn{}, err
	}
	user, err := s.find(ctx, login)
	if err != nil {
		return SignIn{}, err
	}
	attempt, err := s.throttle.Begin(accountKey(user.ID, login), addr)
	if err != nil {
		return SignIn{}, err
	}
	hash := user.PasswordHash
	if !user.CanSignIn() {
		hash = ""
	}
	ok, err := s.passwords.Verify(ctx, hash, password)
	if err != nil {
		attempt.Void()
		return SignIn{}, err
	}
	if !ok {
		return SignIn{}, errCredentials(attempt.Failed())
	}
	attempt.Succeeded()
	if s.awaits(user) {
		s.post(ctx, store.PurposeVerify, user.ID, user.Email)
		return SignIn{}, errUnverified
	}
	if s.passwords.NeedsRehash(hash) {
		if user, err = s.rehash(ctx, user, password); err != nil {
			return SignIn{}, err
		}
	}
	return s.openChecked(ctx, user, cookie)
}

// openChecked opens a session for who knew user's password. A password that was changed
// while bcrypt ran has ended the sessions there were, so this one has to go as well.
func (s *Service) openChecked(ctx context.Context, user store.User, cookie bool) (SignIn, error) {
	signIn, err := s.open(ctx, user, cookie)
	if err != nil {
		return SignIn{}, err
	}
	present, err := s.accounts.User(ctx, user.ID)
	if err == nil && present.CanSignIn() && present.PasswordHash == user.PasswordHash {
		return signIn, nil
	}
	if err == nil {
		err = errCredentials("")
	}
	return SignIn{}, errors.Join(err, s.accounts.EndSession(ctx, signIn.Session.ID))
}

// find returns the account of a username or an address; one without ID if there is none.
func (s *Service) find(ctx context.Context, login string) (store.User, error) {
	if login == "" || len(login) > maxLogin {
		return store.User{}, nil
	}
	// Only imported names hold an "@", and they must not stand before somebody's address.
	user, err := store.User{}, error(store.ErrNotFound)
	if strings.Contains(login, "@") {
		user, err = s.accounts.UserByEmail(ctx, login)
	}
	if errors.Is(err, store.ErrNotFound) {
		user, err = s.accounts.UserByName(ctx, login)
	}
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil
	}
	if err != nil {
		return store.User{}, fmt.Errorf("look up an account: %w", err)
	}
	return user, nil
}

// maxLogin is more bytes than any username (100 characters) or address has.
const maxLogin = 400

// accountKey names an account to the throttle: whoever signs in by name and by address in
// turn gets no more tries, and names nobody has are counted like others.
func accountKey(id store.UserID, login string) string {
	if id != 0 {
		return "account " + id.String()
	}
	if len(login) > maxLogin {
		login = login[:maxLogin]
	}
	return "nobody " + store.Fold(login)
}

// rehash replaces a hash that has become too cheap. A password beyond the rule for new
// ones keeps its hash.
func (s *Service) rehash(ctx context.Context, user store.User, password string) (store.User, error) {
	if len(password) > store.MaxPassword {
		return user, nil
	}
	hash, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return user, err
	}
	edited, err := s.accounts.EditUser(ctx, user.ID, func(u *store.User) error {
		if u.PasswordHash == user.PasswordHash {
			u.PasswordHash = hash
		}
		return nil
	})
	if err != nil || edited.PasswordHash == hash {
		return edited, err
	}
	// Somebody was faster: another sign-in like this one, or a new password.
	ok, err := s.passwords.Verify(ctx, edited.PasswordHash, password)
	if err == nil && !ok {
		err = errCredentials("")
	}
	return edited, err
}

// open starts a session.
func (s *Service) open(ctx context.Context, user store.User, cookie bool) (SignIn, error) {
	id, err := randomHex(s.options.Rand, 16)
	if err != nil {
		return SignIn{}, err
	}
	refresh, err := s.secret()
	if err != nil {
		return SignIn{}, err
	}
	now := store.Truncate(s.options.Now())
	session := store.Session{ID: store.SessionID(id), User: user.ID, CreatedAt: now, ExpiresAt: now.Add(s.options.RefreshTTL), Cookie: cookie}
	if err := s.accounts.OpenSession(ctx, session, hashOf(refresh)); err != nil {
		return SignIn{}, fmt.Errorf("open a session: %w", err)
	}
	user.LastLogin = now
	access, err := s.keys.Issue(user, session.ID)
	if err != nil {
		return SignIn{}, err
	}
	return SignIn{User: user, Session: session, Access: access, Refresh: refresh}, nil
}

// Refresh spends a refresh token and returns the next pair. One that was spent less than
// ten seconds ago gives a further pair of the same session; one spent earlier ends the
// session. Everything that is wrong is ErrUnauthorized. Session.Cookie says whether the
// new refresh token may travel in a cookie only.
func (s *Service) Refresh(ctx context.Context, refresh string) (SignIn, error) {
	next, err := s.secret()
	if err != nil {
		return SignIn{}, err
	}
	now := store.Truncate(s.options.Now())
	session, err := s.accounts.RotateSession(ctx, hashOf(refresh), hashOf(next), now, now.Add(s.options.RefreshTTL))
	if errors.Is(err, store.ErrUnauthorized) || errors.Is(err, store.ErrNotFound) {
		return SignIn{}, errRefresh
	}
	if err != nil {
		return SignIn{}, fmt.Errorf("rotate a session: %w", err)
	}
	user, err := s.active(ctx, session.User)
	if err != nil {
		if errors.Is(err, store.ErrUnauthorized) {
			err = errors.Join(err, s.accounts.EndSession(ctx, session.ID))
		}
		return SignIn{}, err
	}
	access, err := s.keys.Issue(user, session.ID)
	if err != nil {
		return SignIn{}, err
	}
	return SignIn{User: user, Session: session, Access: access, Refresh: next}, nil
}

// Logout ends the sessions of an access token, a refresh token or both; either may be
// empty. Ending what has ended is no error. When neither is good for anything it is
// ErrUnauthorized.
func (s *Service) Logout(ctx context.Context, access, refresh string) error {
	claims, invalid := s.keys.Parse(access)
	if invalid == nil {
		if err := s.accounts.EndSession(ctx, claims.Session); err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
	}
	if refresh == "" {
		return invalid
	}
	session, err := s.accounts.SessionByRefresh(ctx, hashOf(refresh), s.options.Now())
	if errors.Is(err, store.ErrUnauthorized) || errors.Is(err, store.ErrNotFound) {
		if invalid != nil {
			return errRefresh
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up a session: %w", err)
	}
	if err := s.accounts.EndSession(ctx, session.ID); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// secret returns 256 random bits as text.
func (s *Service) secret() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.options.Rand, b[:]); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// hashOf is what is stored of a secret. Secrets of 256 bits need no slow hash.
func hashOf(secret string) store.Hash { return sha256.Sum256([]byte(secret)) }
