package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hearthchat/hearth"

// mayImport says for each package which of ours and which from elsewhere it may name; the
// standard library is everybody's. An entry covers what is beneath it in other modules.
var mayImport = map[string]string{
	"":                     "",
	"store":                "",
	"store/bolt":           "store go.etcd.io/bbolt",
	"store/badger":         "store github.com/dgraph-io/badger/v4",
	"store/storetest":      "store",
	"store/transfer":       "store",
	"store/transfer/irc":   "store store/transfer",
	"server/auth":          "store github.com/golang-jwt/jwt/v5 golang.org/x/crypto/bcrypt",
	"server/chat":          "store golang.org/x/time/rate",
	"server/live":          "store server/chat",
	"server/mail":          "store github.com/wneessen/go-mail",
	"server/mail/mailtest": "github.com/emersion/go-smtp github.com/emersion/go-sasl",
	"server/compat":        "store server/live github.com/gofiber/fiber/v2",
	"server": "store server/auth server/chat server/compat server/live " +
		"github.com/gofiber/fiber/v2 github.com/gofiber/contrib/websocket github.com/valyala/fasthttp github.com/fasthttp/websocket golang.org/x/time/rate",
	"cmd/hearth/bench": "store server/auth github.com/dgraph-io/badger/v4",
	"cmd/hearth":       "cmd/hearth/bench store store/bolt store/badger store/transfer store/transfer/irc server server/auth server/chat server/compat server/live server/mail golang.org/x/sys/unix",
}

// TestWhoMayImportWhom holds the packages to the table above, so that the middle never
// comes to depend on an edge.
func TestWhoMayImportWhom(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		if !strings.HasPrefix(names[0], module) {
			continue
		}
		pkg := ours(names[0])
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%q is not in the table of who may import whom", pkg)
		}
		seen[pkg] = true
		for _, name := range names[1:] {
			if strings.Contains(strings.Split(name, "/")[0], ".") && !permits(pkg, allowed, ours(name)) {
				t.Errorf("%s must not import %s", pkg, name)
			}
		}
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("the table has %q, and there is no such package", pkg)
		}
	}
}

// ours shortens the path of a package of this module.
func ours(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

func permits(pkg, allowed, name string) bool {
	if name == "" { // the embedded web interface
		return pkg == "cmd/hearth"
	}
	return slices.ContainsFunc(strings.Fields(allowed), func(a string) bool {
		return name == a || strings.Contains(a, ".") && strings.HasPrefix(name, a+"/")
	})
}
