package storetest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/store"
)

var mailCases = []accountsCase{
	{"mails wait in the order of arrival, also over a restart", mailsWait},
	{"no more mails wait than may", mailsBounded},
	{"a mail is delayed and removed", mailsDelayed},
	{"what waits for an account goes when it closes", mailsOfClosed},
}

// mail makes a mail wait, with a different content for each n.
func (o *office) mail(n int, most int) (store.Mail, error) {
	return o.AddMail(o.ctx, store.Mail{
		Purpose: store.PurposeVerify, User: store.UserID(n), Email: fmt.Sprintf("person%d@example.org", n), Expires: o.clock.Now().Add(time.Duration(n) * time.Hour),
	}, most)
}

// wantMails compares what waits.
func (o *office) wantMails(what string, want ...store.Mail) {
	o.t.Helper()
	got, err := o.Mails(o.ctx)
	o.fatal("mails", err)
	wantSame(o.t, what, got, want)
}

func mailsWait(o *office) {
	o.wantMails("no mails")
	var all []store.Mail
	for n := 1; n <= 3; n++ {
		m, err := o.mail(n, 10)
		o.fatal("add mail", err)
		if m.ID != uint64(n) || m.User != store.UserID(n) {
			o.t.Errorf("mail %d was added as %+v", n, m)
		}
		all = append(all, m)
	}
	o.wantMails("mails", all...)
	o.reopen()
	o.wantMails("mails after a restart", all...)
	o.fatal("remove", o.RemoveMail(o.ctx, 3))
	o.reopen()
	m, err := o.mail(4, 10)
	o.fatal("add mail", err)
	if m.ID != 4 {
		o.t.Errorf("the mail after number 3 is number %d", m.ID)
	}
	o.wantMails("mails after one went", all[0], all[1], m)
}

func mailsBounded(o *office) {
	const most = 5
	var kept, refused atomic.Int32
	var wg sync.WaitGroup
	for n := range 2 * most {
		wg.Go(func() {
			switch _, err := o.mail(n, most); {
			case err == nil:
				kept.Add(1)
			default:
				wantErr(o.t, "a mail too many", err, store.ErrLimited)
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if kept.Load() != most || refused.Load() != most {
		o.t.Errorf("%d mails were kept and %d refused, want %d each", kept.Load(), refused.Load(), most)
	}
	all, err := o.Mails(o.ctx)
	o.fatal("mails", err)
	o.fatal("remove", o.RemoveMail(o.ctx, all[0].ID))
	_, err = o.mail(1, most)
	o.fatal("a mail in the place of another", err)
}

func mailsDelayed(o *office) {
	m, err := o.mail(1, 10)
	o.fatal("add mail", err)
	other, err := o.mail(2, 10)
	o.fatal("add mail", err)
	m.Tries, m.Next = 2, o.clock.Now().Add(time.Minute)
	o.fatal("delay", o.DelayMail(o.ctx, m.ID, m.Tries, m.Next))
	o.reopen()
	o.wantMails("mails after a delay", m, other)
	for range 2 {
		o.fatal("remove", o.RemoveMail(o.ctx, m.ID))
		o.fatal("delay what is gone", o.DelayMail(o.ctx, m.ID, 3, m.Next))
		o.wantMails("mails after one went", other)
	}
}

func mailsOfClosed(o *office) {
	ann, bob := o.hire(person("ann")), o.hire(person("bob"))
	add := func(user store.UserID, email string) store.Mail {
		m, err := o.AddMail(o.ctx, store.Mail{Purpose: store.PurposeChange, User: user, Email: email, Expires: o.clock.Now().Add(time.Hour)}, 10)
		o.fatal("add mail", err)
		return m
	}
	add(ann.ID, "new@example.org")
	add(0, strings.ToUpper(ann.Email))
	stays := []store.Mail{add(bob.ID, bob.Email), add(0, bob.Email)}
	code := o.code(1, store.PurposeVerify, time.Hour) // of the first person
	_, err := o.EditUser(o.ctx, ann.ID, func(u *store.User) error { u.Close(); return nil })
	o.fatal("close", err)
	o.wantMails("mails", stays...)
	_, err = o.TakeCode(o.ctx, code.Hash, code.Purpose, o.clock.Now())
	wantErr(o.t, "a code of a closed account", err, store.ErrNotFound)
}
