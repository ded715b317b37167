package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/hearthchat/hearth/cmd/hearth/bench"
)

var benchCommand = &command{
	name: "bench", about: "measure what this machine holds", run: runBench,
	more: `It starts servers of its own on a temporary folder, puts load on them and prints a table in
Markdown, with targets beside what was measured. That takes about five minutes, all cores
and 1 GB of disk; running servers are not touched. It measures

  ` + strings.Join(bench.Scenarios(), "\n  "),
	options: []option{
		{"only", "NAMES", "measure only these, separated by commas"},
		{"short", "", "small numbers, in seconds: shows that it works, is no measure"},
		{"lines", "FILE", "what people say: JSON lines as of import irc; without it a small sample"},
		{"in", "FOLDER", "put the data there, on the disk to be measured; without it with the temporary files"},
		{"write", "FILE", "put the table into a Markdown file, between its marks <!-- hearth bench -->"},
	},
	examples: []string{"hearth bench", "hearth bench --only send,fanout --in /srv", "hearth bench --lines ubuntu-irc.jsonl.gz --write README.md"},
}

func runBench(ctx context.Context, c *call) error {
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o := bench.Options{
		Binary: binary, Version: version, Rooms: roomsFolder, Folder: c.flags["in"], Short: c.flags["short"] != "", Log: c.stderr,
		Open: func(ctx context.Context, folder string) (*bench.Stores, error) {
			of := *c.settled
			of.Data = folder
			s, err := openSystem(ctx, &of, slog.New(slog.DiscardHandler))
			if err != nil {
				return nil, err
			}
			return &bench.Stores{People: s.people, Rooms: s.rooms, Close: s.Close}, nil
		},
	}
	if only := c.flags["only"]; only != "" {
		o.Only = strings.Split(only, ",")
	}
	if file := c.flags["lines"]; file != "" {
		if o.Lines, err = bench.ReadLines(file); err != nil {
			return err
		}
	}
	table, err := bench.Run(ctx, o)
	if len(table.Rows) > 0 { // also what was found before it failed
		fmt.Fprintf(c.stdout, "\n%s", table.Markdown())
	}
	if err != nil {
		return err
	}
	if file := c.flags["write"]; file != "" {
		return table.Write(file)
	}
	return nil
}
