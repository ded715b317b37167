package server_test

import (
	"strings"
	"testing"
)

// What the who column may say, and whether it takes a token.
var whoNeedsToken = map[string]bool{
	"any": false, "acct": true, "guest": true, "memb": true, "own": true, "adm": true, "self": true,
	"as visible": true, "own, adm": true, "memb (own if private)": true,
	"author, while memb": true, "author, while memb; own": true,
}

func TestDocumentIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range theDocument().operations {
		name := op.Method + " " + op.Path
		if op.ID == "" || seen[op.ID] {
			t.Errorf("%s: operationId %q is missing or not its own", name, op.ID)
		}
		seen[op.ID] = true
		token, known := whoNeedsToken[op.Who]
		if !known {
			t.Errorf("%s: x-who %q says nothing", name, op.Who)
		}
		if _, refuses := op.answers[401]; token && !refuses {
			t.Errorf("%s: needs a token and documents no 401", name)
		}
		if op.answers[200] == nil && op.answers[201] == nil && op.answers[101] == nil {
			t.Errorf("%s: documents no way to succeed", name)
		}
		for _, status := range []int{400, 413, 415} {
			if _, ok := op.answers[status]; op.HasBody && !ok {
				t.Errorf("%s: takes a body and documents no %d", name, status)
			}
		}
		if _, ok := op.answers[404]; strings.Contains(op.Path, "{") && !ok && op.answers[101] == nil {
			t.Errorf("%s: names something in its path and documents no 404", name)
		}
	}
}
