package store

import (
	"context"
	"time"
)

// Mail is a message to a person that waits to be handed to a mail server. It holds no
// secret: the link in it is made when it is sent.
type Mail struct {
	ID      uint64 // from 1, in the order of arrival
	Purpose Purpose
	User    UserID    // 0: whoever has the address by then, if anybody
	Email   string    // the address it is about
	Expires time.Time // not worth sending any more from here on
	Next    time.Time // not to be tried before; zero: at once
	Tries   int       // how often it was tried
}

// Mails keeps what waits to be sent.
type Mails interface {
	// AddMail keeps m and returns it with its ID, which is never given out again.
	// ErrLimited when most are waiting already.
	AddMail(ctx context.Context, m Mail, most int) (Mail, error)

	// Mails returns what waits, by ID.
	Mails(ctx context.Context) ([]Mail, error)

	// DelayMail notes that a mail was tried and when it may be tried again; RemoveMail
	// forgets it. One that is gone is no error for either.
	DelayMail(ctx context.Context, id uint64, tries int, next time.Time) error
	RemoveMail(ctx context.Context, id uint64) error
}
