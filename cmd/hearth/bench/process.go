package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the program, serving a data folder in a process of its own.
type server struct {
	address string // host:port
	took    time.Duration
	cmd     *exec.Cmd
	log     string // path of what it logged
	ended   chan error
}

// patience is how long the bench waits for what must come.
const patience = 60 * time.Second

// start runs the program on a folder, with nothing but the defaults except that nobody's
// rate is limited, and returns when it has answered that it is healthy. address is that of
// an earlier start, or empty.
func (b *bench) start(ctx context.Context, folder, address string) (*server, error) {
	if address == "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a port: %w", err)
		}
		address = ln.Addr().String()
		if err := ln.Close(); err != nil {
			return nil, fmt.Errorf("find a port: %w", err)
		}
	}
	s := &server{address: address, log: folder + ".log", ended: make(chan error, 1)}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                                                                // the server has it
	s.cmd = exec.Command(b.Binary, "serve", "--data", folder, "--listen", address, "--limits", "off") //nolint:gosec // this program
	s.cmd.Env = environment()
	s.cmd.Stderr = log
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.healthy(ctx, begin); err != nil {
		return nil, errors.Join(err, s.kill(), s.lastWords())
	}
	return s, nil
}

// environment is what the server inherits: nobody's settings.
func environment() (kept []string) {
	for _, name := range []string{"PATH", "TMPDIR", "GOMEMLIMIT", "GOGC", "GOMAXPROCS"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// healthy waits for the first good answer.
func (s *server) healthy(ctx context.Context, begin time.Time) error {
	for time.Since(begin) < patience {
		if c, err := net.Dial("tcp", s.address); err == nil {
			h := &client{conn: c, host: s.address}
			status, _, err := h.do("GET", "/health", "", nil)
			_ = c.Close()
			if err == nil && status == 200 {
				s.took = time.Since(begin)
				return nil
			}
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("the server ended at its start: %w", err)
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the server does not become healthy")
}

// stop ends the server the usual way.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("stop the server: %w", err), s.lastWords())
	}
	select {
	case err := <-s.ended:
		s.ended <- nil
		if err != nil {
			return errors.Join(fmt.Errorf("the server ended: %w", err), s.lastWords())
		}
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("the server does not stop"), s.kill())
	}
}

// kill ends the server, if it still runs.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	s.ended <- nil
	return nil
}

// lastWords is the end of the server's log, as an error.
func (s *server) lastWords() error {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("its log ends with\n%s", strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// ticks is how many a second has in /proc, on every Linux.
const ticks = 100

// cpu is what the server has used of both user and system time.
func (s *server) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold anything; utime and stime are the 12th and 13th after it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc/…/stat has another form")
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err, err2)
}

// weight is how much memory a process has, in bytes.
type weight struct {
	resident  int64
	anonymous int64 // without pages of files
}

func (w weight) mib() float64 { return float64(w.resident) / (1 << 20) }

func (w weight) String() string {
	return fmt.Sprintf("%.0f MiB (%.0f without mapped files)", w.mib(), float64(w.anonymous)/(1<<20))
}

func (s *server) memory() (w weight, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return w, err
	}
	w.resident, w.anonymous = procField(string(text), "VmRSS:"), procField(string(text), "RssAnon:")
	if w.resident == 0 {
		err = errors.New("/proc/…/status has no VmRSS")
	}
	return w, err
}

// procField returns a field of a file such as /proc/…/status, in bytes.
func procField(text, name string) int64 {
	fields := strings.Fields(text)
	i := slices.Index(fields, name)
	if i < 0 || i+1 == len(fields) {
		return 0
	}
	n, _ := strconv.ParseInt(fields[i+1], 10, 64)
	return n << 10
}

// perMillion is the processor seconds that a million of what was done n times takes.
func perMillion(used time.Duration, n uint64) float64 {
	return used.Seconds() * 1e6 / float64(max(n, 1))
}

// machine describes where this runs, with how long the disk takes to keep a page.
func machine(folder string) (string, error) {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, ok := strings.Cut(string(text), "model name\t: "); ok {
			model, _, _ = strings.Cut(after, "\n")
		}
	}
	memory := int64(0)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		memory = procField(string(text), "MemTotal:")
	}
	sync, err := syncTime(filepath.Join(folder, "sync"))
	if err != nil {
		return "", fmt.Errorf("measure the disk: %w", err)
	}
	return fmt.Sprintf("%d cores (%s), %.0f GiB, a disk that keeps a page in %s%s", runtime.NumCPU(), model, float64(memory)/(1<<30), millis(sync), others()), nil
}

// others says what other programs did before the run, if that was enough to disturb it.
func others() string {
	text, err := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(text), " ")
	if n, parseErr := strconv.ParseFloat(load, 64); err != nil || parseErr != nil || n < float64(runtime.NumCPU())/4 {
		return ""
	}
	return ", **not idle**: other programs made a load of " + load
}

// syncTime is the median time that a page takes to be on disk.
func syncTime(path string) (median time.Duration, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	var l latencies
	page := make([]byte, 4096)
	for range 100 {
		begin := time.Now()
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := syscall.Fsync(int(f.Fd())); err != nil {
			return 0, err
		}
		l.add(time.Since(begin))
	}
	return l.percentile(.5), nil
}
