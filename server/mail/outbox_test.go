package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/mail/mailtest"
	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/bolt"
)

// office has an outbox over real accounts, which can be closed and opened again.
type office struct {
	t      *testing.T
	path   string
	people *bolt.Store
	outbox *Outbox
	log    *journal
	stop   func()

	mu    sync.Mutex
	now   time.Time
	asked int // letters made
}

// journal is a log that can be read while it is written.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.grown)
	j.grown = make(chan struct{})
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await waits until the log says something a number of times.
func (j *journal) await(t *testing.T, text string, times int) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		j.mu.Lock()
		found, grown := strings.Count(j.text.String(), text) >= times, j.grown
		j.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("the log does not say %q %d times:\n%s", text, times, j)
		}
	}
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, path: filepath.Join(t.TempDir(), "people.db"), log: &journal{grown: make(chan struct{})}, now: time.Now(), stop: func() {}}
	t.Cleanup(o.close)
	return o
}

// open opens the accounts and an outbox towards a mail server, and runs it.
func (o *office) open(s Server, options Options) {
	o.t.Helper()
	var err error
	if o.people, err = bolt.Open(o.path, bolt.Options{}); err != nil {
		o.t.Fatal(err)
	}
	options.Now = o.Now
	if options.FirstDelay == 0 {
		options.FirstDelay = time.Millisecond
	}
	options.Log = slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.outbox = New(o.people, s, "https://chat.example.org", options)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.outbox.Run(ctx, o) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			o.t.Errorf("Run: %v", err)
		}
	})
}

// close stops the outbox and closes the accounts, as at the end of the program.
func (o *office) close() {
	o.stop()
	if o.people != nil {
		if err := o.people.Close(); err != nil {
			o.t.Error(err)
		}
		o.people = nil
	}
}

func (o *office) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// Address makes a new token for each letter; addresses of strangers have no reader.
func (o *office) Address(_ context.Context, m store.Mail) (store.User, string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(m.Email, "stranger") {
		return store.User{}, "", fmt.Errorf("look up: %w", store.ErrNotFound)
	}
	o.asked++
	return store.User{Username: "ann", Email: m.Email}, fmt.Sprintf("secret-%d", o.asked), nil
}

func (o *office) post(email string) {
	o.t.Helper()
	if err := o.outbox.Post(o.t.Context(), store.Mail{Purpose: store.PurposeReset, Email: email, Expires: o.Now().Add(time.Hour)}); err != nil {
		o.t.Fatal(err)
	}
}

// left waits until n mails wait to be sent, and returns them.
func (o *office) left(n int) []store.Mail {
	o.t.Helper()
	for late := time.Now().Add(30 * time.Second); ; {
		mails, err := o.people.Mails(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if len(mails) == n {
			return mails
		}
		if time.Now().After(late) {
			o.t.Fatalf("waiting: %+v, want %d", mails, n)
		}
	}
}

// wantDiscreet looks through the log for what has no place in it.
func (o *office) wantDiscreet() {
	o.t.Helper()
	for _, hidden := range []string{"@", "secret-", "s3cret"} {
		if strings.Contains(o.log.String(), hidden) {
			o.t.Errorf("the log has %q in it:\n%s", hidden, o.log)
		}
	}
}

func TestOutboxSends(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{StartTLS: true, User: "hearth", Password: "s3cret"})
	s := towards(there, SecurityStartTLS)
	s.User, s.Password = "hearth", "s3cret"
	o := newOffice(t)
	o.open(s, Options{})
	for i := range 3 {
		o.post(fmt.Sprintf("ann%d@example.org", i))
	}
	o.post("stranger@example.org")
	for i := range 3 {
		if m := there.Next(t); m.Recipient != fmt.Sprintf("ann%d@example.org", i) || m.Token() != fmt.Sprintf("secret-%d", i+1) {
			t.Errorf("mail %d: %+v", i, m)
		}
	}
	o.left(0)
	if n := there.Waiting(); n != 0 {
		t.Errorf("%d mails too many", n)
	}
	o.log.await(t, "mail sent", 3)
	o.wantDiscreet()
}

// TestOutboxSurvives posts while nobody answers, and finds its mails again after a restart.
func TestOutboxSurvives(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	nowhere := towards(there, SecurityNone)
	nowhere.Port = closedPort(t)
	o := newOffice(t)
	o.open(nowhere, Options{FirstDelay: time.Hour})
	o.post("ann@example.org")
	o.post("bob@example.org")
	o.log.await(t, "will be tried again", 1)
	o.close()

	o.open(towards(there, SecurityNone), Options{})
	if m := there.Next(t); m.Recipient != "bob@example.org" {
		t.Errorf("first came %+v, want the mail that was not tried", m)
	}
	if n := there.Waiting(); n != 0 {
		t.Errorf("%d mails came before their time", n)
	}
	o.close()
	o.advance(59 * time.Minute) // the delay was cut to half an hour
	o.open(towards(there, SecurityNone), Options{})
	if m := there.Next(t); m.Recipient != "ann@example.org" {
		t.Errorf("then came %+v", m)
	}
	o.left(0)
	o.wantDiscreet()
}

// TestOutboxTriesAgain is refused for a while: one person's mail does not hold up another's.
func TestOutboxTriesAgain(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	refusals := 3
	there.Answer(func(to string) error { // one connection at a time
		if strings.HasPrefix(to, "ann") && refusals > 0 {
			refusals--
			return mailtest.Refusal(451, "not now, ann@example.org")
		}
		return nil
	})
	o := newOffice(t)
	o.open(towards(there, SecurityNone), Options{FirstDelay: time.Minute})
	o.post("ann@example.org")
	o.post("bob@example.org")
	if m := there.Next(t); m.Recipient != "bob@example.org" {
		t.Errorf("first came %+v", m)
	}
	for i, delay := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		o.log.await(t, "will be tried again", i+1)
		o.log.await(t, "code 451", i+1)
		if m := o.left(1)[0]; m.Tries != i+1 || !m.Next.Equal(store.Truncate(o.Now().Add(delay))) {
			t.Fatalf("after try %d: %+v, want %s later", i+1, m, delay)
		}
		o.advance(delay)
		o.outbox.posted <- struct{}{} // wakes it as the passing of the time would
	}
	if m := there.Next(t); m.Recipient != "ann@example.org" || m.Token() != "secret-5" {
		t.Errorf("then came %+v", m)
	}
	o.left(0)
	o.wantDiscreet()
}

func TestOutboxGivesUp(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	there.Answer(func(to string) error {
		if strings.HasPrefix(to, "gone") {
			return mailtest.Refusal(550, "no gone@example.org here")
		}
		return mailtest.Refusal(451, "not now")
	})
	o := newOffice(t)
	o.open(towards(there, SecurityNone), Options{FirstDelay: time.Minute})
	o.post("gone@example.org")
	o.log.await(t, "refused for good", 1)
	o.left(0)
	o.post("late@example.org")
	o.log.await(t, "will be tried again", 1)
	o.advance(time.Hour)
	o.outbox.posted <- struct{}{}
	o.log.await(t, "was dropped", 1)
	o.left(0)
	if n := there.Waiting(); n != 0 {
		t.Errorf("%d mails came", n)
	}
	o.wantDiscreet()
}

// TestOutboxStops is told to stop while the mail server keeps it waiting.
func TestOutboxStops(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	o := newOffice(t)
	there := mailtest.Start(t, mailtest.Options{})
	mute := towards(there, SecurityNone)
	mute.Port, mute.Timeout = listener.Addr().(*net.TCPAddr).Port, time.Hour
	o.open(mute, Options{})
	o.post("ann@example.org")
	if _, err := listener.Accept(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	o.close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	o.open(towards(there, SecurityNone), Options{})
	if m := there.Next(t); m.Recipient != "ann@example.org" {
		t.Errorf("after a restart came %+v", m)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	there := mailtest.Start(t, mailtest.Options{})
	nowhere := towards(there, SecurityNone)
	nowhere.Port = closedPort(t)
	o := newOffice(t)
	o.open(nowhere, Options{FirstDelay: time.Hour, MaxWaiting: 3})
	for range 3 {
		o.post("ann@example.org")
	}
	err := o.outbox.Post(t.Context(), store.Mail{Purpose: store.PurposeReset, Email: "bob@example.org", Expires: o.Now().Add(time.Hour)})
	if !errors.Is(err, store.ErrLimited) {
		t.Errorf("one more: %v, want too many", err)
	}
	o.left(3)
	o.log.await(t, "could not be kept", 1)
	o.wantDiscreet()
}
