package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"

	"github.com/hearthchat/hearth/store"
)

// maxRealName bounds first and last names, in code points.
const maxRealName = 50

// NewAccount is what a person fills in to register.
type NewAccount struct {
	Username  string
	Email     string
	Password  string
	FirstName string
	LastName  string
	SetupCode string // makes the first administrator, however registration is set
	Invite    string // a code from MakeInvite
	Cookie    bool   // the refresh token will travel in cookies only
}

// Registered is a new account, signed in unless Waits.
type Registered struct {
	SignIn
	Waits bool         // signs in once its address is verified; of SignIn there is only the User
	Room  store.RoomID // where the invite leads and the person is to be made a member; empty: nowhere
}

// Register makes an account. Without mail its address counts as verified, and its first
// session is opened. With mail a link goes to the address first. Who has the setup code is
// at the server itself and waits for nothing: mail may have yet to be set up right.
//
// ErrInvalid: a field breaks its rule. ErrExists: "username_taken" or "email_taken".
// ErrForbidden: "wrong_setup_code", "registration_closed", "invite_required" or
// "invite_invalid". ErrLimited: too many from this address.
func (s *Service) Register(ctx context.Context, n NewAccount, addr netip.Addr) (Registered, error) {
	if err := s.throttle.Rate(addr); err != nil {
		return Registered{}, err
	}
	if err := n.check(); err != nil {
		return Registered{}, err
	}
	if n.Email == "" {
		return Registered{}, store.CheckEmail(n.Email)
	}
	room, err := s.admit(ctx, n, addr)
	if err != nil {
		return Registered{}, err
	}
	waits := s.SendsMail() && n.SetupCode == ""
	user, err := s.create(ctx, n, store.RoleMember, !waits)
	if err != nil {
		return Registered{}, err
	}
	if waits {
		s.post(ctx, store.PurposeVerify, user.ID, user.Email)
		return Registered{SignIn: SignIn{User: user}, Room: room, Waits: true}, nil
	}
	signIn, err := s.open(ctx, user, n.Cookie)
	return Registered{SignIn: signIn, Room: room}, err
}

// AddUser makes an account on an administrator's word, whatever registration is set to.
// The e-mail address may be empty. Errors as of Register.
func (s *Service) AddUser(ctx context.Context, n NewAccount, role store.Role) (store.User, error) {
	if !role.Valid() {
		return store.User{}, store.Invalid("role", "must be admin, member or guest")
	}
	if err := n.check(); err != nil {
		return store.User{}, err
	}
	return s.create(ctx, n, role, true)
}

func (n NewAccount) check() error {
	if err := store.CheckUsername(n.Username); err != nil {
		return err
	}
	if n.Email != "" {
		if err := store.CheckEmail(n.Email); err != nil {
			return err
		}
	}
	if err := store.CheckPassword("password", n.Password); err != nil {
		return err
	}
	if err := store.CheckText("firstName", n.FirstName, maxRealName); err != nil {
		return err
	}
	return store.CheckText("lastName", n.LastName, maxRealName)
}

// admit decides whether somebody may register, and where their invite leads. The store
// decides once more when the account is made.
func (s *Service) admit(ctx context.Context, n NewAccount, addr netip.Addr) (store.RoomID, error) {
	if n.SetupCode != "" {
		return "", s.checkSetupCode(ctx, n.SetupCode, addr)
	}
	switch {
	case s.options.Registration == store.RegistrationClosed:
		return "", errClosed
	case n.Invite != "":
		invite, err := s.accounts.Invite(ctx, n.Invite, s.options.Now())
		if errors.Is(err, store.ErrNotFound) {
			return "", errInviteInvalid
		}
		return invite.Room, err
	case s.options.Registration == store.RegistrationInvite:
		return "", errInviteRequired
	}
	return "", nil
}

// checkSetupCode slows down guessing by address alone: were all of them to pause
// together, anybody could keep the first administrator out.
func (s *Service) checkSetupCode(ctx context.Context, code string, addr netip.Addr) error {
	attempt, err := s.throttle.Begin("setup from "+network(addr), addr)
	if err != nil {
		return err
	}
	want, err := s.accounts.SetupCode(ctx)
	if err != nil {
		attempt.Void()
		return fmt.Errorf("look up the setup code: %w", err)
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(code), []byte(want)) != 1 {
		return errWrongSetupCode
	}
	attempt.Void()
	return nil
}

// create makes the account of n, after looking whether it can be made at all before the
// password is hashed. verified says that its address, if it has one, needs no mail.
func (s *Service) create(ctx context.Context, n NewAccount, role store.Role, verified bool) (store.User, error) {
	if err := s.free(ctx, s.accounts.UserByName, n.Username, errUsernameTaken); err != nil {
		return store.User{}, err
	}
	if n.Email != "" {
		if err := s.free(ctx, s.accounts.UserByEmail, n.Email, errEmailTaken); err != nil {
			return store.User{}, err
		}
	}
	hash, err := s.passwords.Hash(ctx, n.Password)
	if err != nil {
		return store.User{}, err
	}
	user, err := s.accounts.CreateUser(ctx, store.NewUser{
		User: store.User{
			Username: n.Username, Email: n.Email, EmailVerified: verified && n.Email != "", PasswordHash: hash,
			FirstName: n.FirstName, LastName: n.LastName, Role: role, Active: true,
		},
		SetupCode: n.SetupCode, Invite: n.Invite,
	})
	if err != nil {
		return store.User{}, fmt.Errorf("make an account: %w", err)
	}
	return user, nil
}

// free returns taken when find finds an account.
func (s *Service) free(ctx context.Context, find func(context.Context, string) (store.User, error), name string, taken error) error {
	_, err := find(ctx, name)
	switch {
	case err == nil:
		return taken
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return fmt.Errorf("look up an account: %w", err)
}

// ChangePassword replaces the viewer's password and ends their other sessions.
// ErrForbidden with the Code "wrong_password" when current is not the present one;
// ErrLimited while guessing pauses.
func (s *Service) ChangePassword(ctx context.Context, v Viewer, current, next string, addr netip.Addr) error {
	if err := store.CheckPassword("newPassword", next); err != nil {
		return err
	}
	if err := s.confirm(ctx, v.User.ID, current, addr); err != nil {
		return err
	}
	return s.setPassword(ctx, v.User.ID, next, v.Session, false)
}

// SetPassword replaces an account's password on an administrator's word, on which its
// address counts as verified too, and ends all its sessions.
func (s *Service) SetPassword(ctx context.Context, id store.UserID, password string) error {
	if err := store.CheckPassword("password", password); err != nil {
		return err
	}
	return s.setPassword(ctx, id, password, "", true)
}

// setPassword replaces a password and ends all sessions but one. verified says that
// whoever has the new one has the account's address as well.
func (s *Service) setPassword(ctx context.Context, id store.UserID, password string, except store.SessionID, verified bool) error {
	hash, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	if _, err := s.accounts.EditUser(ctx, id, func(u *store.User) error {
		if u.Closed {
			return store.NotFound("user", id.String())
		}
		u.PasswordHash = hash
		if verified && u.Email != "" {
			u.EmailVerified = true
		}
		return nil
	}); err != nil {
		return fmt.Errorf("change a password: %w", err)
	}
	if err := s.accounts.EndSessions(ctx, id, except); err != nil {
		return fmt.Errorf("end sessions after a new password: %w", err)
	}
	return nil
}

// confirm asks for the present password of an account whose session may be in wrong hands.
func (s *Service) confirm(ctx context.Context, id store.UserID, password string, addr netip.Addr) error {
	user, err := s.active(ctx, id)
	if err != nil {
		return err
	}
	attempt, err := s.throttle.Begin(accountKey(id, ""), addr)
	if err != nil {
		return err
	}
	ok, err := s.passwords.Verify(ctx, user.PasswordHash, password)
	switch {
	case err != nil:
		attempt.Void()
		return err
	case !ok:
		wrong := *errWrongPassword
		wrong.Details = attempt.Failed()
		return &wrong
	}
	attempt.Succeeded()
	return nil
}

// MakeInvite returns a code, good for a week and any number of people, that lets them
// register and leads them to a room; "" leads nowhere. Whether by may is not asked here.
func (s *Service) MakeInvite(ctx context.Context, by store.UserID, room store.RoomID) (store.Invite, error) {
	code, err := randomHex(s.options.Rand, 16)
	if err != nil {
		return store.Invite{}, err
	}
	invite := store.Invite{Code: code, By: by, Room: room, Expires: store.Truncate(s.options.Now()).Add(inviteTTL)}
	if err := s.accounts.AddInvite(ctx, invite); err != nil {
		return store.Invite{}, fmt.Errorf("keep an invite: %w", err)
	}
	return invite, nil
}
