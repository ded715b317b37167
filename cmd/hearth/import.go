package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/transfer"
	"github.com/hearthchat/hearth/store/transfer/irc"
)

var importCommand = &command{
	name: "import irc", args: "FILE", min: 1, max: 1, about: "bring the log of an IRC channel into a room", fresh: true,
	more: `FILE holds JSON lines, plain or compressed with gzip. The whole file is read once before
anything is stored. A repeated import adds nothing, and one that was interrupted
continues. While it runs its room is read-only.`,
	options: []option{
		{"dry-run", "", "only read the file and count; store nothing"},
		{"append", "", "also into a room that holds messages of its own"},
	},
	prepare: planImport, work: importIRC,
	examples: []string{"hearth import irc ubuntu-irc.jsonl.gz --dry-run", "hearth import irc ubuntu-irc.jsonl.gz"},
}

// planImport reads the whole file, so that nothing of a file with a mistake is stored.
func planImport(ctx context.Context, c *call, j *job) error {
	f, err := os.Open(c.args[0])
	if err == nil {
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is not a file", c.args[0])
		} else if err == nil {
			j.Size = info.Size()
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open the log: %w", err), closeIf(f))
	}
	bar := newBar(c.stderr, "reading")
	plan, err := transfer.Plan(ctx, irc.Read(io.LimitReader(f, j.Size)), transfer.Options{Progress: func(r transfer.Report) { bar.show(r.Lines, 0) }})
	bar.end()
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w; nothing was stored", c.args[0], err), f.Close())
	}
	for _, line := range figures(plan) {
		j.say(line)
	}
	if c.flags["dry-run"] != "" {
		j.say("nothing was stored: this was a dry run")
		return errors.Join(f.Close(), errPrepared)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return errors.Join(fmt.Errorf("read the log again: %w", err), f.Close())
	}
	j.file = f
	stored := newBar(c.stderr, "storing")
	j.progress = func(r transfer.Report) {
		stored.show(r.Lines, plan.Lines)
		if r.Lines == plan.Lines {
			stored.end()
		}
	}
	return nil
}

func closeIf(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

func importIRC(ctx context.Context, s *system, j *job) error {
	start := time.Now()
	to := transfer.Target{Users: s.people, Workspace: s.rooms}
	r, err := transfer.Import(ctx, irc.Read(io.LimitReader(j.file, j.Size)), to, transfer.Options{Append: j.Flags["append"] != "", Progress: j.progress})
	var fault *store.Fault
	switch {
	case errors.As(err, &fault) && fault.Code == "room_not_empty":
		return errors.New("the room holds messages of its own: --append puts the log after them")
	case errors.Is(err, store.ErrImportRunning):
		return errors.New("an import into this room is running already")
	case ctx.Err() != nil:
		return fmt.Errorf("stopped after %d new messages; start it again to continue", r.AddedMessages)
	case err != nil:
		return fmt.Errorf("the import stopped after %d new messages: %w; start it again to continue", r.AddedMessages, err)
	}
	took := max(time.Since(start), time.Millisecond)
	j.say(fmt.Sprintf("added %d messages, %d people and %d rooms in %s, %.0f messages a second",
		r.AddedMessages, r.AddedPeople, r.AddedRooms, took.Round(10*time.Millisecond), float64(r.AddedMessages)/took.Seconds()))
	return nil
}

// figures says what becomes of the lines.
func figures(r transfer.Report) []string {
	lines := []string{
		fmt.Sprintf("%d lines, %d people, %d rooms", r.Lines, r.People, r.Rooms),
		fmt.Sprintf("%d messages and %d actions become messages, %d empty ones are skipped", r.Messages, r.Actions, r.Empty),
		fmt.Sprintf("%d joins, %d leaves and %d renames become system lines", r.Joins, r.Leaves, r.Renames),
		fmt.Sprintf("%d of %d reply_to become replies; %d have no earlier line as target and %d one that is no message: plain messages; %d stand on lines that become no message",
			r.Replies, r.Annotated, r.Missing, r.NoMessage, r.OnNoMessage),
	}
	if r.Parts > 0 {
		lines = append(lines, fmt.Sprintf("%d further messages hold the rest of texts over %d characters", r.Parts, store.MaxContent))
	}
	return lines
}

// bar shows how far something got, on a terminal alone.
type bar struct {
	to    io.Writer // nil: nobody looks
	what  string
	shown bool
}

func newBar(w io.Writer, what string) *bar {
	if !isTerminal(w) {
		w = nil
	}
	return &bar{to: w, what: what}
}

// show draws the bar at done of all; 0 of all means that the end is not known.
func (b *bar) show(done, all int) {
	if b.to == nil {
		return
	}
	b.shown = true
	if all == 0 {
		fmt.Fprintf(b.to, "\r%s: %d lines", b.what, done)
		return
	}
	const width = 30
	full := min(width, done*width/all)
	fmt.Fprintf(b.to, "\r%s: [%-*s] %3d%% %d of %d lines", b.what, width, "##############################"[:full], done*100/all, done, all)
}

// end leaves the line of the bar.
func (b *bar) end() {
	if b.shown {
		fmt.Fprintln(b.to)
		b.shown = false
	}
}
