package server_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server"
	"github.com/hearthchat/hearth/server/live"
)

// TestRoutesAndDocumentAgree holds the two tables to the same rows.
func TestRoutesAndDocumentAgree(t *testing.T) {
	t.Parallel()
	type row struct{ method, path, who, operation string }
	nameless := regexp.MustCompile(`:\w+|\{\w+\}`)
	documented, routed := map[row]bool{}, map[row]bool{}
	for _, op := range theDocument().operations {
		documented[row{op.Method, nameless.ReplaceAllString(op.Path, "{}"), op.Who, op.ID}] = true
	}
	for _, r := range server.Routes() {
		routed[row{r.Method, nameless.ReplaceAllString(r.Path, "{}"), r.Who, r.Operation}] = true
	}
	for r := range documented {
		if !routed[r] {
			t.Errorf("the document has %+v, the server does not", r)
		}
	}
	for r := range routed {
		if !documented[r] {
			t.Errorf("the server has %+v, the document does not", r)
		}
	}
}

// TestRights takes every row of the route table at its word: who may gets through, who
// may not gets exactly the refusal that is due, and what is hidden is not there.
func TestRights(t *testing.T) {
	t.Parallel()
	h := start(t, options{})
	for _, r := range server.Routes() {
		t.Run(r.Operation, func(t *testing.T) {
			op := theDocument().named(t, r.Operation)
			s := newStage(t, h)
			e := exampleOf(t, op.ID)
			e.make(s, s.whoMay(r.Who), s.public()).send(op).Must(e.succeeds)

			if whoNeedsToken[r.Who] {
				a := e.make(s, s.whoMay(r.Who), s.public())
				a.by = s.hearth.Nobody(t)
				a.send(op).Must(401)
			}
			if other := s.whoMayNot(r.Who); other != nil {
				e.make(s, other, s.public()).send(op).Must(403)
			}
			rightsInRooms(t, s, op, e, r.Who)
		})
	}
}

// ofRooms are the words of the who column that speak of one room.
var ofRooms = map[string]bool{
	"as visible": true, "memb": true, "memb (own if private)": true, "own": true, "own, adm": true,
	"author, while memb": true, "author, while memb; own": true,
}

func rightsInRooms(t *testing.T, s *stage, op *operation, e example, who string) {
	t.Helper()
	if !ofRooms[who] && op.ID != "joinRoom" && op.ID != "leaveRoom" {
		return
	}
	// To those outside, administrators included, a private room and one that is not there
	// are the same; to a guest, every room they were not given.
	missing := e.make(s, s.otto, nowhere).send(op).Must(hidden(op))
	for _, outsider := range []*actor{s.otto, s.ada} {
		sameRefusal(t, e.make(s, outsider, s.private()).send(op), missing)
	}
	if who != "own, adm" && !strings.HasPrefix(op.ID, "join") && !strings.HasPrefix(op.ID, "leave") {
		stranger := s.fresh("guest")
		s.hearth.makeGuest(t, stranger)
		sameRefusal(t, e.make(s, stranger, s.public()).send(op), missing)
	}

	// Inside a private room, rights are those of a public one.
	insider := s.whoMay(who)
	if who == "as visible" || who == "acct" {
		insider = s.mia
	}
	if who == "memb (own if private)" {
		e.make(s, s.mia, s.private()).send(op).Must(403)
		insider = s.olga
	}
	at := s.private()
	e.make(s, insider, at).send(op).Must(e.succeeds)

	// Who was removed is outside, whatever they were before.
	at = s.private()
	gone := e.make(s, s.mia, at)
	s.olga.Do("DELETE", "/api/chat/rooms/"+at.room+"/members/"+s.mia.ID, nil).Must(200)
	sameRefusal(t, gone.send(op), missing)

	switch who {
	case "own, adm":
		e.make(s, s.ada, s.public()).send(op).Must(e.succeeds)
	case "author, while memb; own":
		e.make(s, s.olga, s.public()).send(op).Must(e.succeeds)
	}
}

// hidden is how an operation says that something is not there: a socket by a close code.
func hidden(op *operation) int {
	if op.answers[404] == nil {
		return live.CloseGone
	}
	return 404
}

var given = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

// sameRefusal compares two answers but for the ids that were asked for and the time.
func sameRefusal(t *testing.T, got, want answer) {
	t.Helper()
	if got.Status != want.Status {
		t.Errorf("%s = %d %s, want %d as for what is not there", got.call, got.Status, got.Body, want.Status)
		return
	}
	a, b := given.ReplaceAllString(string(got.Body), "…"), given.ReplaceAllString(string(want.Body), "…")
	if a != b {
		t.Errorf("%s tells more than what is not there does:\n%s\n%s", got.call, a, b)
	}
	for name := range want.Header {
		if name != "Date" && name != "X-Request-Id" && strings.Join(got.Header[name], ",") != strings.Join(want.Header[name], ",") {
			t.Errorf("%s: header %s is %q, want %q as for what is not there", got.call, name, got.Header[name], want.Header[name])
		}
	}
	if len(got.Header) != len(want.Header) {
		t.Errorf("%s: headers %v, want those of what is not there: %v", got.call, got.Header, want.Header)
	}
}
