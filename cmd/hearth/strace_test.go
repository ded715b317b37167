package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const tracedPosts = 50

// TestSyncBeforeAnswer traces the system calls of posts that follow each other, and sees
// for each that a sync was begun after its request was read and had ended before its
// answer was written.
func TestSyncBeforeAnswer(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is missing, and CI skips nothing")
		}
		t.Skip("NOT TESTED: strace is missing (apt-get install strace), so nobody saw a message reach the disk before its answer")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	// With -D the tracer is the grandchild and the server our own child.
	p := startProcess(t, t.TempDir(), strace, "-D", "-f", "-q", "-s", "4096", "-o", trace,
		"-e", "trace=read,write,writev,sendto,sendmsg,fsync,fdatasync,sync_file_range,msync")
	var who struct{ Token string }
	person := map[string]string{"username": "ann", "email": "ann@example.org", "password": testPassword}
	if status := fetch(t, "POST", p.url+"/api/auth/register", "", person, &who); status != 201 {
		t.Fatalf("register: %d", status)
	}
	var room struct{ ID string }
	if status := fetch(t, "POST", p.url+"/api/chat/rooms", who.Token, map[string]string{"name": "lobby"}, &room); status != 201 {
		t.Fatalf("make a room: %d", status)
	}
	for i := range tracedPosts {
		if status := fetch(t, "POST", p.url+"/api/chat/rooms/"+room.ID+"/messages", who.Token, map[string]string{"content": fmt.Sprint("post ", i)}, nil); status != 201 {
			t.Fatalf("post %d: %d", i, status)
		}
	}
	p.stop(t)
	posts, synced := readTrace(t, awaitTrace(t, trace, p.cmd.Process.Pid), room.ID)
	if posts != tracedPosts || synced != tracedPosts {
		t.Errorf("%d posts were seen, and %d of them had a sync between request and answer; want %d", posts, synced, tracedPosts)
	}
}

// awaitTrace returns the trace once it tells of the end of the traced process.
func awaitTrace(t *testing.T, path string, pid int) string {
	t.Helper()
	end := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+ exited with`, pid))
	for late := time.After(patience); ; {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if end.Match(text) {
			return string(text)
		}
		select {
		case <-late:
			t.Fatal("the tracer does not come to an end")
		case <-time.After(10 * time.Millisecond): // a file cannot be waited for
		}
	}
}

// traceLine is one line: a whole call, the beginning of one, or its end.
var traceLine = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?([a-z_]+)(\(| resumed>)(.*)$`)

// readTrace counts the posts to a room and those that were synced in time. Lines stand in
// the order in which the kernel did things; a call that something came between has two.
func readTrace(t *testing.T, trace, room string) (posts, synced int) {
	t.Helper()
	request := "/api/chat/rooms/" + room + "/messages HTTP/1.1" // the method's first letter may be read by itself
	open := false                                               // a request was read and not answered
	began := make(map[string]bool)                              // threads with a sync under way that began after the request
	done := false                                               // such a sync has ended
	for line := range strings.Lines(trace) {
		m := traceLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		thread, call, text := m[1], m[2], m[4]
		begins, ends := m[3] == "(", !strings.HasSuffix(text, "<unfinished ...>")
		switch call {
		case "read":
			if ends && strings.Contains(text, request) {
				posts++
				open, done = true, false
				clear(began)
			}
		case "fsync", "fdatasync", "sync_file_range", "msync":
			if begins && open {
				began[thread] = true
			}
			if ends && began[thread] {
				delete(began, thread)
				done = done || strings.HasSuffix(text, "= 0")
			}
		default: // a write of some kind
			if begins && open && strings.Contains(text, "HTTP/1.1 201") {
				if done {
					synced++
				}
				open = false
			}
		}
	}
	return posts, synced
}
