package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// ChangeEmail replaces the viewer's address, which then counts as verified. With mail it
// replaces nothing yet: a link goes to the new address, and waits is true. Errors as of
// ChangePassword; ErrExists with the Code "email_taken"; ErrLimited when too many mails
// went there or wait.
func (s *Service) ChangeEmail(ctx context.Context, v Viewer, email, password string, addr netip.Addr) (user store.User, waits bool, err error) {
	if err := store.CheckEmail(email); err != nil {
		return store.User{}, false, err
	}
	if err := s.confirm(ctx, v.User.ID, password, addr); err != nil {
		return store.User{}, false, err
	}
	if s.SendsMail() {
		return s.askNewAddress(ctx, v.User.ID, email)
	}
	user, err = s.setEmail(ctx, v.User.ID, email)
	return user, false, err
}

// askNewAddress sends the link that makes email the address of an account.
func (s *Service) askNewAddress(ctx context.Context, id store.UserID, email string) (store.User, bool, error) {
	user, err := s.active(ctx, id)
	if err != nil {
		return store.User{}, false, err
	}
	switch other, err := s.accounts.UserByEmail(ctx, email); {
	case err == nil && other.ID != id:
		return store.User{}, false, errEmailTaken
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return store.User{}, false, fmt.Errorf("look up an account: %w", err)
	}
	if !s.throttle.Mail(email) {
		return store.User{}, false, limited("Too many mails to this address", mailWindow)
	}
	if err := s.options.Mail.Post(ctx, s.mail(store.PurposeChange, id, email)); err != nil {
		return store.User{}, false, fmt.Errorf("keep a mail: %w", err)
	}
	return user, true, nil
}

// setEmail makes email, which is verified, the address of an account.
func (s *Service) setEmail(ctx context.Context, id store.UserID, email string) (store.User, error) {
	user, err := s.accounts.EditUser(ctx, id, func(u *store.User) error {
		if u.Closed {
			return store.NotFound("user", id.String())
		}
		u.Email, u.EmailVerified = email, true
		return nil
	})
	if err != nil {
		return store.User{}, fmt.Errorf("change an address: %w", err)
	}
	return user, nil
}

// ForgotPassword sends a link for a new password to an address, if an account has it.
// What is done here is the same for every address, so that neither the answer nor its time
// tells: who has the address is looked up when the mail is sent. Without mail nothing is
// done, and an administrator makes a link.
func (s *Service) ForgotPassword(ctx context.Context, email string, addr netip.Addr) error {
	if err := s.throttle.Rate(addr); err != nil {
		return err
	}
	if store.CheckEmail(email) == nil {
		s.post(ctx, store.PurposeReset, 0, email)
	}
	return nil
}

// VerifyEmail confirms an address with the token that was sent to it, which makes it the
// account's if it was not. ErrInvalid when the token is unknown or expired, or the account
// has another address or password by now, or somebody else has the address.
func (s *Service) VerifyEmail(ctx context.Context, token string, addr netip.Addr) error {
	if err := s.throttle.Rate(addr); err != nil {
		return err
	}
	code, err := s.accounts.TakeCode(ctx, hashOf(token), store.PurposeVerify, s.options.Now())
	if errors.Is(err, store.ErrNotFound) {
		return s.confirmNewAddress(ctx, token)
	}
	if err != nil {
		return fmt.Errorf("take a code: %w", err)
	}
	// The code is spent: a caller who hangs up now must not leave the person without it.
	_, err = s.accounts.EditUser(context.WithoutCancel(ctx), code.User, func(u *store.User) error {
		if u.Closed || u.Email != code.Email {
			return errCodeInvalid
		}
		u.EmailVerified = true
		return nil
	})
	return err
}

// confirmNewAddress spends a token from a mail about a new address.
func (s *Service) confirmNewAddress(ctx context.Context, token string) error {
	user, code, err := s.takeBound(ctx, token, store.PurposeChange)
	if err != nil {
		return err
	}
	_, err = s.setEmail(context.WithoutCancel(ctx), user.ID, code.Email)
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
		return errCodeInvalid // somebody else was faster
	}
	return err
}

// MakeResetLink returns a token, good once and for an hour, with which ResetPassword gives
// an account a new password. A new password, however it came about, makes it worthless.
func (s *Service) MakeResetLink(ctx context.Context, id store.UserID) (token string, expires time.Time, err error) {
	user, err := s.accounts.User(ctx, id)
	if err != nil || user.Closed {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			err = store.NotFound("user", id.String())
		}
		return "", time.Time{}, err
	}
	return s.bound(ctx, user, store.PurposeReset, "", resetTTL)
}

// bound makes a token that names its account and does not outlive the present password.
func (s *Service) bound(ctx context.Context, user store.User, p store.Purpose, email string, life time.Duration) (token string, expires time.Time, err error) {
	secret, err := s.secret()
	if err != nil {
		return "", time.Time{}, err
	}
	token = strconv.FormatInt(int64(user.ID), 36) + "." + secret
	expires = store.Truncate(s.options.Now()).Add(life)
	err = s.accounts.AddCode(ctx, store.Code{Hash: boundHash(token, user), Purpose: p, User: user.ID, Email: email, Expires: expires})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("keep a code: %w", err)
	}
	return token, expires, nil
}

// boundHash covers the present password too, so that a link does not outlive it.
func boundHash(token string, user store.User) store.Hash {
	return hashOf(token + "\x00" + user.PasswordHash)
}

// takeBound spends a token of bound; errCodeInvalid when that cannot be done.
func (s *Service) takeBound(ctx context.Context, token string, p store.Purpose) (user store.User, code store.Code, err error) {
	name, _, _ := strings.Cut(token, ".")
	id, err := strconv.ParseInt(name, 36, 64)
	if err != nil {
		return user, code, errCodeInvalid
	}
	if user, err = s.accounts.User(ctx, store.UserID(id)); err == nil {
		code, err = s.accounts.TakeCode(ctx, boundHash(token, user), p, s.options.Now())
	}
	if errors.Is(err, store.ErrNotFound) {
		return user, code, errCodeInvalid
	}
	if err != nil {
		return user, code, fmt.Errorf("take a code: %w", err)
	}
	return user, code, nil
}

// ResetPassword gives the account of a token, from MakeResetLink or a mail, a new password
// and ends all its sessions. The address counts as verified then: its mail was read, or an
// administrator passed the link on. ErrInvalid when
// the token is unknown, spent or expired, or was mailed to an address the account has no more.
func (s *Service) ResetPassword(ctx context.Context, token, next string, addr netip.Addr) error {
	if err := s.throttle.Rate(addr); err != nil {
		return err
	}
	if err := store.CheckPassword("newPassword", next); err != nil {
		return err
	}
	user, code, err := s.takeBound(ctx, token, store.PurposeReset)
	if err != nil {
		return err
	}
	if code.Email != "" && code.Email != user.Email {
		return errCodeInvalid // it went to an address that is not theirs any more
	}
	// The code is spent: a caller who hangs up now must not leave the person without either.
	return s.setPassword(context.WithoutCancel(ctx), user.ID, next, "", true)
}
