package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/hearthchat/hearth/store"
)

const testPassword = "password123"

func TestHelp(t *testing.T) {
	all := cli(t, "", "help").must(t).out
	for _, c := range commands() {
		if !strings.Contains(all, "\n  "+c.name) {
			t.Errorf("help does not list %q", c.name)
		}
		for _, args := range [][]string{append(strings.Fields(c.name), "--help"), append([]string{"help"}, strings.Fields(c.name)...)} {
			text := cli(t, "", args...).must(t).out
			if !strings.HasPrefix(text, "hearth "+c.name) || !strings.Contains(text, c.about) || c.work != nil && !strings.Contains(text, "Examples:") {
				t.Errorf("hearth %s prints\n%s", strings.Join(args, " "), text)
			}
		}
	}
	serve := cli(t, "", "--help").must(t).out
	for _, s := range settings {
		if !strings.Contains(serve, envName(s.name)) || s.secret == strings.Contains(serve, "--"+s.name) {
			t.Errorf("hearth serve --help does not describe %s as it should", s.name)
		}
	}
	if v := cli(t, "", "--version").must(t).out; v != cli(t, "", "version").must(t).out || !strings.HasPrefix(v, "hearth "+version) {
		t.Errorf("version is %q", v)
	}
}

func TestWrongCommandLines(t *testing.T) {
	tests := []struct{ args, says string }{
		{"srve", `there is no command "srve"; did you mean hearth serve?`},
		{"user", "hearth user needs one more word: hearth user add"},
		{"user ad ann", "hearth user needs one more word"},
		{"user add", "hearth user add needs NAME"},
		{"user role ann", "hearth user role needs NAME ROLE"},
		{"user list a b", `hearth user list does not take "b"`},
		{"serve --dry-run", "hearth serve does not take --dry-run"},
		{"--daat x", "no option --daat; did you mean --data?"},
		{"--registration maybe", "must be one of open"},
	}
	for _, tt := range tests {
		r := cli(t, "", strings.Fields(tt.args)...)
		if r.code != exitUsage || !strings.Contains(r.err, tt.says) || !strings.Contains(r.err, "hearth help") || r.out != "" {
			t.Errorf("hearth %s: exit code %d, %q, %q", tt.args, r.code, r.out, r.err)
		}
	}
}

func TestWithoutData(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "nothing")
	for _, args := range []string{"user list", "check", "user role ann admin"} {
		r := cli(t, "", append(strings.Fields(args), "--data", folder)...)
		if r.code != exitFailed || !strings.Contains(r.err, "there is no data in "+folder) {
			t.Errorf("hearth %s: exit code %d, %q", args, r.code, r.err)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("asking made the folder: %v", err)
	}
}

// TestUserCommands does the same with a server on the folder and without one.
func TestUserCommands(t *testing.T) {
	for _, running := range []bool{true, false} {
		name := map[bool]string{true: "in the server", false: "by itself"}[running]
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if running {
				serving(t, folder)
			}
			do := func(stdin string, args ...string) ran {
				return cli(t, stdin, append(args, "--data", folder, "--bcrypt-cost", "4")...)
			}
			link := do("", "setup-link").must(t).out
			if !strings.Contains(link, "/setup#") || do("", "setup-link").must(t).out != link {
				t.Errorf("setup-link printed %q, and then something else", link)
			}
			do(testPassword+"\n", "user", "add", "ann", "--email", "ann@example.org", "--role", "admin").must(t)
			do(testPassword+"\n", "user", "add", "bob").must(t)
			if r := do("", "setup-link"); r.code != exitFailed || !strings.Contains(r.err, "administrator already") {
				t.Errorf("setup-link with an administrator: %+v", r)
			}
			for _, tt := range []struct{ args, stdin, says string }{
				{"user add BOB", testPassword, "taken"},
				{"user add x", testPassword, "3 to 30 letters"},
				{"user add cyd", "short", "8 to 72 bytes"},
				{"user add cyd", "", "no password"},
				{"user add cyd --role king", testPassword, "admin, member or guest"},
				{"user role nobody admin", "", `no account "nobody"`},
				{"user role ann member", "", "last administrator"},
			} {
				if r := do(tt.stdin, strings.Fields(tt.args)...); r.code == exitOK || !strings.Contains(r.err, tt.says) {
					t.Errorf("hearth %s: %+v, want %q", tt.args, r, tt.says)
				}
			}
			do("", "user", "role", "2", "guest").must(t)
			do("", "user", "deactivate", "bob").must(t)
			list := do("", "user", "list").must(t).out
			if !strings.Contains(list, "ann@example.org  admin  active") || !strings.Contains(list, "guest  deactivated") {
				t.Errorf("user list printed\n%s", list)
			}
			do("", "user", "activate", "bob").must(t)
			do("another password", "user", "passwd", "ann@example.org").must(t)
			if list = do("", "user", "list", "b").must(t).out; strings.Contains(list, "ann") || !strings.Contains(list, "guest  active") {
				t.Errorf("user list b printed\n%s", list)
			}
			if out := do("", "check").must(t).out; out != "everything fits together\n" {
				t.Errorf("check printed %q", out)
			}
		})
	}
}

// TestCommandsReachTheRunningServer makes sure that what a command does counts at once.
func TestCommandsReachTheRunningServer(t *testing.T) {
	s := serving(t, t.TempDir())
	cli(t, testPassword, "user", "add", "ann", "--data", s.folder).must(t)
	signIn := map[string]string{"username": "ann", "password": testPassword}
	var got struct{ Token string }
	if status := fetch(t, "POST", s.url+"/api/auth/login", "", signIn, &got); status != 200 {
		t.Fatalf("sign-in: %d", status)
	}
	if status := fetch(t, "GET", s.url+"/api/auth/me", got.Token, nil, nil); status != 200 {
		t.Fatalf("me: %d", status)
	}
	cli(t, "", "user", "deactivate", "ann", "--data", s.folder).must(t)
	if status := fetch(t, "GET", s.url+"/api/auth/me", got.Token, nil, nil); status != 401 {
		t.Errorf("a deactivated account's token: %d, want 401", status)
	}
	if status := fetch(t, "POST", s.url+"/api/auth/login", "", signIn, nil); status != 401 {
		t.Errorf("sign-in of a deactivated account: %d, want 401", status)
	}
	if log := s.log.String(); strings.Contains(log, testPassword) || !strings.Contains(log, `"command":"user deactivate"`) {
		t.Errorf("the log is\n%s", log)
	}
}

func TestServe(t *testing.T) {
	folder := t.TempDir()
	s := serving(t, folder)
	if status := fetch(t, "GET", s.url+"/health", "", nil, nil); status != 200 {
		t.Errorf("health: %d", status)
	}
	link := s.out.await(t, `\n  (\S+/setup#\S+)\n`)
	_, code, _ := strings.Cut(link, "#")
	body := map[string]string{"username": "ann", "email": "ann@example.org", "password": testPassword, "setup_code": code}
	var made struct {
		Token string
		User  struct{ Role string }
	}
	if status := fetch(t, "POST", s.url+"/api/auth/register", "", body, &made); status != 201 || made.User.Role != "admin" {
		t.Errorf("register with the code of the link: %d, role %q", status, made.User.Role)
	}
	if info, err := os.Stat(filepath.Join(folder, socketName)); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the local socket: %v, %v", info.Mode(), err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a second one on the same folder", func(t *testing.T) {
		r := cli(t, "", "--data", folder, "--listen", "127.0.0.1:0")
		if r.code != exitBusy || !strings.Contains(r.err, "in use by process ") {
			t.Errorf("exit code %d, %q", r.code, r.err)
		}
	})
	t.Run("another one on the same port", func(t *testing.T) {
		r := cli(t, "", "--data", t.TempDir(), "--listen", "127.0.0.1:"+port)
		if r.code != exitBusy || !strings.Contains(r.err, "choose another port, such as --listen :8001") {
			t.Errorf("exit code %d, %q", r.code, r.err)
		}
	})
	socket, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/api/chat/ws",
		http.Header{"Authorization": {"Bearer " + made.Token}})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	go func() {
		for {
			if _, _, err := socket.ReadMessage(); err != nil {
				told <- err
				return
			}
		}
	}()
	start := time.Now()
	if code := s.stop(); code != exitOK || time.Since(start) > stopLimit {
		t.Errorf("stopped with exit code %d after %s\n%s", code, time.Since(start), s.log)
	}
	if err := <-told; !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
		t.Errorf("an open socket ended with %v, want the code 1012", err)
	}
	if _, err := os.Stat(filepath.Join(folder, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the local socket is left over: %v", err)
	}
	if log := s.log.String(); strings.Contains(log, code) || strings.Contains(log, testPassword) || !strings.Contains(log, `"msg":"stopped"`) {
		t.Errorf("the log is\n%s", log)
	}
	again := serving(t, folder)
	if out := again.out.String(); strings.Contains(out, "setup#") {
		t.Errorf("with an administrator it prints\n%s", out)
	}
}

func TestDataThatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, peopleFile), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := cli(t, "", "--data", folder, "--listen", "127.0.0.1:0"); r.code != exitData || !strings.Contains(r.err, peopleFile) {
		t.Errorf("exit code %d, %q", r.code, r.err)
	}
}

func TestStaleSocket(t *testing.T) {
	folder := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(folder, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cli(t, testPassword, "user", "add", "ann", "--data", folder, "--bcrypt-cost", "4").must(t)
	serving(t, folder)
	if out := cli(t, "", "user", "list", "--data", folder).must(t).out; !strings.Contains(out, "ann") {
		t.Errorf("user list printed %q", out)
	}
}

func TestLongPathOfTheSocket(t *testing.T) {
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	serving(t, folder)
	cli(t, "", "setup-link", "--data", folder).must(t)
}

func TestCallersOfTheSocket(t *testing.T) {
	if err := errors.Join(admitUser(1000, 1000), admitUser(0, 1000)); err != nil {
		t.Errorf("our own user and root: %v", err)
	}
	if admitUser(1001, 1000) == nil || admitUser(1000, 0) == nil {
		t.Error("another user was let in")
	}
	s := serving(t, t.TempDir())
	for _, text := range []string{"", "hello\n", "{}\n", `{"command":"serve"}` + "\n", `{"command":"user add","args":[]}` + "\n", strings.Repeat("x", maxJob+1)} {
		conn, err := dialControl(s.folder)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(text)) // the server may hang up in the middle
		_ = conn.CloseWrite()
		var r reply
		if err := json.NewDecoder(conn).Decode(&r); err == nil && (!r.Done || r.Error == "") {
			t.Errorf("%.30q was answered %+v", text, r)
		}
		_ = conn.Close()
	}
	cli(t, "", "check", "--data", s.folder).must(t)
}

const irclog = "../../store/transfer/irc/testdata/sample.jsonl"

func TestImportCommand(t *testing.T) {
	for _, running := range []bool{true, false} {
		name := map[bool]string{true: "in the server", false: "by itself"}[running]
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if running {
				serving(t, folder)
			}
			do := func(args ...string) ran {
				return cli(t, "", append([]string{"import", "irc", irclog, "--data", folder}, args...)...)
			}
			dry := do("--dry-run").must(t).out
			for _, want := range []string{"425 lines, 89 people, 1 rooms", "372 messages and 4 actions", "6 empty ones", "156 of 180 reply_to", "nothing was stored"} {
				if !strings.Contains(dry, want) {
					t.Errorf("the dry run does not say %q:\n%s", want, dry)
				}
			}
			figures, _, _ := strings.Cut(dry, "nothing was stored")
			first := do().must(t).out
			if !strings.HasPrefix(first, figures) || !strings.Contains(first, "added 419 messages, 89 people and 1 rooms") {
				t.Errorf("the first import says\n%s", first)
			}
			if second := do().must(t).out; !strings.HasPrefix(second, figures) || !strings.Contains(second, "added 0 messages, 0 people and 0 rooms") {
				t.Errorf("the second import says\n%s", second)
			}
			list := cli(t, "", "user", "list", "--data", folder).must(t).out
			if !strings.Contains(list, "and 89 imported people") {
				t.Errorf("user list printed\n%s", list)
			}
			cli(t, "", "check", "--data", folder).must(t)
		})
	}
}

func TestImportOfWrongFiles(t *testing.T) {
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad.jsonl")
	good, err := os.ReadFile(irclog)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, append(slices.Clone(good), `{"id":7}`...), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(folder, "data")
	for file, says := range map[string]string{
		bad:                             "line 426: id must be text in quotes, not number; nothing was stored",
		filepath.Join(folder, "nobody"): "no such file",
		folder:                          "is not a file",
	} {
		if r := cli(t, "", "import", "irc", file, "--data", data); r.code != exitFailed || !strings.Contains(r.err, says) {
			t.Errorf("import of %s: exit code %d, %q", file, r.code, r.err)
		}
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was stored: %v", err)
	}
}

// TestImportOfACallerWhoHangsUp cuts the connection in the middle of the file. Until then
// the room is read-only, and afterwards it is not.
func TestImportOfACallerWhoHangsUp(t *testing.T) {
	s := serving(t, t.TempDir())
	cli(t, testPassword, "user", "add", "ann", "--role", "admin", "--data", s.folder).must(t)
	var ann struct{ Token string }
	if status := fetch(t, "POST", s.url+"/api/auth/login", "", map[string]string{"username": "ann", "password": testPassword}, &ann); status != 200 {
		t.Fatalf("sign-in: %d", status)
	}
	post := func() int {
		var rooms []struct{ ID string }
		if status := fetch(t, "GET", s.url+"/api/chat/rooms", ann.Token, nil, &rooms); status != 200 || len(rooms) != 1 {
			t.Fatalf("rooms: %d, %+v", status, rooms)
		}
		return fetch(t, "POST", s.url+"/api/messages", ann.Token, map[string]string{"room_id": rooms[0].ID, "content": "hi"}, nil)
	}
	sample, err := os.ReadFile(irclog)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder // the sample ten times, which is several batches
	for i := range 10 {
		text.WriteString(strings.ReplaceAll(string(sample), ".train-", "."+strconv.Itoa(i)+"-"))
	}
	file := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := dialControl(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(conn).Encode(job{Command: "import irc", Args: []string{"x"}, Size: int64(text.Len())}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(text.String()[:text.Len()/2])); err != nil {
		t.Fatal(err)
	}
	for r, in := (reply{}), json.NewDecoder(conn); r.Progress == nil || r.Progress.Lines < 2000; {
		if err := in.Decode(&r); err != nil {
			t.Fatal(err)
		}
	}
	if status := post(); status != 409 {
		t.Errorf("posting while the import runs: %d, want 409", status)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, `"command":"import irc","code":(1)`)
	if status := post(); status != 201 {
		t.Errorf("posting afterwards: %d, want 201", status)
	}
	// The room is open for the next import too, which adds the rest. People have talked by now.
	if r := cli(t, "", "import", "irc", file, "--data", s.folder); r.code != exitFailed || !strings.Contains(r.err, "--append puts the log after them") {
		t.Errorf("the next import without --append: %+v", r)
	}
	out := cli(t, "", "import", "irc", file, "--append", "--data", s.folder).must(t).out
	if strings.Contains(out, "added 4190 messages") || strings.Contains(out, "added 0 messages") || !strings.Contains(out, "and 0 rooms") {
		t.Errorf("the next import says\n%s", out)
	}
	cli(t, "", "check", "--data", s.folder).must(t)
}

func TestStoppedCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, errs := newOutput(), newOutput()
	code := run(ctx, []string{"import", "irc", irclog, "--data", filepath.Join(t.TempDir(), "d")}, nil, strings.NewReader(""), out, errs)
	if code != exitFailed || !strings.Contains(errs.String(), "stopped") {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

func TestBackgroundPanicIsFatal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	log := newOutput()
	g := &group{log: newLogger(&settled{Config: Config{LogFormat: "json"}}, log, 0), fail: cancel}
	g.start("somebody", func() error { panic("out of ideas") })
	g.start("another", func() error { <-ctx.Done(); return nil })
	g.wait()
	if err := context.Cause(ctx); exitCode(err) != exitFatal || !strings.Contains(err.Error(), "somebody: panic: out of ideas") {
		t.Errorf("the cause is %v", err)
	}
	if text := log.String(); !strings.Contains(text, `"msg":"panic"`) || !strings.Contains(text, "commands_test.go") {
		t.Errorf("the log is %s", text)
	}
}

// brokenRooms is a store that cannot write any more.
type brokenRooms struct {
	workspaceEngine
	failed chan struct{}
}

func (b brokenRooms) Failed() <-chan struct{} { return b.failed }
func (b brokenRooms) Err() error              { return store.ErrUnavailable }

func TestBrokenStoreIsFatal(t *testing.T) {
	rooms := brokenRooms{failed: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(t.Context())
	g := &group{log: slog.New(slog.DiscardHandler), fail: cancel}
	g.start("rooms", func() error { return untilFailed(ctx, rooms) })
	close(rooms.failed)
	<-ctx.Done()
	g.wait()
	if err := context.Cause(ctx); exitCode(err) != exitFatal || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the cause is %v", err)
	}
}
