package bolt

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

// furnished is a store with one of everything: ann (1), an administrator; bob (2), who was
// imported with an id of his own; sessions s1 (ann, refreshed once) and s2 (bob).
func furnished(t *testing.T) *Store {
	t.Helper()
	s := newStore(t)
	ctx := t.Context()
	ann := person("ann")
	ann.Role = store.RoleAdmin
	add(t, s, ann)
	bob := person("bob")
	bob.Alias, bob.Object = "irc:bob", store.ObjectID{1, 2, 3}
	if _, _, err := s.ImportUsers(ctx, []store.User{bob}); err != nil {
		t.Fatal(err)
	}
	signIn(t, s, 1, "s1", "first")
	signIn(t, s, 2, "s2", "bobs")
	signIn(t, s, 2, "s3", "ended")
	must[store.Session](t)(s.RotateSession(ctx, hash("first"), hash("second"), testStart, testStart.Add(time.Hour)))
	for _, err := range []error{
		s.EndSession(ctx, "s3"),
		s.AddCode(ctx, store.Code{Hash: hash("code"), Purpose: store.PurposeReset, User: 1, Expires: testStart.Add(time.Hour)}),
		s.AddInvite(ctx, store.Invite{Code: "invite", By: 1, Room: "room", Expires: testStart.Add(time.Hour)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestVerifyFindsDamage(t *testing.T) {
	verified(t, furnished(t))
	put := func(bucket, key, value []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put(key, value) }
	}
	remove := func(bucket, key []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete(key) }
	}
	record := func(r any) []byte {
		v, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first, object := hash("first"), store.ObjectID{1, 2, 3}
	tests := []struct {
		name   string
		damage func(*bbolt.Tx) error
		want   string // among the problems, as "where: what"
	}{
		{"a name that leads nowhere", remove(bucketByName, []byte("ann")), `by-name "ann": does not lead to account 1`},
		{"a name that leads to somebody else", put(bucketByName, []byte("ann"), userKey(2)), `by-name "ann": leads to account 2, which is not called that`},
		{"a name of nobody", put(bucketByName, []byte("zoe"), userKey(77)), `by-name "zoe": leads to account 77, which is not there`},
		{"an address that leads nowhere", remove(bucketByEmail, []byte("bob@example.org")), `by-email "bob@example.org": does not lead to account 2`},
		{"an alias that leads nowhere", remove(bucketByAlias, []byte("irc:bob")), `by-alias "irc:bob": does not lead to account 2`},
		{"a foreign id that leads nowhere", remove(bucketByObject, object[:]), `by-object 010203000000000000000000: does not lead to account 2`},
		{"an administrator who is none", put(bucketAdmins, userKey(2), userKey(2)), `admins 2: leads to account 2, which is not called that`},
		{"an administrator left out", remove(bucketAdmins, userKey(1)), `admins 1: does not lead to account 1`},
		{"an account that cannot be read", put(bucketUsers, userKey(1), []byte{9, 9}), `users 1: the account cannot be read`},
		{"an account that is gone", remove(bucketUsers, userKey(2)), `sessions "s2": a session of account 2, which is not there`},
		{"a number to be given twice", func(tx *bbolt.Tx) error { return tx.Bucket(bucketUsers).SetSequence(1) }, `users 2: the number of this account would be given to another`},
		{"an edit left out", remove(bucketByRevision, number(1)), `users 1: the newest edit, 1, is not among the changes`},
		{"an end of a session left out", remove(bucketByRevision, number(3)), `users 2: the newest end of a session, 3, is not among the changes`},
		{"a change nobody knows of", put(bucketByRevision, number(9), append(userKey(1), 1)), `by-revision 9: a change of account 1, which knows nothing of it`},
		{"a change of nobody", put(bucketByRevision, number(9), append(userKey(77), 1)), `by-revision 9: a change of account 77, which is not there`},
		{"a change to be numbered twice", func(tx *bbolt.Tx) error { return tx.Bucket(bucketByRevision).SetSequence(2) }, `by-revision 3: the number of this change would be given to another`},
		{"a change that cannot be read", put(bucketByRevision, number(9), []byte("?")), `by-revision 9: the change cannot be read`},
		{"a session of nobody", put(bucketSessions, []byte("s9"), record(sessionRecord{User: 77})), `sessions "s9": a session of account 77, which is not there`},
		{"a session its person does not know", remove(bucketSessionsOf, sessionOfKey(1, "s1")), `sessions "s1": the session is not among those of account 1`},
		{"a session that is gone", remove(bucketSessions, []byte("s1")), `sessions-of "s1": account 1 has no such session`},
		{"a session that cannot be read", put(bucketSessions, []byte("s1"), []byte{1, '{'}), `sessions "s1": the session cannot be read`},
		{"a token of no session", remove(bucketSessions, []byte("s1")), `a refresh token of session "s1", which is not there`},
		{"a token its session did not hand out", put(bucketSessions, []byte("s1"), record(sessionRecord{User: 1, Tokens: 1})), `refresh token 2 of a session that handed out 1`},
		{"a token its session does not know", remove(bucketRefreshOf, tokenKey("s1", 1)), `the refresh token is not among those of session "s1"`},
		{"a token that cannot be read", put(bucketRefresh, first[:], []byte("?")), `the refresh token cannot be read`},
		{"a list of tokens that cannot be read", put(bucketRefreshOf, tokenKey("s1", 1), first[:]), `the entry cannot be read`},
		{"a token that is gone", remove(bucketRefresh, first[:]), `leads to no refresh token of this session`},
		{"a code for nobody", remove(bucketUsers, userKey(1)), `a code for account 1, which is not there`},
		{"an invite that cannot be read", put(bucketInvites, []byte("invite"), nil), `invites "invite": the invite cannot be read`},
		{"a mail that cannot be read", put(bucketMails, number(1), []byte("?")), `mails 1: the mail cannot be read`},
		{"a mail without a number", put(bucketMails, []byte("?"), nil), `mails "?": the mail cannot be read`},
		{"a mail to be numbered twice", put(bucketMails, number(9), record(mailRecord{Email: "ann@example.org"})), `mails 9: the number of this mail would be given to another`},
		{"a setup code that was spent", put(bucketMeta, metaSetupCode, []byte("code")), `meta "setup-code": there is a setup code, but it was spent`},
		{"settings that cannot be read", put(bucketMeta, metaSettings, nil), `meta "settings": the settings cannot be read`},
		{"a bucket that is gone", func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketInvites) }, `the bucket is not there`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := furnished(t)
			if err := s.db.Update(tt.damage); err != nil {
				t.Fatal(err)
			}
			var problems []string
			err := s.Verify(t.Context(), func(p Problem) { problems = append(problems, p.Where+": "+p.What) })
			if err != nil || !strings.Contains(strings.Join(problems, "\n"), tt.want) {
				t.Errorf("Verify: %v\n%s\nwant %s", err, strings.Join(problems, "\n"), tt.want)
			}
		})
	}
}

// TestDamagedPage flips bytes in the middle of the file, where the accounts are.
func TestDamagedPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts")
	s := open(t, path)
	users := make([]store.User, 2000)
	for i := range users {
		users[i] = person("user" + strings.Repeat("x", i%20))
		users[i].Email = ""
	}
	if _, _, err := s.ImportUsers(t.Context(), users); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content := must[[]byte](t)(os.ReadFile(path))
	pageSize := os.Getpagesize()
	for page := 4; page < len(content)/pageSize; page++ {
		for i := range 16 { // the header of a page
			content[page*pageSize+i] ^= 0xff
		}
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	// After an unclean stop the pages are checked before anything else.
	if err := os.WriteFile(pidFile(path), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), "backup") {
		t.Errorf("Open after an unclean stop: %v, want it to say that the file is damaged", err)
		if err == nil {
			_ = s.Close()
		}
	}
	if _, err := os.Stat(pidFile(path)); err != nil {
		t.Errorf("the next start would not check: %v", err)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	s := furnished(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Verify(ctx, func(Problem) {}); err == nil {
		t.Error("Verify with a canceled context: nil")
	}
}
