package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hearthchat/hearth/server"
)

// TestDocumentedRequests plays the golden files: what documented clients send, byte for
// byte, and what they read in the answer. Their form is told in accounts.golden.
func TestDocumentedRequests(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("compat/testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".golden"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			client := start(t, options{Server: server.Options{ServicePorts: true}}).Nobody(t)
			kept := map[string]string{}
			for _, step := range strings.Split("\n"+string(text), "\n### ")[1:] {
				name, rest, _ := strings.Cut(step, "\n")
				playStep(t, client, name, rest, kept)
				if t.Failed() {
					return // the steps that follow stand on this one
				}
			}
		})
	}
}

// playStep makes the request of one step and looks for what it expects.
func playStep(t *testing.T, client *actor, name, step string, kept map[string]string) {
	t.Helper()
	r := request{Header: http.Header{}}
	var body, wants []string
	for line := range strings.Lines(strings.TrimRight(step, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		switch field, isRequest := strings.CutPrefix(line, "> "); {
		case isRequest && r.Method == "":
			r.Method, r.Path, _ = strings.Cut(expand(t, field, kept), " ")
		case isRequest:
			key, value, _ := strings.Cut(expand(t, field, kept), ": ")
			r.Header.Set(key, value)
		case strings.HasPrefix(line, "< "):
			wants = append(wants, line[2:])
		default:
			body = append(body, line)
		}
	}
	if len(body) > 0 {
		r.Body = expand(t, strings.Join(body, "\n"), kept)
	}
	status, err := strconv.Atoi(wants[0])
	if err != nil {
		t.Fatalf("%s: status %q", name, wants[0])
	}
	if rest, documented := strings.CutPrefix(r.Path, "http://localhost:"); documented {
		port, path, _ := strings.Cut(rest, "/")
		number, err := strconv.Atoi(port)
		if err != nil {
			t.Fatalf("%s: port %q", name, port)
		}
		client, r.Path = client.At(number), "/"+path
	}
	got := client.Send(r)
	if got.Status != status {
		t.Errorf("%s: %s %s = %d %s, want %d", name, r.Method, r.Path, got.Status, got.Body, status)
		return
	}
	for _, want := range wants[1:] {
		path, want, _ := strings.Cut(want, " ")
		if path == "body" { // all of it, byte for byte
			if string(got.Body) != want {
				t.Errorf("%s: answers %s, want %s", name, got.Body, want)
			}
			continue
		}
		want, keep, _ := strings.Cut(want, " -> ")
		path, want = expand(t, path, kept), expand(t, want, kept)
		value, ok := got.At(path)
		if !likeGolden(value, ok, want) {
			t.Errorf("%s: %s = %v, want %s in %s", name, path, value, want, got.Body)
		}
		if text, isText := value.(string); isText && keep != "" {
			kept[keep] = text
		}
	}
}

// likeGolden reports whether a value of an answer is what a golden file says.
func likeGolden(value any, there bool, want string) bool {
	text, isText := value.(string)
	switch want {
	case "<absent>":
		return !there
	case "<string>":
		return isText
	case "<hex24>":
		return isText && regexp.MustCompile(`^[0-9a-f]{24}$`).MatchString(text)
	case "<uuid>":
		return isText && regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(text)
	case "<time>":
		return isText && regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(text)
	case "<integer>":
		number, isNumber := value.(json.Number)
		_, err := strconv.Atoi(string(number))
		return isNumber && err == nil
	case "<boolean>":
		_, is := value.(bool)
		return is
	case "<array>":
		_, is := value.([]any)
		return is
	case "<object>":
		_, is := value.(map[string]any)
		return is
	}
	given, err := json.Marshal(value)
	return there && err == nil && string(given) == want
}

var goldenName = regexp.MustCompile(`\$\{(\w+)\}`)

// expand puts what earlier steps kept in its places.
func expand(t *testing.T, text string, kept map[string]string) string {
	t.Helper()
	var unknown []string
	text = goldenName.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := kept[name[2:len(name)-1]]
		if !ok {
			unknown = append(unknown, name)
		}
		return value
	})
	if slices.Sort(unknown); len(unknown) > 0 {
		t.Fatalf("nothing was kept as %v", unknown)
	}
	return text
}
