package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// isTerminal reports whether a person sits at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	return err == nil
}

// newLogger returns a logger to w from a level on: text on a terminal, else JSON, unless
// the settings say which.
func newLogger(s *settled, w io.Writer, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "text" || s.LogFormat == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// quietLevel is the level for commands, whose output is for people: the everyday news of
// the stores is left out unless debugging is asked for.
func quietLevel(level slog.Level) slog.Level {
	if level <= slog.LevelDebug {
		return level
	}
	return max(level, slog.LevelWarn)
}

// askPassword reads a password: on a terminal unseen and twice, else the first line.
func askPassword(ctx context.Context, stdin io.Reader, stderr io.Writer) (string, error) {
	if !isTerminal(stdin) {
		line, err := bufio.NewReader(stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		password := strings.TrimRight(line, "\r\n")
		if password == "" {
			return "", usagef("no password: type it at the question, or pass it on standard input")
		}
		return password, nil
	}
	f := stdin.(*os.File)
	first, err := askUnseen(ctx, f, stderr, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := askUnseen(ctx, f, stderr, "The same again: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return first, err
}

// askUnseen reads a line without showing what is typed.
func askUnseen(ctx context.Context, f *os.File, stderr io.Writer, question string) (string, error) {
	before, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	unseen := *before
	unseen.Lflag &^= unix.ECHO
	unseen.Lflag |= unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(int(f.Fd()), setTermios, &unseen); err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	defer func() {
		_ = unix.IoctlSetTermios(int(f.Fd()), setTermios, before) // nothing better can be done
		fmt.Fprintln(stderr)
	}()
	fmt.Fprint(stderr, question)
	typed := make(chan string, 1)
	go func() { // a read cannot be called off; the program ends soon after ctx does
		line, _ := bufio.NewReaderSize(oneByOne{f}, 16).ReadString('\n')
		typed <- strings.TrimRight(line, "\r\n")
	}()
	select {
	case line := <-typed:
		if line == "" {
			return "", errors.New("no password was typed; nothing was changed")
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// oneByOne reads no further than it is asked to look, so that the next question finds the rest.
type oneByOne struct{ from io.Reader }

func (r oneByOne) Read(p []byte) (int, error) { return r.from.Read(p[:min(1, len(p))]) }
