package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/store"
)

var sessionCases = []accountsCase{
	{"a session lives until it expires", sessionLives},
	{"a session lives until it is ended", sessionEnds},
	{"a person's sessions end but one", sessionsEnd},
	{"a refresh token is spent for another", sessionRotates},
	{"a spent token is accepted again for ten seconds", sessionReused},
	{"a spent token ends the session later", sessionStolen},
	{"a token is remembered however often it was followed", sessionLongFamily},
	{"a further pair is as good as the first", sessionFamily},
	{"unknown and expired tokens are refused", sessionRefused},
	{"a session is found by each of its tokens", sessionByRefresh},
	{"tabs refreshing at once all get a pair", sessionsAtOnce},
	{"sessions survive a restart", sessionsDurable},
	{"the broom removes what expired, so much at a time", sessionsSwept},
}

// sessionLife is how long sessions of the cases live after each rotation.
const sessionLife = time.Hour

func sessionID(i int) store.SessionID { return store.SessionID(fmt.Sprintf("%032x", i)) }

// token is the hash of the nth secret of a case.
func token(n int) store.Hash { return store.Hash{0: 0xaa, 30: byte(n >> 8), 31: byte(n)} }

// signIn opens session i for a person, with the token i.
func (o *office) signIn(user store.UserID, i int) store.Session {
	o.t.Helper()
	now := o.clock.Now()
	s := store.Session{ID: sessionID(i), User: user, CreatedAt: now, ExpiresAt: now.Add(sessionLife), Cookie: i%2 == 1}
	o.fatal("open session", o.OpenSession(o.ctx, s, token(i)))
	return s
}

func (o *office) rotate(spent, next int) (store.Session, error) {
	now := o.clock.Now()
	return o.RotateSession(o.ctx, token(spent), token(next), now, now.Add(sessionLife))
}

func (o *office) mustRotate(spent, next int) store.Session {
	o.t.Helper()
	s, err := o.rotate(spent, next)
	o.fatal(fmt.Sprintf("rotate %d to %d", spent, next), err)
	return s
}

// wantDead requires that a session and the tokens of it are worth nothing.
func (o *office) wantDead(id store.SessionID, tokens ...int) {
	o.t.Helper()
	_, err := o.Session(o.ctx, id, o.clock.Now())
	wantErr(o.t, "a session that ended", err, store.ErrNotFound)
	for _, n := range tokens {
		if s, err := o.SessionByRefresh(o.ctx, token(n), o.clock.Now()); err == nil {
			o.t.Errorf("token %d belongs to %+v, want to none", n, s)
		}
		_, err = o.rotate(n, 999)
		wantErr(o.t, "a token of a session that ended", err, store.ErrUnauthorized)
	}
}

func sessionLives(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	got, err := o.Session(o.ctx, s.ID, s.ExpiresAt.Add(-time.Millisecond))
	o.fatal("session", err)
	wantSame(o.t, "session", got, s)
	for _, now := range []time.Time{s.ExpiresAt.Add(time.Millisecond), s.ExpiresAt.Add(time.Hour)} {
		_, err = o.Session(o.ctx, s.ID, now)
		wantErr(o.t, "an expired session", err, store.ErrNotFound)
	}
	_, err = o.Session(o.ctx, sessionID(2), o.clock.Now())
	wantErr(o.t, "an unknown session", err, store.ErrNotFound)
}

func sessionEnds(o *office) {
	u := o.hire(person("ann"))
	s, other := o.signIn(u.ID, 1), o.signIn(u.ID, 2)
	o.mustRotate(1, 3)
	for range 2 {
		o.fatal("end", o.EndSession(o.ctx, s.ID))
		o.wantDead(s.ID, 1, 3)
		o.reopen()
	}
	if _, err := o.Session(o.ctx, other.ID, o.clock.Now()); err != nil {
		o.t.Errorf("the other session: %v", err)
	}
}

func sessionsEnd(o *office) {
	ann, bob := o.hire(person("ann")), o.hire(person("bob"))
	for i := 1; i <= 3; i++ {
		o.signIn(ann.ID, i)
	}
	o.signIn(bob.ID, 4)
	o.fatal("end", o.EndSessions(o.ctx, ann.ID, sessionID(2)))
	o.wantDead(sessionID(1), 1)
	o.wantDead(sessionID(3), 3)
	for _, i := range []int{2, 4} {
		if _, err := o.Session(o.ctx, sessionID(i), o.clock.Now()); err != nil {
			o.t.Errorf("session %d: %v", i, err)
		}
	}
	o.fatal("end", o.EndSessions(o.ctx, ann.ID, ""))
	o.wantDead(sessionID(2), 2)
	o.fatal("end", o.EndSessions(o.ctx, 99, ""))
}

func sessionRotates(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	for i := 2; i <= 5; i++ {
		now := o.clock.advance(sessionLife / 2)
		s.ExpiresAt = now.Add(sessionLife)
		wantSame(o.t, "session rotated", o.mustRotate(i-1, i), s)
		got, err := o.Session(o.ctx, s.ID, now.Add(sessionLife-time.Second))
		o.fatal("session", err)
		wantSame(o.t, "session", got, s)
	}
}

func sessionReused(o *office) {
	u := o.hire(person("ann"))
	o.signIn(u.ID, 1)
	o.mustRotate(1, 2)
	o.clock.advance(store.ReuseGrace / 2)
	o.mustRotate(1, 3)
	o.clock.advance(store.ReuseGrace/2 - time.Millisecond)
	o.mustRotate(1, 4)
	o.clock.advance(time.Hour / 2)
	for _, n := range []int{2, 3, 4} {
		o.mustRotate(n, n+10)
	}
}

func sessionStolen(o *office) {
	u := o.hire(person("ann"))
	for i, late := range []time.Duration{store.ReuseGrace, time.Minute, sessionLife - time.Second} {
		s := o.signIn(u.ID, 100*i+1)
		o.mustRotate(100*i+1, 100*i+2)
		o.clock.advance(late / 2)
		if late/2 < store.ReuseGrace {
			o.mustRotate(100*i+1, 100*i+3)
		}
		o.clock.advance(late - late/2)
		_, at := o.changed(0)
		_, err := o.rotate(100*i+1, 100*i+4)
		wantErr(o.t, "a token spent "+late.String()+" ago", err, store.ErrUnauthorized)
		o.wantEnded("theft", at, u.ID)
		o.wantDead(s.ID, 100*i+1, 100*i+2, 100*i+3, 100*i+4)
	}
}

// sessionLongFamily is a thief who refreshes as often as they can before the owner of the
// stolen token comes back: the owner's must still end the session.
func sessionLongFamily(o *office) {
	const rotations = 200
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	for n := 1; n <= rotations; n++ {
		o.mustRotate(n, n+1)
		o.clock.advance(store.ReuseGrace)
	}
	_, at := o.changed(0)
	_, err := o.rotate(1, 999)
	wantErr(o.t, "a token spent before many others", err, store.ErrUnauthorized)
	o.wantEnded("theft", at, u.ID)
	o.wantDead(s.ID, 1, 100, rotations, rotations+1)
}

func sessionFamily(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	o.mustRotate(1, 2)
	o.mustRotate(1, 3)
	o.clock.advance(time.Minute)
	o.mustRotate(3, 4)
	o.mustRotate(2, 5)
	o.clock.advance(time.Minute)
	_, err := o.rotate(3, 6)
	wantErr(o.t, "a spent token of the further pair", err, store.ErrUnauthorized)
	o.wantDead(s.ID, 1, 2, 3, 4, 5, 6)
}

func sessionRefused(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	_, err := o.rotate(9, 10)
	wantErr(o.t, "an unknown token", err, store.ErrUnauthorized)
	_, err = o.rotate(10, 11)
	wantErr(o.t, "the token after an unknown one", err, store.ErrUnauthorized)
	o.clock.advance(sessionLife + time.Millisecond)
	_, err = o.rotate(1, 2)
	wantErr(o.t, "an expired token", err, store.ErrUnauthorized)
	o.wantDead(s.ID, 1, 2)
}

func sessionByRefresh(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	s.ExpiresAt = o.mustRotate(1, 2).ExpiresAt
	o.clock.advance(time.Minute)
	for _, n := range []int{1, 2} {
		got, err := o.SessionByRefresh(o.ctx, token(n), o.clock.Now())
		o.fatal("session by refresh", err)
		wantSame(o.t, fmt.Sprintf("session of token %d", n), got, s)
	}
	if got, err := o.SessionByRefresh(o.ctx, token(3), o.clock.Now()); err == nil {
		o.t.Errorf("an unknown token belongs to %+v", got)
	}
	o.clock.advance(sessionLife)
	o.wantDead(s.ID, 1, 2)
}

func sessionsAtOnce(o *office) {
	u := o.hire(person("ann"))
	o.signIn(u.ID, 1)
	var got atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if _, err := o.rotate(1, 100+i); err != nil {
				o.t.Errorf("rotate: %v", err)
				return
			}
			got.Add(1)
		})
	}
	wg.Wait()
	for i := range 16 {
		o.mustRotate(100+i, 200+i)
	}
	if got.Load() != 16 {
		o.t.Errorf("%d tabs got a pair, want 16", got.Load())
	}
}

func sessionsDurable(o *office) {
	u := o.hire(person("ann"))
	s := o.signIn(u.ID, 1)
	s.ExpiresAt = o.mustRotate(1, 2).ExpiresAt
	o.reopen()
	got, err := o.Session(o.ctx, s.ID, o.clock.Now())
	o.fatal("session", err)
	wantSame(o.t, "session after a restart", got, s)
	o.mustRotate(1, 3)
	o.mustRotate(2, 4)
	o.clock.advance(store.ReuseGrace)
	o.reopen()
	_, err = o.rotate(1, 5)
	wantErr(o.t, "a token spent before the restart", err, store.ErrUnauthorized)
	o.wantDead(s.ID, 1, 2, 3, 4)
}

func sessionsSwept(o *office) {
	u := o.hire(person("ann"))
	for i := range 5 {
		o.signIn(u.ID, i)
	}
	o.mustRotate(4, 5)
	o.clock.advance(sessionLife / 2)
	live := o.signIn(u.ID, 10)
	o.mustRotate(10, 11)
	now := o.clock.advance(sessionLife/2 + time.Second)
	for _, want := range []int{2, 2, 1, 0} {
		if removed, err := o.SweepSessions(o.ctx, now, 2); err != nil || removed != want {
			o.t.Errorf("swept %d, %v, want %d", removed, err, want)
		}
	}
	if _, err := o.Session(o.ctx, live.ID, now); err != nil {
		o.t.Errorf("the live session: %v", err)
	}
	o.mustRotate(11, 12)
	for i := range 5 {
		o.wantDead(sessionID(i), i)
	}
}

var codeCases = []accountsCase{
	{"a code works once", codeOnce},
	{"a code works for its purpose until it expires", codeRefused},
	{"of two with one code one wins", codeAtOnce},
	{"the broom removes codes that expired", codesSwept},
}

// code hands out a code to the first person, who is made when there is none.
func (o *office) code(n int, purpose store.Purpose, life time.Duration) store.Code {
	o.t.Helper()
	if _, err := o.User(o.ctx, 1); err != nil {
		o.hire(person("ann"))
	}
	c := store.Code{Hash: token(n), Purpose: purpose, User: 1, Email: "ann@example.org", Expires: o.clock.Now().Add(life)}
	o.fatal("add code", o.AddCode(o.ctx, c))
	return c
}

func codeOnce(o *office) {
	c := o.code(1, store.PurposeReset, time.Hour)
	o.reopen()
	got, err := o.TakeCode(o.ctx, c.Hash, store.PurposeReset, o.clock.Now())
	o.fatal("take code", err)
	wantSame(o.t, "code", got, c)
	for range 2 {
		_, err = o.TakeCode(o.ctx, c.Hash, store.PurposeReset, o.clock.Now())
		wantErr(o.t, "a spent code", err, store.ErrNotFound)
		o.reopen()
	}
}

func codeRefused(o *office) {
	c := o.code(1, store.PurposeVerify, time.Hour)
	now := o.clock.Now()
	_, err := o.TakeCode(o.ctx, token(2), store.PurposeVerify, now)
	wantErr(o.t, "an unknown code", err, store.ErrNotFound)
	_, err = o.TakeCode(o.ctx, c.Hash, store.PurposeReset, now)
	wantErr(o.t, "a code for something else", err, store.ErrNotFound)
	_, err = o.TakeCode(o.ctx, c.Hash, store.PurposeVerify, c.Expires.Add(time.Millisecond))
	wantErr(o.t, "an expired code", err, store.ErrNotFound)
	second := o.code(3, store.PurposeVerify, time.Hour)
	_, err = o.TakeCode(o.ctx, second.Hash, store.PurposeReset, now)
	wantErr(o.t, "a code for something else", err, store.ErrNotFound)
	if got, err := o.TakeCode(o.ctx, second.Hash, store.PurposeVerify, second.Expires.Add(-time.Millisecond)); err != nil || got.User != 1 {
		o.t.Errorf("a code after it was tried for something else = %+v, %v, want it", got, err)
	}
}

func codeAtOnce(o *office) {
	c := o.code(1, store.PurposeReset, time.Hour)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := o.TakeCode(o.ctx, c.Hash, store.PurposeReset, o.clock.Now()); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		o.t.Errorf("%d took the code, want 1", won.Load())
	}
}

func codesSwept(o *office) {
	for i := range 3 {
		o.code(i, store.PurposeReset, time.Hour)
	}
	live := o.code(9, store.PurposeReset, 3*time.Hour)
	now := o.clock.advance(2 * time.Hour)
	for _, want := range []int{2, 1, 0} {
		if removed, err := o.SweepSessions(o.ctx, now, 2); err != nil || removed != want {
			o.t.Errorf("swept %d, %v, want %d", removed, err, want)
		}
	}
	if _, err := o.TakeCode(o.ctx, live.Hash, store.PurposeReset, now); err != nil {
		o.t.Errorf("the live code: %v", err)
	}
}
