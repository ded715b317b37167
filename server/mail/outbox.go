package mail

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hearthchat/hearth/store"
)

const (
	// maxWaiting bounds the queue, about 200 bytes each. Who asks for a mail beyond that gets none.
	maxWaiting = 1000

	firstDelay   = 30 * time.Second // after the first try; doubled by each further one
	longestDelay = 30 * time.Minute
)

// Options adjust an Outbox. The zero value is right outside of tests.
type Options struct {
	MaxWaiting int              // mails in the queue; 0 means 1000
	FirstDelay time.Duration    // before the second try; 0 means 30 s
	Now        func() time.Time // nil means time.Now
	Log        *slog.Logger     // nil discards
}

// Clerk makes what is secret in a mail, just before it is sent.
type Clerk interface {
	// Address returns who a mail goes to, with the address in Email, and the token of its
	// link. ErrNotFound: nobody is to get it, or nobody any more.
	Address(ctx context.Context, m store.Mail) (to store.User, token string, err error)
}

// Outbox is the queue before a mail server.
type Outbox struct {
	accounts store.Accounts
	server   Server
	base     string
	options  Options
	posted   chan struct{} // holds one when there may be something new
}

// New returns an outbox that keeps its mails among the accounts. base is where people
// reach the web app, without a slash at the end; all links begin with it.
func New(accounts store.Accounts, server Server, base string, o Options) *Outbox {
	o.MaxWaiting = cmp.Or(o.MaxWaiting, maxWaiting)
	o.FirstDelay = cmp.Or(o.FirstDelay, firstDelay)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return &Outbox{accounts: accounts, server: server, base: base, options: o, posted: make(chan struct{}, 1)}
}

// Post keeps a mail to be sent. When it returns, the mail is on disk. ErrLimited when too
// many are waiting.
func (o *Outbox) Post(ctx context.Context, m store.Mail) error {
	if _, err := o.accounts.AddMail(ctx, m, o.options.MaxWaiting); err != nil {
		// Most who ask may not be told, so that nobody learns which addresses have accounts.
		o.options.Log.Warn("a mail could not be kept", "purpose", m.Purpose, "error", err)
		return err
	}
	select {
	case o.posted <- struct{}{}:
	default:
	}
	return nil
}

// Run sends what was posted, also before the last restart, until ctx ends, which is no
// error. Only one may run.
func (o *Outbox) Run(ctx context.Context, clerk Clerk) error {
	troubles := 0 // rounds in a row that the mail server itself did not take
	for {
		next, ok := o.round(ctx, clerk)
		if ok {
			troubles = 0
		} else {
			// The others would fare no better: nobody is tried for a while.
			next = o.options.Now().Add(o.delay(troubles))
			troubles++
		}
		wait := time.NewTimer(longestDelay)
		if !next.IsZero() {
			wait.Reset(max(0, next.Sub(o.options.Now())))
		}
		posted := o.posted
		if !ok {
			posted = nil
		}
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		case <-posted:
			wait.Stop()
		}
	}
}

// delay is how long to wait after a number of failures.
func (o *Outbox) delay(failures int) time.Duration {
	return min(longestDelay, o.options.FirstDelay<<min(failures, 10))
}

// round tries what is due and returns when something is due next, zero for never. ok is
// false when the mail server, or the disk, is the trouble.
func (o *Outbox) round(ctx context.Context, clerk Clerk) (next time.Time, ok bool) {
	mails, err := o.accounts.Mails(ctx)
	if err != nil {
		return next, o.stumbled(ctx, "mails cannot be read", err)
	}
	for _, m := range mails {
		if ctx.Err() != nil {
			return next, true
		}
		if !o.options.Now().Before(m.Expires) {
			o.options.Log.Warn("a mail could not be sent in time and was dropped", "mail", m.ID, "purpose", m.Purpose, "tries", m.Tries)
			if err := o.accounts.RemoveMail(ctx, m.ID); err != nil {
				return next, o.stumbled(ctx, "a mail cannot be removed", err)
			}
			continue
		}
		if m.Next.After(o.options.Now()) {
			next = earlier(next, m.Next)
			continue
		}
		again, ok := o.try(ctx, clerk, m)
		if !ok {
			return next, false
		}
		next = earlier(next, again)
	}
	return next, true
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// try sends one mail and returns when to do so again; zero for never.
func (o *Outbox) try(ctx context.Context, clerk Clerk, m store.Mail) (again time.Time, ok bool) {
	log := o.options.Log.With("mail", m.ID, "purpose", m.Purpose)
	l, err := o.write(ctx, clerk, m)
	if errors.Is(err, store.ErrNotFound) {
		// Said at debug alone, and after the same work on the request's side: whether an
		// address has an account is nobody's business.
		log.Debug("a mail has no reader")
		return again, o.remove(ctx, m)
	}
	if err != nil {
		return again, o.stumbled(ctx, "a mail cannot be written", err)
	}
	err = o.server.send(ctx, l)
	if err == nil {
		log.Info("mail sent", "tries", m.Tries+1)
		return again, o.remove(ctx, m)
	}
	if ctx.Err() != nil {
		return again, true // the server stops; the mail goes out after the next start
	}
	forGood, thisAlone, said := trouble(err)
	if forGood {
		log.Warn("a mail was refused for good", "error", said)
		return again, o.remove(ctx, m)
	}
	again = o.options.Now().Add(o.delay(m.Tries))
	if err := o.accounts.DelayMail(ctx, m.ID, m.Tries+1, store.Truncate(again)); err != nil {
		return again, o.stumbled(ctx, "a mail cannot be delayed", err)
	}
	log.Warn("a mail could not be sent, and will be tried again", "error", said, "tries", m.Tries+1)
	return again, thisAlone
}

func (o *Outbox) remove(ctx context.Context, m store.Mail) bool {
	// A mail that was sent is not to be sent again because the server stops just now.
	if err := o.accounts.RemoveMail(context.WithoutCancel(ctx), m.ID); err != nil {
		return o.stumbled(ctx, "a mail cannot be removed", err)
	}
	return true
}

// write makes the letter of a mail.
func (o *Outbox) write(ctx context.Context, clerk Clerk, m store.Mail) (letter, error) {
	to, token, err := clerk.Address(ctx, m)
	if err != nil {
		return letter{}, err
	}
	workspace, err := o.accounts.Settings(ctx)
	if err != nil {
		return letter{}, err
	}
	return compose(m.Purpose, to, token, workspace.Name, o.base), nil
}

// stumbled logs an error of our own side. It reports whether to go on as if there were none.
func (o *Outbox) stumbled(ctx context.Context, what string, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	o.options.Log.Error(what, "error", err)
	return false
}
