package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hearthchat/hearth"
	"github.com/hearthchat/hearth/server"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

var serveCommand = &command{
	name: "serve", about: "run the server", run: serve,
	more: "Everything it keeps is in one folder. It prints the addresses to open and, until there is\nan administrator, the link that makes the first one. Ctrl-C stops it.",
	examples: []string{
		"hearth", "hearth --data /srv/hearth --listen :80", "PORT=9000 hearth",
		"hearth --public-url https://chat.example.org --trusted-proxies 127.0.0.1 --registration invite",
	},
}

const (
	// stopLimit is how long stopping may take before the program ends as it is. Nothing is
	// lost by that: what was acknowledged is on disk.
	stopLimit = 5 * time.Second

	sweepEvery = time.Hour
	sweepLimit = 1000 // sessions and codes removed at once
)

// serve runs until ctx ends, which is no error, or something breaks that only a new start
// can mend. It starts from the stores outwards and stops the other way round.
func serve(ctx context.Context, c *call) error {
	log := newLogger(c.settled, c.stderr, c.LogLevel)
	s, err := openSystem(ctx, c.settled, log)
	if err != nil {
		return err
	}
	doors, err := openDoors(&c.Config)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	control, err := listenControl(c.Data, c.commands, s, log)
	if err != nil {
		return errors.Join(err, doors.Close(), s.Close())
	}
	hub := live.NewHub(s.rooms, s.people, s.chat, live.Options{Log: log})
	http, err := newServer(s, hub, log)
	if err == nil {
		err = greet(ctx, c.stdout, s)
	}
	if err != nil {
		return errors.Join(err, doors.Close(), control.listener.Close(), s.Close())
	}
	log.Info("started", "version", version, "listen", doors.front.Addr().String(), "data", c.Data)

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	behind, stopBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBehind()
	inner, outer := &group{log: log, fail: fail}, &group{log: log, fail: fail}
	inner.start("hub", func() error { return hub.Run(behind) })
	inner.start("relay of accounts", func() error { return store.Relay(behind, s.people, s.rooms, s.chat.Settle) })
	inner.start("sweep", func() error { return sweep(behind, s.people, log) })
	if s.outbox != nil {
		inner.start("mail", func() error { return s.outbox.Run(behind, s.auth) })
	}
	inner.start("memory", func() error { return giveBack(behind) })
	inner.start("rooms", func() error { return untilFailed(behind, s.rooms) })
	outer.start("local socket", func() error { return control.Serve(ctx) })
	outer.start("listener", func() error { return http.Serve(ctx, doors.front, doors.services...) })
	if doors.profiler != nil {
		outer.start("profiler", func() error { return serveProfiles(ctx, doors.profiler) })
	}

	<-ctx.Done()
	log.Info("stopping")
	stopped := make(chan error, 1)
	go func() {
		outer.wait()
		stopBehind()
		inner.wait()
		stopped <- errors.Join(s.Close(), removeSocket(c.Data))
	}()
	select {
	case err = <-stopped:
	case <-time.After(stopLimit):
		err = fmt.Errorf("could not stop in %s; what was acknowledged is safe", stopLimit)
	}
	if broken := (*failure)(nil); errors.As(context.Cause(ctx), &broken) {
		return errors.Join(broken, err)
	}
	log.Info("stopped")
	return err
}

func newServer(s *system, hub *live.Hub, log *slog.Logger) (*server.Server, error) {
	web := hearth.Web()
	if s.WebUI != "" {
		web = os.DirFS(s.WebUI)
		if _, err := fs.Stat(web, "index.html"); err != nil {
			return nil, usagef("--webui: there is no index.html in %s; npm run build makes one", s.WebUI)
		}
	}
	return server.New(s.chat, s.auth, hub, server.Options{
		Web: web, Version: version, FrontendURL: s.PublicURL, CORSOrigins: s.Origins,
		TrustedProxies: s.TrustedProxies, Unlimited: s.NoLimits, ServicePorts: s.ServicePorts, Log: log,
		Metrics: s.metrics, MetricsToken: s.MetricsToken, Writable: s.writable,
		Disk: func() (server.Disk, error) { return diskUse(s.Data) },
	})
}

// greet tells the person who started the server where to go.
func greet(ctx context.Context, w io.Writer, s *system) error {
	link, err := s.setupLink(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nHearth %s is running.\n\n", version)
	if s.PublicURL != "" {
		fmt.Fprintf(&b, "  for everybody      %s\n", s.PublicURL)
	}
	fmt.Fprintf(&b, "  on this computer   %s\n", s.localAddress())
	for _, ip := range networkAddresses(s.Listen) {
		_, port, _ := net.SplitHostPort(s.Listen)
		fmt.Fprintf(&b, "  on this network    http://%s\n", net.JoinHostPort(ip, port))
	}
	if s.ServicePorts {
		fmt.Fprintf(&b, "  service ports      %d to %d on %s\n", compat.WebPort, compat.Services[len(compat.Services)-1].Port, s.ServiceAddress)
	}
	if link != "" {
		fmt.Fprintf(&b, "\nNobody administers it yet. Open this link to make the first account:\n\n  %s\n", link)
	}
	b.WriteString("\n")
	_, err = io.WriteString(w, b.String())
	return err
}

// networkAddresses returns this machine's addresses that others on its network can open.
func networkAddresses(listen string) []string {
	host, _, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return nil // it listens at one address, which is printed already
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []string
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP.String())
		}
	}
	return ips
}

// untilFailed returns an error when the store cannot write any more.
func untilFailed(ctx context.Context, rooms workspaceEngine) error {
	select {
	case <-ctx.Done():
		return nil
	case <-rooms.Failed():
		return rooms.Err()
	}
}

// sweep removes sessions and codes that have expired, now and then.
func sweep(ctx context.Context, people store.Accounts, log *slog.Logger) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		removed, err := people.SweepSessions(ctx, time.Now(), sweepLimit)
		if err != nil && ctx.Err() == nil {
			log.Error("expired sessions could not be removed", "error", err)
		}
		if err == nil && removed >= sweepLimit {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func removeSocket(folder string) error {
	if err := os.Remove(filepath.Join(folder, socketName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the control socket: %w", err)
	}
	return nil
}

// group is goroutines that end together: when one returns an error or panics, the server stops.
type group struct {
	log     *slog.Logger
	fail    context.CancelCauseFunc
	running sync.WaitGroup
}

func (g *group) start(name string, run func() error) {
	g.running.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				g.log.Error("panic", "in", name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				g.fail(&failure{exitFatal, fmt.Errorf("%s: panic: %v", name, p)})
			}
		}()
		if err := run(); err != nil {
			g.log.Error("ended", "what", name, "error", err)
			g.fail(&failure{exitFatal, fmt.Errorf("%s: %w", name, err)})
		}
	})
}

func (g *group) wait() { g.running.Wait() }
