package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachDeliveryMustComeOnceAndInOrder(t *testing.T) {
	frame := func(seq string) []byte {
		return []byte(`{"type":"message","message":{"id":"x","seq":` + seq + `,"content":"\"seq\":9"},"cursor":"1-1"}`)
	}
	o := order{4}
	for _, f := range [][]byte{frame("5"), []byte(`{"type":"presence_change","user_id":1}`), frame("6")} {
		if _, _, err := o.took(f); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string][]byte{
		"twice": frame("6"), "with a hole": frame("8"), "backwards": frame("5"), "an error": []byte(`{"type":"error","error":"no"}`), "too late": []byte(`{"type":"resync"}`),
	} {
		after := order{6}
		if _, _, err := after.took(f); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestTheTableReplacesWhatStandsBetweenTheMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table := Table{Version: "1", Machine: "a box", Rows: []Row{{What: "it", Measured: "9 ms", Target: "≤ 5 ms", Met: judge(false)}}}
	write("before\n" + beginMark + "old\n" + endMark + "\nafter\n")
	for range 2 { // also over itself
		if err := table.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + beginMark + table.Markdown() + endMark + "\nafter\n"; string(text) != want {
		t.Errorf("the file is\n%s\nnot\n%s", text, want)
	}
	if !strings.Contains(string(text), "| it | 9 ms | ≤ 5 ms | **missed** |") {
		t.Error("a missed target does not show")
	}
	table.Short = true
	if strings.Contains(table.Markdown(), "missed") {
		t.Error("a short run was judged")
	}
	write("no marks")
	if err := table.Write(path); err == nil {
		t.Error("a file without marks was written to")
	}
}

func TestLinesAreWhatPeopleSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	text := `{"kind":"join","nick":"ann","text":""}` + "\n" + `{"kind":"message","text":" hello "}` + "\n" + `{"kind":"message","text":"  "}` + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := ReadLines(path)
	if err != nil || len(lines) != 1 || lines[0] != "hello" {
		t.Errorf("%q, %v", lines, err)
	}
	if _, err := ReadLines(path + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}
