package bench

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Verdict says whether a target was met.
type Verdict string

// The verdicts.
const (
	Met    Verdict = "met"
	Missed Verdict = "**missed**"
	Open   Verdict = "" // there is no target
)

func judge(met bool) Verdict {
	if met {
		return Met
	}
	return Missed
}

// Row is one line of the table.
type Row struct {
	What     string
	Measured string
	Target   string // empty: none
	Met      Verdict
	Limit    string // what the machine allows, measured in the same run
}

// Table is what a run found.
type Table struct {
	Version string
	Machine string
	Short   bool // too small to be judged
	Rows    []Row
}

// Markdown writes the table out.
func (t Table) Markdown() string {
	var s strings.Builder
	fmt.Fprintf(&s, "Hearth %s on %s; the clients run on the same cores.\n\n", t.Version, t.Machine)
	if t.Short {
		s.WriteString("This was a short run: it is too small to be judged.\n\n")
	}
	s.WriteString("| what | measured | target | | limit in the same run |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range t.Rows {
		if t.Short {
			r.Met = Open
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s |\n", r.What, r.Measured, r.Target, r.Met, r.Limit)
	}
	return s.String()
}

// What stands between the marks of a file is Write's.
const (
	beginMark = "<!-- hearth bench -->\n"
	endMark   = "<!-- /hearth bench -->"
)

// Write puts the table into a Markdown file, in place of what stands between its marks
// "<!-- hearth bench -->" and "<!-- /hearth bench -->".
func (t Table) Write(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	before, rest, found := bytes.Cut(text, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !found || !ended {
		return fmt.Errorf("write the table: %s has no lines %q and %q", path, strings.TrimSpace(beginMark), endMark)
	}
	whole := fmt.Appendf(nil, "%s%s%s%s%s", before, beginMark, t.Markdown(), endMark, after)
	if err := os.WriteFile(path, whole, 0o644); err != nil { //nolint:gosec // a page for everybody
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}
