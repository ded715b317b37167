package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hearthchat/hearth/store"
)

// version is set by the build.
var version = "dev"

// The exit codes, by name.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work, or check found something
	exitUsage  = 2 // the command line or a setting is wrong
	exitBusy   = 3 // another process has the data folder or the port
	exitData   = 4 // the data cannot be opened
	exitFatal  = 5 // the server cannot go on; starting it again may help
)

const exitCodes = `Exit codes:
  0  done
  1  it did not work, or check found something
  2  the command line or a setting is wrong
  3  another process has the data folder or the port
  4  the data cannot be opened: damaged, or of a newer version
  5  the server cannot go on; starting it again may help
`

// failure is an error with the exit code it asks for.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// usagef says what is wrong with a command line or a setting.
func usagef(format string, a ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, a...)}
}

// exitCode is the code that an error asks for.
func exitCode(err error) int {
	var f *failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, store.ErrBusy):
		return exitBusy
	}
	return exitFailed
}

// call is one run of the program.
type call struct {
	commands []*command // all there are
	command  *command   // the one that is called
	args     []string
	flags    map[string]string
	*settled
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one thing that the program does. Exactly one of run and work is set.
type command struct {
	name     string // one or two words
	args     string // what follows, for help
	min, max int    // how many words follow
	about    string
	more     string // further sentences for its own help
	options  []option
	examples []string

	// run does it in this process.
	run func(ctx context.Context, c *call) error

	// prepare looks at what only the caller has – the terminal, a file – before work.
	prepare func(ctx context.Context, c *call, j *job) error
	// work does it with the stores: in the running server, or in this process when none runs.
	work func(ctx context.Context, s *system, j *job) error
	// fresh says that it makes sense where there is no data yet.
	fresh bool
}

// commands returns every command.
func commands() []*command {
	return []*command{
		serveCommand, setupLinkCommand,
		userAddCommand, userListCommand, userPasswdCommand, userRoleCommand, userDeactivateCommand, userActivateCommand,
		importCommand, configCommand, checkCommand, benchCommand,
		{name: "version", about: "print the version", run: printVersion},
		{name: "help", args: "[COMMAND]", max: 2, about: "explain a command", run: printHelp},
	}
}

// run does what the command line asks for and returns the exit code. Errors go to stderr.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &call{commands: commands(), stdin: stdin, stdout: stdout, stderr: stderr}
	err := c.do(ctx, args, environ)
	if err != nil {
		fmt.Fprintf(stderr, "hearth: %s\n", explain(err))
	}
	return exitCode(err)
}

// explain puts an error into words for a person at a terminal.
func explain(err error) string {
	var f *failure
	if errors.As(err, &f) && f.code == exitUsage {
		return err.Error() + "\nhearth help shows the commands, hearth COMMAND --help one of them"
	}
	if errors.Is(err, context.Canceled) {
		return "stopped"
	}
	return err.Error()
}

func (c *call) do(ctx context.Context, args, environ []string) error {
	takesValue := knownFlags(c.commands)
	a, err := parseArgs(args, takesValue)
	if err != nil {
		return err
	}
	if a.flags["version"] != "" {
		a = arguments{words: []string{"version"}}
	}
	if c.command, c.args, err = findCommand(c.commands, a.words); err != nil {
		return err
	}
	if a.flags["help"] != "" {
		return c.command.help(c.stdout)
	}
	if err := c.command.accepts(c.args, a.flags); err != nil {
		return err
	}
	env := make(map[string]string)
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	c.flags = a.flags
	if c.settled, err = settle(a.flags, env); err != nil {
		return err
	}
	for _, w := range c.warnings {
		fmt.Fprintf(c.stderr, "hearth: warning: %s\n", w)
	}
	if env["GOMEMLIMIT"] == "" {
		debug.SetMemoryLimit(memoryLimit("/"))
	}
	if c.command.run != nil {
		return c.command.run(ctx, c)
	}
	return c.withStores(ctx)
}

// knownFlags says of every flag whether it takes a value.
func knownFlags(commands []*command) map[string]bool {
	known := map[string]bool{"help": false, "version": false}
	for _, s := range settings {
		if !s.secret {
			known[s.name] = !s.toggle
		}
	}
	for _, c := range commands {
		for _, o := range c.options {
			known[o.name] = o.value != ""
		}
	}
	return known
}

// findCommand returns the command that words name, serve if there are none, and the rest.
func findCommand(commands []*command, words []string) (*command, []string, error) {
	if len(words) == 0 {
		return serveCommand, nil, nil
	}
	known := make(map[string]bool)
	for _, c := range commands {
		name := strings.Fields(c.name)
		if len(words) >= len(name) && slices.Equal(words[:len(name)], name) {
			return c, words[len(name):], nil
		}
		known[c.name], known[name[0]] = true, true
	}
	if known[words[0]] { // the first of two words
		var names []string
		for _, c := range commands {
			if strings.HasPrefix(c.name, words[0]+" ") {
				names = append(names, "hearth "+c.name)
			}
		}
		return nil, nil, usagef("hearth %s needs one more word: %s", words[0], strings.Join(names, ", "))
	}
	return nil, nil, usagef("there is no command %q%s", words[0], didYouMean("hearth ", words[0], known))
}

// accepts reports what a command line has that the command does not take.
func (c *command) accepts(args []string, flags map[string]string) error {
	switch {
	case len(args) < c.min:
		return usagef("hearth %s needs %s", c.name, c.args)
	case len(args) > c.max:
		return usagef("hearth %s does not take %q", c.name, args[c.max])
	}
	for name := range flags {
		isSetting := slices.ContainsFunc(settings, func(s setting) bool { return s.name == name })
		if !isSetting && !slices.ContainsFunc(c.options, func(o option) bool { return o.name == name }) {
			return usagef("hearth %s does not take --%s", c.name, name)
		}
	}
	return nil
}

func printVersion(_ context.Context, c *call) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = ", " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintf(c.stdout, "hearth %s (%s, %s/%s%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision)
	return err
}

func printHelp(_ context.Context, c *call) error {
	if len(c.args) > 0 {
		named, _, err := findCommand(c.commands, c.args)
		if err != nil {
			return err
		}
		return named.help(c.stdout)
	}
	var b strings.Builder
	b.WriteString("Hearth is a team chat in one program.\n\nUsage: hearth [COMMAND] [OPTIONS]\n\nCommands:\n")
	for _, command := range c.commands {
		fmt.Fprintf(&b, "  %-34s %s\n", strings.TrimSpace(command.name+" "+command.args), command.about)
	}
	b.WriteString("\nWithout a command it serves. Options stand before or after the command;\nhearth COMMAND --help lists them.\n\n" + exitCodes)
	_, err := io.WriteString(c.stdout, b.String())
	return err
}

// help prints what a command does and takes.
func (c *command) help(w io.Writer) error {
	var b strings.Builder
	usage := strings.TrimSpace("hearth " + c.name + " " + c.args)
	fmt.Fprintf(&b, "%s: %s\n", usage, c.about)
	if c.more != "" {
		fmt.Fprintf(&b, "\n%s\n", c.more)
	}
	if len(c.options) > 0 {
		b.WriteString("\nOptions:\n")
		for _, o := range c.options {
			fmt.Fprintf(&b, "  --%-22s %s\n", strings.TrimSpace(o.name+" "+o.value), o.about)
		}
	}
	if c == serveCommand || c == configCommand {
		b.WriteString("\nSettings, by flag, by environment or in the config file:\n")
		for _, s := range settings {
			s.help(&b)
		}
	} else if c.work != nil {
		fmt.Fprintf(&b, "\nSettings, as of hearth serve; above all\n  --%-22s %s\n", "data FOLDER", settings[0].about)
	}
	if len(c.examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, e := range c.examples {
			fmt.Fprintf(&b, "  %s\n", e)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s setting) help(b *strings.Builder) {
	names := append([]string{envName(s.name)}, s.env...)
	if !s.secret {
		names = append([]string{"--" + s.name}, names...)
	}
	fmt.Fprintf(b, "  %s\n      %s", strings.Join(names, ", "), s.about)
	if s.value != "" {
		fmt.Fprintf(b, " (default %s)", s.value)
	}
	b.WriteString("\n")
}
