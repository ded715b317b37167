// Package bench measures what a machine holds: it runs Hearth's own program as a server in
// a process of its own, drives it with lean clients, and puts what it sees beside the
// targets and beside the limits that bare Badger and bare sockets have on the same machine
// in the same run. Every delivery is counted once and in order while it measures; one that
// is missing, doubled or out of order fails the run.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Stores are a data folder, opened.
type Stores struct {
	People store.Accounts
	Rooms  store.Workspace
	Close  func() error
}

// Options say what to measure. Binary and Open are needed.
type Options struct {
	Binary  string                                                    // the program to measure
	Version string                                                    // of the program, for the table
	Open    func(ctx context.Context, folder string) (*Stores, error) // opens a data folder, making it first
	Rooms   string                                                    // name of the folder with Badger's files in a data folder
	Folder  string                                                    // where data goes while it measures; empty: the folder for temporary files
	Only    []string                                                  // names of scenarios; empty: all
	Short   bool                                                      // small and quick: shows that all works and measures little
	Lines   []string                                                  // what people say; empty: a small sample
	Log     io.Writer                                                 // hears what is being done; nil: nobody
}

// scenario is one thing that is measured.
type scenario struct {
	name, about string
	run         func(b *bench, ctx context.Context) error
}

// scenarios are in the order of the table.
var scenarios = []scenario{
	{"fanout", "one room, 1,000 sockets, 20 and 100 messages a second, and as many as go", (*bench).fanout},
	{"send", "64 senders into sixteen rooms and into one, over WebSocket and HTTP", (*bench).send},
	{"memory", "memory of an empty server and while it takes 10,000 messages a second", (*bench).memory},
	{"sockets", "memory of 1,000 idle sockets", (*bench).idle},
	{"storm", "1,000 sockets that come back at once after a restart", (*bench).storm},
	{"archive", "a million messages: disk, start, memory, history, unread", (*bench).archive},
	{"binary", "size of the program", (*bench).binary},
}

// Scenarios returns the names for Options.Only, with what each measures.
func Scenarios() (lines []string) {
	for _, s := range scenarios {
		lines = append(lines, s.name+": "+s.about)
	}
	return lines
}

// sizes are how much of everything there is.
type sizes struct {
	accounts, sockets, senders, rooms int
	messages, biggest, archiveRooms   int // of the archive; biggest is its largest room
	readers, starts                   int
	rates                             []int // of fan-out, messages a second
	posts                             int   // messages a second while memory is measured
	warm, span, settle                time.Duration
}

var (
	fullSizes = sizes{
		accounts: 1200, sockets: 1000, senders: 64, rooms: 16, messages: 1_000_000, biggest: 100_000, archiveRooms: 200,
		readers: 16, starts: 5, rates: []int{20, 100}, posts: 10_000, warm: 2 * time.Second, span: 10 * time.Second, settle: 6 * time.Second,
	}
	shortSizes = sizes{
		accounts: 50, sockets: 40, senders: 16, rooms: 4, messages: 4000, biggest: 1000, archiveRooms: 10,
		readers: 4, starts: 1, rates: []int{20, 100}, posts: 200, warm: 200 * time.Millisecond, span: 500 * time.Millisecond, settle: 100 * time.Millisecond,
	}
)

// bench is one run.
type bench struct {
	Options
	sizes
	work  string // removed at the end
	next  int    // numbers data folders
	table Table
}

// Run measures and returns the table. An error is what kept it from measuring, or a
// delivery that was not right.
func Run(ctx context.Context, o Options) (table Table, err error) {
	if runtime.GOOS != "linux" {
		return table, errors.New("the bench reads /proc and so runs on Linux alone")
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == name }) {
			return table, fmt.Errorf("there is no scenario %q; there are\n  %s", name, strings.Join(Scenarios(), "\n  "))
		}
	}
	b := &bench{Options: o, sizes: fullSizes}
	if o.Short {
		b.sizes = shortSizes
	}
	if len(b.Lines) == 0 {
		b.Lines = sample
	}
	if b.Log == nil {
		b.Log = io.Discard
	}
	if b.work, err = os.MkdirTemp(o.Folder, "hearth-bench-"); err != nil {
		return table, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	b.table.Short, b.table.Version = o.Short, o.Version
	if b.table.Machine, err = machine(b.work); err != nil {
		return table, err
	}
	for _, s := range scenarios {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
			continue
		}
		b.say("%s: %s", s.name, s.about)
		if err := s.run(b, ctx); err != nil {
			return b.table, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return b.table, nil
}

func (b *bench) say(format string, a ...any) { fmt.Fprintf(b.Log, format+"\n", a...) }

// row adds a row to the table.
func (b *bench) row(r Row) {
	b.table.Rows = append(b.table.Rows, r)
	b.say("  %s: %s", r.What, r.Measured)
}

// folder returns a path for data that is not there yet.
func (b *bench) folder() string {
	b.next++
	return filepath.Join(b.work, fmt.Sprint("data-", b.next))
}

// each calls do for 0 to n-1, at most so many at a time, and returns the first error.
func each(n, atOnce int, do func(i int) error) error {
	slots, failed := make(chan struct{}, atOnce), make(chan error, n)
	for i := range n {
		slots <- struct{}{}
		go func() {
			failed <- do(i)
			<-slots
		}()
	}
	var first error
	for range n {
		if err := <-failed; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// rest waits, or returns the error of a context that ended.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// binary weighs the program.
func (b *bench) binary(context.Context) error {
	info, err := os.Stat(b.Binary)
	if err != nil {
		return err
	}
	mb := float64(info.Size()) / 1e6
	b.row(Row{What: "program with web app", Measured: fmt.Sprintf("%.1f MB", mb), Target: "≤ 28 MB", Met: judge(mb <= 28)})
	return nil
}
