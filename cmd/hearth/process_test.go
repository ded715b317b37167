package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

var workFolder string // for what tests share

func TestMain(m *testing.M) {
	code, err := func() (int, error) {
		var err error
		if workFolder, err = os.MkdirTemp("", "hearth-test-"); err != nil {
			return 1, err
		}
		code := m.Run()
		return code, os.RemoveAll(workFolder)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// buildBinary builds the program as it is shipped, once.
var buildBinary = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(workFolder, "hearth")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// binary returns the path of the program.
func binary(t *testing.T) string {
	t.Helper()
	path, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a server in a process of its own.
type process struct {
	url string
	cmd *exec.Cmd
	log *output
}

// startProcess runs a server on a folder, at any port, under a tracer if there is one.
func startProcess(t *testing.T, folder string, tracer ...string) *process {
	t.Helper()
	args := append(tracer, binary(t), "--data", folder, "--listen", "127.0.0.1:0", "--bcrypt-cost", "4", "--limits", "off", "--log-level", "warn")
	p := &process{cmd: exec.Command(args[0], args[1:]...), log: newOutput()}
	out := newOutput()
	p.cmd.Stdout, p.cmd.Stderr = out, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(t) })
	p.url = out.await(t, `on this computer +(\S+)`)
	return p
}

// kill ends the process the way a power cut would, as far as it can tell.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	_ = p.cmd.Wait() // says that it was killed
}

// stop ends the process the usual way.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.cmd.Wait()); err != nil {
		t.Errorf("stop: %v\n%s", err, p.log)
	}
}
