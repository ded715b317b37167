package main

import (
	"bytes"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/mail"
)

// words is a map in one line: name, value, name, value.
func words(pairs ...string) map[string]string {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// dataFolder is a folder with a config file of these lines.
func dataFolder(t *testing.T, lines ...string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, configName), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestPrecedence(t *testing.T) {
	folder := dataFolder(t, "# a comment", "", `PORT = "7000"`, "HEARTH_REGISTRATION=closed", "limits='off'", "LOG_LEVEL=debug", "REDIS_URL=redis://localhost")
	tests := []struct {
		name       string
		flags, env map[string]string
		setting    string
		value      string
		from       string
	}{
		{"the default", nil, nil, "listen", ":8000", "default"},
		{"the file wins over the default", words("data", folder), nil, "listen", "7000", "hearth.conf line 3"},
		{"a documented variable wins over the file", words("data", folder), words("PORT", "9000"), "listen", "9000", "PORT"},
		{"our own variable wins over a documented one", words("data", folder), words("PORT", "9000", "HEARTH_LISTEN", ":9001"), "listen", ":9001", "HEARTH_LISTEN"},
		{"a flag wins over all", words("data", folder, "listen", ":9002"), words("PORT", "9000", "HEARTH_LISTEN", ":9001"), "listen", ":9002", "--listen"},
		{"an empty variable is none", nil, words("PORT", ""), "listen", ":8000", "default"},
		{"a name of our own in the file", words("data", folder), nil, "registration", "closed", "line 4"},
		{"a flag's name in the file", words("data", folder), nil, "limits", "off", "line 5"},
		{"the folder that systemd gives", nil, words("STATE_DIRECTORY", folder+":/other"), "data", folder, "STATE_DIRECTORY"},
		{"a file elsewhere", words("config", filepath.Join(folder, configName)), nil, "log-level", "debug", "line 6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := settle(tt.flags, tt.env)
			if err != nil {
				t.Fatal(err)
			}
			if o := s.origins[tt.setting]; o.value != tt.value || !strings.HasSuffix(o.from, tt.from) {
				t.Errorf("%s = %q from %q, want %q from %q", tt.setting, o.value, o.from, tt.value, tt.from)
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	s, err := settle(nil, words(
		"PORT", "9000", "FRONTEND_URL", "https://Chat.example.org/", "CORS_ORIGINS", "http://a.example, https://b.example:8443",
		"HEARTH_TRUSTED_PROXIES", "127.0.0.1,10.1.2.3/8,::1", "JWT_ACCESS_TTL", "90s", "JWT_REFRESH_TTL", "45d",
		"HEARTH_BCRYPT_COST", "11", "LOG_LEVEL", "WARNING", "HEARTH_LIMITS", "off", "JWT_SECRET", "s",
	))
	if err != nil {
		t.Fatal(err)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	switch {
	case s.Listen != ":9000", s.PublicURL != "https://chat.example.org", !slices.Equal(s.Origins, []string{"http://a.example", "https://b.example:8443"}),
		!slices.Equal(s.TrustedProxies, proxies), s.AccessTTL != 90*time.Second, s.RefreshTTL != 45*24*time.Hour,
		s.BcryptCost != 11, s.LogLevel != 4, !s.NoLimits, s.Secret != "s", s.Data != defaultData:
		t.Errorf("settled on %+v", s.Config)
	}
}

func TestWrongSettings(t *testing.T) {
	file := func(lines ...string) map[string]string { return words("data", dataFolder(t, lines...)) }
	tests := []struct {
		name       string
		flags, env map[string]string
		says       string
	}{
		{"no port", words("listen", "here"), nil, `--listen "here": must be a port`},
		{"a port too high", nil, words("PORT", "70000"), `PORT "70000": a port is a number`},
		{"a registration of its own", words("registration", "maybe"), nil, "must be one of open, invite, closed"},
		{"any origin", nil, words("CORS_ORIGINS", "*"), "must look like https://"},
		{"an address with a path", nil, words("FRONTEND_URL", "https://a.example/chat"), "without anything after the host"},
		{"no proxy", words("trusted-proxies", "all"), nil, "addresses or networks"},
		{"a cost too low", words("bcrypt-cost", "3"), nil, "from 4 to 15"},
		{"a time without unit", words("jwt-access-ttl", "15"), nil, "must be a time from 10s to 24h"},
		{"a time too long", words("jwt-refresh-ttl", "4000d"), nil, "must be a time from 1m to 400d"},
		{"a refresh shorter than an access", words("jwt-access-ttl", "2h", "jwt-refresh-ttl", "1h"), nil, "must not be shorter"},
		{"a level of its own", nil, words("LOG_LEVEL", "loud"), "must be one of debug, info, warn, error"},
		{"no such file", words("config", "/nowhere.conf"), nil, "there is no config file /nowhere.conf"},
		{"a line that is none", file("listen :8000"), nil, "line 1: expected NAME=value"},
		{"an unknown name in the file", file("", "HEARTH_LISTN=:1"), nil, "line 2: there is no setting HEARTH_LISTN; did you mean HEARTH_LISTEN?"},
		{"the same twice in the file", file("PORT=1", "listen=:2"), nil, "line 2: listen is on line 1 already"},
		{"mail without an address for links", nil, words("SMTP_HOST", "mail.example.org"), "public-url (FRONTEND_URL) is not"},
		{"mail from nowhere", nil, words("SMTP_HOST", "mail.example.org", "FRONTEND_URL", "http://192.0.2.1"), "smtp-from is not"},
		{"mail from no address", nil, words("SMTP_FROM", "nobody"), "must look like hearth@example.org"},
		{"no mail port", nil, words("SMTP_PORT", "0"), "a port is a number from 1 to 65535"},
		{"a protection of its own", nil, words("SMTP_TLS", "maybe"), "must be one of auto, starttls, tls, none"},
		{"a password in the clear", nil, words("SMTP_HOST", "mail.example.org", "FRONTEND_URL", "https://a.example", "SMTP_TLS", "none", "SMTP_USER", "hearth"), "in the clear"},
		{"the data folder in the file inside it", file("data=/elsewhere"), nil, "data cannot be set here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := settle(tt.flags, tt.env)
			if err == nil || !strings.Contains(err.Error(), tt.says) || exitCode(err) != exitUsage {
				t.Errorf("error = %v, want one that says %q", err, tt.says)
			}
		})
	}
}

// TestMailSettings reads what documented deployments carry, and says who mails come from.
func TestMailSettings(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want mail.Server
	}{
		{"the least", words("SMTP_HOST", "mail.example.org", "FRONTEND_URL", "https://chat.example.org:8443"),
			mail.Server{Host: "mail.example.org", Port: 587, Security: mail.SecurityAuto, From: &netmail.Address{Address: "hearth@chat.example.org"}}},
		{"an account that is an address", words("SMTP_HOST", "h", "FRONTEND_URL", "https://c", "EMAIL_USER", "chat@example.org", "EMAIL_PASS", "p", "SMTP_PORT", "465"),
			mail.Server{Host: "h", Port: 465, User: "chat@example.org", Password: "p", Security: mail.SecurityAuto, From: &netmail.Address{Address: "chat@example.org"}}},
		{"all of it", words("SMTP_HOST", "::1", "FRONTEND_URL", "http://192.0.2.1", "SMTP_USER", "u", "SMTP_PASS", "p", "SMTP_TLS", "none", "SMTP_FROM", "Ann <ann@example.org>"),
			mail.Server{Host: "::1", Port: 587, User: "u", Password: "p", Security: mail.SecurityNone, From: &netmail.Address{Name: "Ann", Address: "ann@example.org"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := settle(nil, tt.env)
			if err != nil || !reflect.DeepEqual(s.Mail, tt.want) {
				t.Errorf("settled on %+v, %v, want %+v", s, err, tt.want)
			}
		})
	}
}

func TestUnknownVariablesAreNamed(t *testing.T) {
	s, err := settle(nil, words("HEARTH_REGISTRATON", "open", "HEARTH_SEED", "7", "OTHER", "1"))
	if err != nil || !slices.Equal(s.warnings, []string{"there is no setting HEARTH_REGISTRATON; did you mean HEARTH_REGISTRATION?"}) {
		t.Errorf("warnings = %q, %v", s.warnings, err)
	}
}

func TestConfigCommand(t *testing.T) {
	const secret = "3q9vXw0cZpTn5rKe8sLd2yHb7mAf4uGj"
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"config", "--limits=off"},
		[]string{"JWT_SECRET=" + secret, "DB_HOST=localhost", "DB_PASSWORD=hunter2", "REDIS_URL=redis://x:topsecret@y"}, strings.NewReader(""), &out, &errs)
	if code != exitOK || errs.Len() > 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	for _, want := range []string{"•••••• (32 bytes)  JWT_SECRET", "--limits", "DB_HOST (environment), DB_PASSWORD (environment)", "REDIS_URL", "is kept in the program itself"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, &out)
		}
	}
	for _, hidden := range []string{secret, "hunter2", "topsecret"} {
		if strings.Contains(out.String(), hidden) {
			t.Errorf("output shows the secret %q", hidden)
		}
	}
}

// TestSettingsAreDescribed holds the table to what help promises of it.
func TestSettingsAreDescribed(t *testing.T) {
	names := make(map[string]bool)
	for _, s := range settings {
		for _, name := range append([]string{envName(s.name)}, s.env...) {
			if names[name] {
				t.Errorf("%s names two settings", name)
			}
			names[name] = true
		}
		if s.about == "" || s.set == nil {
			t.Errorf("%s is not described or cannot be set", s.name)
		}
		if s.value != "" {
			if err := s.set(new(Config), s.value); err != nil {
				t.Errorf("the default of %s: %v", s.name, err)
			}
		}
	}
	for _, u := range unused {
		for _, name := range u.names {
			if names[name] {
				t.Errorf("%s is both used and unused", name)
			}
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	tests := []struct {
		name   string
		groups string
		files  map[string]string
		want   int64
	}{
		{"no control groups", "", nil, usualMemory},
		{"no limit", "0::/a/b\n", words("sys/fs/cgroup/a/b/memory.max", "max\n"), usualMemory},
		{"plenty", "0::/a\n", words("sys/fs/cgroup/a/memory.max", "4294967296\n"), usualMemory},
		{"little, on a group above", "0::/a/b\n", words("sys/fs/cgroup/a/memory.max", "100000000\n", "sys/fs/cgroup/a/b/memory.max", "max"), 80_000_000},
		{"little, version 1", "5:cpu:/a\n4:memory:/a\n", words("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "100000000\n"), 80_000_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{"proc/self/cgroup": tt.groups}
			for name, text := range tt.files {
				files[name] = text
			}
			for name, text := range files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := memoryLimit(root); got != tt.want {
				t.Errorf("memoryLimit = %d, want %d", got, tt.want)
			}
		})
	}
}

// TestReadmeListsSettings keeps the table for readers and the one for the program the same.
func TestReadmeListsSettings(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string) // by first environment name
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, " |"); len(cells) == 5 && strings.HasPrefix(cells[1], " `HEARTH_") {
			name, _, _ := strings.Cut(strings.TrimPrefix(cells[1], " `"), "`")
			rows[name] = line
		}
	}
	for _, s := range settings {
		row, ok := rows[envName(s.name)]
		if !ok {
			t.Errorf("README has no row for %s", envName(s.name))
		}
		wants := []string{"| " + map[bool]string{true: "–", false: "`--" + s.name + "`"}[s.secret] + " |"}
		for _, name := range s.env {
			wants = append(wants, "`"+name+"`")
		}
		if s.value != "" {
			wants = append(wants, "| `"+s.value+"` |")
		}
		for _, want := range wants {
			if !strings.Contains(row, want) {
				t.Errorf("README's row of %s lacks %s", envName(s.name), want)
			}
		}
	}
	if len(rows) != len(settings) {
		t.Errorf("README has %d settings, the program %d", len(rows), len(settings))
	}
	for _, u := range unused {
		for _, name := range u.names {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("README does not say that %s is accepted and not used", name)
			}
		}
	}
}
