package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthchat/hearth/store"
)

// Postbox takes mails that are to be sent. It does not wait for any mail server.
type Postbox interface {
	// Post keeps a mail on disk. ErrLimited when too many wait.
	Post(ctx context.Context, m store.Mail) error
}

// SendsMail reports whether mail is configured: then new addresses are verified and a
// forgotten password is a matter between a person and their mail.
func (s *Service) SendsMail() bool { return s.options.Mail != nil }

// awaits reports whether an account has to verify its address before it signs in. One
// without an address, made by an administrator, has nothing to verify.
func (s *Service) awaits(user store.User) bool {
	return s.SendsMail() && user.Email != "" && !user.EmailVerified
}

func (s *Service) mail(p store.Purpose, id store.UserID, email string) store.Mail {
	life := verifyTTL
	if p == store.PurposeReset {
		life = resetTTL
	}
	return store.Mail{Purpose: p, User: id, Email: email, Expires: store.Truncate(s.options.Now()).Add(life)}
}

// post sends a mail if mail is configured and the address has not had too many. Callers
// get no error, for theirs must not learn of it; they may ask again.
func (s *Service) post(ctx context.Context, p store.Purpose, id store.UserID, email string) {
	if s.SendsMail() && s.throttle.Mail(email) {
		_ = s.options.Mail.Post(context.WithoutCancel(ctx), s.mail(p, id, email)) // it logs what goes wrong
	}
}

// Address returns who a mail goes to, with the address it goes to in Email, and the token
// for its link, which is good from now on. ErrNotFound: nobody is to get it, or nobody any more.
func (s *Service) Address(ctx context.Context, m store.Mail) (to store.User, token string, err error) {
	if m.Purpose == store.PurposeReset {
		to, err = s.accounts.UserByEmail(ctx, m.Email)
	} else {
		to, err = s.accounts.User(ctx, m.User)
	}
	switch {
	case err != nil:
		return store.User{}, "", fmt.Errorf("look up who a mail is for: %w", err)
	case !to.Active || to.Closed:
		return store.User{}, "", store.NotFound("user", to.ID.String())
	}
	switch m.Purpose {
	case store.PurposeReset:
		// To the address as the account has it: what folds to the same may be another's.
		token, _, err = s.bound(ctx, to, store.PurposeReset, to.Email, resetTTL)
	case store.PurposeVerify:
		token, err = s.verification(ctx, to, m.Email)
	case store.PurposeChange:
		token, err = s.change(ctx, to, m.Email)
		to.Email = m.Email
	default:
		err = store.NotFound("mail", string(m.Purpose))
	}
	return to, token, err
}

// verification makes the token that verifies the address an account has.
func (s *Service) verification(ctx context.Context, user store.User, email string) (string, error) {
	if user.EmailVerified || user.Email != email {
		return "", store.NotFound("user", user.ID.String())
	}
	token, err := s.secret()
	if err != nil {
		return "", err
	}
	err = s.accounts.AddCode(ctx, store.Code{
		Hash: hashOf(token), Purpose: store.PurposeVerify, User: user.ID, Email: email, Expires: store.Truncate(s.options.Now()).Add(verifyTTL),
	})
	if err != nil {
		return "", fmt.Errorf("keep a code: %w", err)
	}
	return token, nil
}

// change makes the token that makes email the address of an account.
func (s *Service) change(ctx context.Context, user store.User, email string) (string, error) {
	switch other, err := s.accounts.UserByEmail(ctx, email); {
	case err == nil && other.ID != user.ID:
		return "", store.NotFound("user", user.ID.String())
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return "", fmt.Errorf("look up an account: %w", err)
	}
	token, _, err := s.bound(ctx, user, store.PurposeChange, email, verifyTTL)
	return token, err
}
