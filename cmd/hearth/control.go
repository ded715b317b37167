package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/hearthchat/hearth/store/transfer"
)

// socketName is the local socket in the data folder over which commands reach the server
// that has the stores open. A caller sends a job as one line of JSON and then its file;
// the server answers with lines of JSON, the last one with Done.
const socketName = "hearth.sock"

// maxJob bounds the line that describes a job, in bytes.
const maxJob = 64 << 10

// reply is one line of the server's answer.
type reply struct {
	Say      string           `json:"say,omitempty"`
	Progress *transfer.Report `json:"progress,omitempty"`
	Done     bool             `json:"done,omitempty"`
	Error    string           `json:"error,omitempty"`
	Code     int              `json:"code,omitempty"`
}

var errNoServer = errors.New("no server runs on this data folder")

// dialControl connects to the server that runs on a data folder, or returns errNoServer.
func dialControl(folder string) (*net.UnixConn, error) {
	path, done, err := shortPath(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoServer
	}
	if err != nil {
		return nil, err
	}
	defer done()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNoServer
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the server on %s belongs to another user: run this as that user", folder)
	case err != nil:
		return nil, fmt.Errorf("reach the server on %s: %w", folder, err)
	}
	return conn, nil
}

// shortPath returns a path of the control socket that fits into a socket address, which
// holds about 100 bytes. done lets go of what a longer one needed.
func shortPath(folder string) (path string, done func(), err error) {
	path = filepath.Join(folder, socketName)
	if len(path) < 100 {
		return path, func() {}, nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { _ = f.Close() }, nil
}

// runRemotely has the server do a job. When ctx ends the server is hung up on, which ends
// the job there.
func runRemotely(ctx context.Context, conn *net.UnixConn, j *job) error {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if j.file == nil {
		j.file = strings.NewReader("")
	}
	sent := make(chan error, 1)
	go func() {
		err := json.NewEncoder(conn).Encode(j)
		if err == nil {
			_, err = io.CopyN(conn, j.file, j.Size)
		}
		sent <- err
	}()
	err := readReplies(conn, j)
	_ = conn.Close() // ends sending, if the server wanted no more
	sendErr := <-sent
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return errors.Join(errors.New("the server went away before it was done; what it stored so far stays"), sendErr)
	}
	return err
}

func readReplies(conn io.Reader, j *job) error {
	in := json.NewDecoder(conn)
	for {
		var r reply
		if err := in.Decode(&r); err != nil {
			return err
		}
		switch {
		case r.Progress != nil:
			j.progress(*r.Progress)
		case r.Done && r.Error != "":
			return &failure{r.Code, errors.New(r.Error)}
		case r.Done:
			return nil
		default:
			j.say(r.Say)
		}
	}
}

// controlServer does the jobs of commands in a running server.
type controlServer struct {
	commands []*command
	system   *system
	log      *slog.Logger
	listener *net.UnixListener
}

// listenControl opens the control socket. Call it only while holding the stores: then a
// socket that is there already is left over from a server that died.
func listenControl(folder string, commands []*command, s *system, log *slog.Logger) (*controlServer, error) {
	path, done, err := shortPath(folder)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove a stale control socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the control socket: %w", err), l.Close())
	}
	l.SetUnlinkOnClose(false) // its path may be a short-lived one; serve removes it
	return &controlServer{commands: commands, system: s, log: log, listener: l}, nil
}

// Serve does jobs until ctx ends, and returns when the last one has ended.
func (s *controlServer) Serve(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	defer context.AfterFunc(ctx, func() { _ = s.listener.Close() })()
	for {
		conn, err := s.listener.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		running.Go(func() {
			defer func() { _ = conn.Close() }()
			s.handle(ctx, conn)
		})
	}
}

// handle does one job. Its file ends early, or its caller hangs up: both end the job.
func (s *controlServer) handle(ctx context.Context, conn *net.UnixConn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := checkPeer(conn); err != nil {
		s.log.Warn("refused a caller of the control socket", "error", err)
		return
	}
	in := bufio.NewReaderSize(conn, maxJob)
	line, err := in.ReadSlice('\n')
	var j job
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		s.log.Warn("a caller of the control socket sent no job", "error", err)
		return
	}
	out := &replies{to: json.NewEncoder(conn), cancel: cancel}
	j.say = func(line string) { out.send(reply{Say: line}) }
	j.progress = func(r transfer.Report) { out.send(reply{Progress: &r}) }
	j.file = &sized{from: in, left: j.Size, all: func() {
		// Nothing follows the file, so whatever reading ends with, the caller is gone.
		_, _ = in.ReadByte()
		cancel()
	}}
	last := reply{Done: true}
	if err := s.do(ctx, &j); err != nil {
		last.Error, last.Code = err.Error(), exitCode(err)
	}
	s.log.Info("did a command", "command", j.Command, "code", last.Code)
	out.send(last)
}

// do runs the work of the command that j names. A panic there must not take the server along.
func (s *controlServer) do(ctx context.Context, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a command panicked", "command", j.Command, "panic", fmt.Sprint(p))
			err = errors.New("the command ran into a mistake in the program; the server's log has more")
		}
	}()
	i := slices.IndexFunc(s.commands, func(c *command) bool { return c.name == j.Command && c.work != nil })
	if i < 0 {
		return errors.New("the server is of another version and does not know this command: restart it")
	}
	command := s.commands[i]
	if err := command.accepts(j.Args, j.Flags); err != nil {
		return err
	}
	if j.Size == 0 {
		// Without a file there is nothing to read before the caller's end.
		j.file.(*sized).finish()
	}
	return command.work(ctx, s.system, j)
}

// replies writes to a caller who may be gone.
type replies struct {
	mu     sync.Mutex
	to     *json.Encoder
	cancel func()
}

func (r *replies) send(line reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to.Encode(line) != nil {
		r.cancel()
	}
}

// sized reads exactly left bytes; fewer are io.ErrUnexpectedEOF. Then all runs in a
// goroutine of its own, which ends when the connection does.
type sized struct {
	from io.Reader
	left int64
	all  func()
	once sync.Once
}

func (s *sized) finish() { s.once.Do(func() { go s.all() }) }

func (s *sized) Read(p []byte) (int, error) {
	if s.left == 0 {
		s.finish()
		return 0, io.EOF
	}
	n, err := s.from.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err == io.EOF && s.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
