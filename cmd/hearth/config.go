package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthchat/hearth/server/mail"
	"github.com/hearthchat/hearth/store"
)

// Config is everything that can be set.
type Config struct {
	Data           string             // folder with everything Hearth keeps
	File           string             // the config file; empty: none was found
	Listen         string             // host:port; the host may be empty
	ServicePorts   bool               // listen at the documented services' ports, too
	ServiceAddress string             // host of those
	MetricsToken   string             // who may read /metrics; empty: programs on this computer
	Pprof          string             // host:port of the profiler; empty: none
	PublicURL      string             // where people reach Hearth; empty: the Host they ask for
	Origins        []string           // other web sites that may call the API
	TrustedProxies []netip.Prefix     // whose X-Forwarded-For counts
	Registration   store.Registration // who may make an account
	BcryptCost     int                // 0: measured at the first use
	AccessTTL      time.Duration
	RefreshTTL     time.Duration
	Secret         string      // signs access tokens; empty: a key of our own
	PreviousSecret string      // still verifies them
	Mail           mail.Server // without a Host none is sent
	NoLimits       bool
	WebUI          string // folder with the web interface; empty: the one built in
	LogLevel       slog.Level
	LogFormat      string // auto, text or json
}

// setting is one thing that can be set: by a flag --name, by HEARTH_NAME or one of the
// names in env, in the config file, in this order.
type setting struct {
	name   string
	env    []string // names that documented deployments use
	value  string   // default
	about  string
	toggle bool // on or off; the flag takes no value and means on
	secret bool // has no flag, where others on the machine would see it, and is never shown
	set    func(c *Config, value string) error
}

// defaultData is the data folder of who names none.
const defaultData = "./hearth-data"

// configName is the config file in the data folder.
const configName = "hearth.conf"

var settings = []setting{
	{name: "data", env: []string{"STATE_DIRECTORY"}, value: defaultData, about: "folder for everything Hearth keeps",
		set: func(c *Config, v string) error { c.Data = v; return nil }},
	{name: "config", about: "file with settings, one NAME=value a line; without it " + configName + " in the data folder, if it is there",
		set: func(c *Config, v string) error { c.File = v; return nil }},
	{name: "listen", env: []string{"PORT"}, value: ":8000", about: "address and port to listen on; a port alone means all addresses", set: setListen},
	{name: "service-ports", value: "off", toggle: true, about: "listen at 3000 to 3003, too, as the documented services did: on or off",
		set: func(c *Config, v string) error { return setToggle(&c.ServicePorts, v) }},
	{name: "service-address", value: "127.0.0.1", about: "address to listen on at the service ports; 0.0.0.0 means all", set: setServiceAddress},
	{name: "public-url", env: []string{"FRONTEND_URL"}, about: "where people reach Hearth, for links: https://chat.example.org", set: setPublicURL},
	{name: "cors-origins", env: []string{"CORS_ORIGINS"}, about: "other web sites that may call the API, separated by commas", set: setOrigins},
	{name: "trusted-proxies", about: "addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas", set: setProxies},
	{name: "registration", value: "open", about: "who may make an account: open, invite or closed", set: setRegistration},
	{name: "bcrypt-cost", value: "auto", about: "cost of a password hash, 4 to 15; auto measures this machine and takes 10 to 12", set: setCost},
	{name: "jwt-access-ttl", env: []string{"JWT_ACCESS_TTL"}, value: "15m", about: "life of an access token",
		set: func(c *Config, v string) error { return setDuration(&c.AccessTTL, v, 10*time.Second, 24*time.Hour) }},
	{name: "jwt-refresh-ttl", env: []string{"JWT_REFRESH_TTL"}, value: "30d", about: "how long a sign-in lasts that is not used",
		set: func(c *Config, v string) error { return setDuration(&c.RefreshTTL, v, time.Minute, 400*24*time.Hour) }},
	{name: "jwt-secret", env: []string{"JWT_SECRET"}, secret: true, about: "signs access tokens, at least 32 bytes; without it Hearth keeps a key of its own beside the data",
		set: func(c *Config, v string) error { c.Secret = v; return nil }},
	{name: "jwt-secret-previous", env: []string{"JWT_SECRET_PREVIOUS"}, secret: true, about: "the secret before, which still verifies during a change",
		set: func(c *Config, v string) error { c.PreviousSecret = v; return nil }},
	{name: "smtp-host", env: []string{"SMTP_HOST"}, about: "mail server to send through; without one no e-mail is sent and nobody waits for any",
		set: func(c *Config, v string) error { c.Mail.Host = v; return nil }},
	{name: "smtp-port", env: []string{"SMTP_PORT"}, value: "587", about: "port of the mail server", set: setMailPort},
	{name: "smtp-tls", env: []string{"SMTP_TLS"}, value: "auto", about: "starttls, tls from the start, none, or auto: tls on port 465, else starttls", set: setMailSecurity},
	{name: "smtp-user", env: []string{"SMTP_USER", "EMAIL_USER"}, about: "name to sign in to the mail server with",
		set: func(c *Config, v string) error { c.Mail.User = v; return nil }},
	{name: "smtp-pass", env: []string{"SMTP_PASS", "EMAIL_PASS"}, secret: true, about: "password to sign in to the mail server with",
		set: func(c *Config, v string) error { c.Mail.Password = v; return nil }},
	{name: "smtp-from", env: []string{"SMTP_FROM", "EMAIL_FROM"}, about: "address that e-mails come from; without it smtp-user, or hearth at the host of public-url", set: setMailFrom},
	{name: "limits", value: "default", about: "rate limits: default or off",
		set: func(c *Config, v string) error { c.NoLimits = v == "off"; return oneOf(v, "default", "off") }},
	{name: "metrics-token", env: []string{"METRICS_TOKEN"}, secret: true, about: "who sends it as a bearer token may read /metrics; without it, programs on this computer",
		set: func(c *Config, v string) error { c.MetricsToken = v; return nil }},
	{name: "pprof", about: "address and port of the profiler, on this computer only: 127.0.0.1:6060", set: setPprof},
	{name: "webui", about: "folder to serve the web interface from, instead of the one built in; for its development",
		set: func(c *Config, v string) error { c.WebUI = v; return nil }},
	{name: "log-level", env: []string{"LOG_LEVEL"}, value: "info", about: "debug, info, warn or error", set: setLogLevel},
	{name: "log-format", value: "auto", about: "text, json, or auto: text on a terminal, else json",
		set: func(c *Config, v string) error { c.LogFormat = v; return oneOf(v, "auto", "text", "json") }},
}

// unused are settings that documented deployments carry and this program takes without
// using, with the reason.
var unused = []struct {
	why   string
	names []string
}{
	{"Hearth is all of these services itself and calls nobody", []string{"USER_SERVICE_URL", "CHAT_SERVICE_URL", "MESSAGE_SERVICE_URL"}},
	{"what is live is kept in the program itself", []string{"REDIS_URL"}},
	{"Hearth keeps its own data; this release does not export to these databases",
		[]string{"MONGODB_URI", "DATABASE_URL", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME"}},
}

// envName is the environment's name of a flag.
func envName(flag string) string {
	return "HEARTH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// origin is a value and where it came from.
type origin struct {
	value string
	from  string // "--listen", "PORT", a file and line, "default"
}

// settled is a Config and where each value came from.
type settled struct {
	Config
	origins  map[string]origin // by setting
	ignored  map[string]string // where an unused name was found
	warnings []string
}

// settle works out what is in force: flag, environment, config file, default.
func settle(flags, env map[string]string) (*settled, error) {
	s := &settled{origins: make(map[string]origin), ignored: make(map[string]string)}
	given := fromFlags(flags)
	fromEnv(given, env, s)
	path, err := s.findFile(given)
	if err != nil {
		return nil, err
	}
	if path != "" {
		if err := s.readFile(path, given); err != nil {
			return nil, err
		}
	}
	for _, setting := range settings {
		o, ok := given[setting.name]
		if !ok {
			o = origin{setting.value, "default"}
		}
		s.origins[setting.name] = o
		if o.value == "" {
			continue
		}
		if err := setting.set(&s.Config, o.value); err != nil {
			shown := ""
			if !setting.secret {
				shown = fmt.Sprintf(" %q", o.value)
			}
			return nil, usagef("%s%s: %w", o.from, shown, err)
		}
	}
	s.File = path
	if s.RefreshTTL < s.AccessTTL {
		return nil, usagef("jwt-refresh-ttl (%s) must not be shorter than jwt-access-ttl (%s)", s.RefreshTTL, s.AccessTTL)
	}
	if err := s.settleMail(); err != nil {
		return nil, err
	}
	return s, nil
}

func fromFlags(flags map[string]string) map[string]origin {
	given := make(map[string]origin)
	for _, setting := range settings {
		if v, ok := flags[setting.name]; ok {
			given[setting.name] = origin{v, "--" + setting.name}
		}
	}
	return given
}

// fromEnv adds what the environment says to what flags left open. HEARTH_ names win over
// documented ones; an empty value counts as none.
func fromEnv(given map[string]origin, env map[string]string, s *settled) {
	known := map[string]bool{"HEARTH_SOAK": true, "HEARTH_SEED": true, "HEARTH_STEPS": true}
	for _, setting := range settings {
		names := append([]string{envName(setting.name)}, setting.env...)
		known[names[0]] = true
		for _, name := range names {
			value := env[name]
			if name == "STATE_DIRECTORY" { // systemd may name several folders
				value, _, _ = strings.Cut(value, ":")
			}
			if _, ok := given[setting.name]; !ok && value != "" {
				given[setting.name] = origin{value, name}
			}
		}
	}
	for _, u := range unused {
		for _, name := range u.names {
			if env[name] != "" {
				s.ignored[name] = "environment"
			}
		}
	}
	for name := range env {
		if strings.HasPrefix(name, "HEARTH_") && !known[name] {
			s.warnings = append(s.warnings, "there is no setting "+name+didYouMean("", name, known))
		}
	}
	slices.Sort(s.warnings)
}

// findFile returns the config file to read; "" for none.
func (s *settled) findFile(given map[string]origin) (string, error) {
	if o, ok := given["config"]; ok {
		if _, err := os.Stat(o.value); err != nil {
			return "", usagef("%s: there is no config file %s", o.from, o.value)
		}
		return o.value, nil
	}
	folder := given["data"].value
	if folder == "" {
		folder = defaultData
	}
	path := filepath.Join(folder, configName)
	if _, err := os.Stat(path); err != nil {
		return "", nil
	}
	return path, nil
}

// readFile adds the settings of a config file that nothing before it set.
func (s *settled) readFile(path string, given map[string]origin) error {
	names := make(map[string]string) // setting by each of its names
	for _, setting := range settings {
		names[setting.name], names[envName(setting.name)] = setting.name, setting.name
		for _, name := range setting.env {
			names[name] = setting.name
		}
	}
	for _, u := range unused {
		for _, name := range u.names {
			names[name] = ""
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return &failure{exitUsage, fmt.Errorf("read settings: %w", err)}
	}
	_, named := given["config"] // else it lies in the data folder
	seen := make(map[string]int)
	for i, line := range strings.Split(string(text), "\n") {
		where := fmt.Sprintf("%s line %d", path, i+1)
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), unquote(strings.TrimSpace(value))
		name, known := names[key]
		switch {
		case !ok:
			return usagef("%s: expected NAME=value", where)
		case !known:
			return usagef("%s: there is no setting %s%s", where, key, didYouMean("", key, names))
		case name == "config", name == "data" && !named:
			return usagef("%s: %s cannot be set here; use --%s", where, key, name)
		case name != "" && seen[name] != 0:
			return usagef("%s: %s is on line %d already", where, key, seen[name])
		case name == "":
			s.ignored[key] = where
			continue
		}
		seen[name] = i + 1
		if _, set := given[name]; !set && value != "" {
			given[name] = origin{value, where}
		}
	}
	return nil
}

func unquote(v string) string {
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}

func oneOf(v string, allowed ...string) error {
	if slices.Contains(allowed, v) {
		return nil
	}
	return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
}

func setListen(c *Config, v string) error {
	if _, err := strconv.Atoi(v); err == nil {
		v = ":" + v
	}
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("must be a port, :8000, or an address and a port, 127.0.0.1:8000")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("a port is a number from 0 to 65535")
	}
	c.Listen = v
	return nil
}

func setToggle(to *bool, v string) error {
	*to = v == "on" || v == "true" || v == "1"
	if *to || v == "off" || v == "false" || v == "0" {
		return nil
	}
	return errors.New("must be on or off")
}

func setServiceAddress(c *Config, v string) error {
	if _, err := netip.ParseAddr(v); err != nil && v != "localhost" {
		return errors.New("must be an address such as 127.0.0.1 or 0.0.0.0")
	}
	c.ServiceAddress = v
	return nil
}

// setPprof takes an address that only this computer reaches: a profile shows what is in
// memory.
func setPprof(c *Config, v string) error {
	host, port, err := net.SplitHostPort(v)
	addr, addrErr := netip.ParseAddr(host)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host != "localhost" && (addrErr != nil || !addr.IsLoopback()) {
		return errors.New("must be an address of this computer alone and a port, such as 127.0.0.1:6060")
	}
	c.Pprof = v
	return nil
}

// webOrigin reads https://host[:port].
func webOrigin(v string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("must look like https://chat.example.org, without anything after the host and port")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func setPublicURL(c *Config, v string) (err error) {
	c.PublicURL, err = webOrigin(v)
	return err
}

func setOrigins(c *Config, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		o, err := webOrigin(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		c.Origins = append(c.Origins, o)
	}
	return nil
}

func setProxies(c *Config, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		p, err := netip.ParsePrefix(part)
		if a, addrErr := netip.ParseAddr(part); addrErr == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return errors.New("must be addresses or networks such as 127.0.0.1,10.0.0.0/8")
		}
		c.TrustedProxies = append(c.TrustedProxies, p.Masked())
	}
	return nil
}

func setRegistration(c *Config, v string) error {
	c.Registration = store.Registration(v)
	return oneOf(v, string(store.RegistrationOpen), string(store.RegistrationInvite), string(store.RegistrationClosed))
}

func setCost(c *Config, v string) error {
	if v == "auto" {
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 4 || n > 15 {
		return errors.New("must be auto or a number from 4 to 15")
	}
	c.BcryptCost = n
	return nil
}

func setLogLevel(c *Config, v string) error {
	v = strings.ToLower(v)
	if v == "warning" {
		v = "warn"
	}
	if err := oneOf(v, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return c.LogLevel.UnmarshalText([]byte(v))
}

// setDuration reads 90s, 15m, 12h or 30d.
func setDuration(to *time.Duration, v string, least, most time.Duration) error {
	d, err := time.ParseDuration(v)
	if days, ok := strings.CutSuffix(v, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil {
			d = time.Duration(min(n, 10_000)) * 24 * time.Hour
		}
	}
	if err != nil || d < least || d > most {
		return fmt.Errorf("must be a time from %s to %s, such as 15m, 12h or 30d", spoken(least), spoken(most))
	}
	*to = d
	return nil
}

func spoken(d time.Duration) string {
	if day := 24 * time.Hour; d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
