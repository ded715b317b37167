package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestBenchMeasuresEverything runs each scenario in small, with the program as it is shipped.
func TestBenchMeasuresEverything(t *testing.T) {
	if runtime.GOOS != "linux" {
		if r := cli(t, "", "bench", "--short"); r.code != exitFailed {
			t.Errorf("exit code %d", r.code)
		}
		return
	}
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("<!-- hearth bench -->\n<!-- /hearth bench -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	out, err := exec.CommandContext(t.Context(), binary(t), "bench", "--short", "--in", in, "--write", page).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		"| fan-out to 40 sockets, 20 ", "| fan-out to 40 sockets, 100 ", "| fan-out to 40 sockets, highest ",
		"over WebSocket, 16 senders in 4 rooms |", "over WebSocket, 16 senders in 1 room |", "over HTTP, 16 senders in 4 rooms |", "over HTTP, 16 senders in 1 room |",
		"| memory, empty |", "| memory while taking ", "| idle socket, of 40 |", "| 40 sockets come back ", "| disk ", "| start ", "| memory with 4000 messages, idle |",
		"| history, newest 50 of 1000, 4 readers |", "| unread of somebody in 10 rooms ", "| program ",
	} {
		if strings.Count(string(text), row) != 1 {
			t.Errorf("the table has not one row with %q", row)
		}
	}
	left, err := os.ReadDir(in)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
	if r := cli(t, "", "bench", "--only", "fanuot"); r.code != exitFailed || !strings.Contains(r.err, "fanout:") {
		t.Errorf("exit code %d, %s", r.code, r.err)
	}
}
