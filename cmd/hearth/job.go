package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/hearthchat/hearth/store/transfer"
)

// job is a command that needs the stores, in a form that can be handed to the server
// that has them open.
type job struct {
	Command  string            `json:"command"`
	Args     []string          `json:"args"`
	Flags    map[string]string `json:"flags"`
	Password string            `json:"password,omitempty"`
	Size     int64             `json:"size"` // of file, in bytes

	file     io.Reader             // contents, not a path: the server may be another user in another folder
	say      func(line string)     // prints a line
	progress func(transfer.Report) // shows how far an import got
}

// withStores runs a command's work where the stores are open: in the server that runs on
// the data folder, or here when there is none.
func (c *call) withStores(ctx context.Context) error {
	j := &job{Command: c.command.name, Args: c.args, Flags: c.flags}
	j.say = func(line string) { fmt.Fprintln(c.stdout, line) }
	j.progress = func(transfer.Report) {}
	if c.command.prepare != nil {
		switch err := c.command.prepare(ctx, c, j); {
		case errors.Is(err, errPrepared):
			return nil
		case err != nil:
			return err
		}
	}
	if closer, ok := j.file.(io.Closer); ok {
		defer func() { _ = closer.Close() }() // only read from
	}
	conn, err := dialControl(c.Data)
	if err == nil {
		return runRemotely(ctx, conn, j)
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	if _, err := os.Stat(c.Data); errors.Is(err, fs.ErrNotExist) && !c.command.fresh {
		return fmt.Errorf("there is no data in %s: start hearth there first, or name the folder with --data", c.Data)
	}
	s, err := openSystem(ctx, c.settled, newLogger(c.settled, c.stderr, quietLevel(c.LogLevel)))
	if err != nil {
		return err
	}
	return errors.Join(c.command.work(ctx, s, j), s.Close())
}

// errPrepared ends a command that was done without the stores.
var errPrepared = errors.New("done")
