package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// output is what a program printed so far; it can be waited for.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and replaced by each write
}

func newOutput() *output { return &output{grown: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.grown)
	o.grown = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await returns the first group of a pattern once it was printed.
func (o *output) await(t *testing.T, pattern string) string {
	t.Helper()
	find := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		o.mu.Lock()
		found, grown := find.FindStringSubmatch(o.text.String()), o.grown
		o.mu.Unlock()
		if found != nil {
			return found[len(found)-1]
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("%q was not printed, but\n%s", pattern, o)
		}
	}
}

// ran is one command that has ended.
type ran struct {
	code     int
	out, err string
}

// cli runs one command to its end.
func cli(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, nil, strings.NewReader(stdin), &out, &errs)
	return ran{code, out.String(), errs.String()}
}

// must ends the test unless the command succeeded.
func (r ran) must(t *testing.T) ran {
	t.Helper()
	if r.code != exitOK || r.err != "" {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	return r
}

// served is a server that runs in this process.
type served struct {
	folder, url string
	out, log    *output
	stop        func() int // and the exit code
}

// serving starts a server on a folder, at any port.
func serving(t *testing.T, folder string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &served{folder: folder, out: newOutput(), log: newOutput()}
	ended := make(chan int, 1)
	go func() {
		all := append([]string{"serve", "--data", folder, "--listen", "127.0.0.1:0", "--bcrypt-cost", "4"}, args...)
		ended <- run(ctx, all, nil, strings.NewReader(""), s.out, s.log)
	}()
	var code int
	var once sync.Once
	s.stop = func() int {
		once.Do(func() {
			cancel()
			code = <-ended
		})
		return code
	}
	t.Cleanup(func() { s.stop() })
	s.url = s.out.await(t, `on this computer +(\S+)`)
	return s
}

// fetch makes a request and decodes the answer into into, unless that is nil.
func fetch(t *testing.T, method, url, token string, body, into any) (status int) {
	t.Helper()
	status, err := request(t.Context(), method, url, token, body, into)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return status
}

// request is fetch for what may fail.
func request(ctx context.Context, method, url, token string, body, into any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	out, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	out.Header.Set("Content-Type", "application/json")
	if token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	in, err := http.DefaultClient.Do(out)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Body.Close() }()
	answer, err := io.ReadAll(in.Body)
	if err == nil && into != nil && in.StatusCode < 300 {
		err = json.Unmarshal(answer, into)
	}
	return in.StatusCode, err
}
