// Package server is Hearth's HTTP side: the table of routes, what stands before them, and
// the web app. It decodes, asks chat, auth or live, and encodes.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/server/live"
)

// Limits of what is read and kept of a connection.
const (
	maxBody        = 1 << 20
	maxHeaders     = 8 << 10
	maxConnections = 20_000 // requests at the same time; sockets do not count once they are open
	readTimeout    = 15 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 75 * time.Second
	stopTimeout    = 4 * time.Second // what requests under way get when the server stops
)

// Options adjust a Server. The zero value works on a local network.
type Options struct {
	Web            fs.FS                // the built web app, index.html at its root; nil: a page that says how to build it
	Version        string               // empty means "dev"
	FrontendURL    string               // FRONTEND_URL: the public address, without a slash at the end; empty: that of each request
	CORSOrigins    []string             // CORS_ORIGINS: further pages that may read answers and open sockets
	TrustedProxies []netip.Prefix       // peers whose X-Forwarded-For and X-Forwarded-Proto count
	Unlimited      bool                 // HEARTH_LIMITS=off
	ServicePorts   bool                 // there are service ports: pages of the documented web app's address may read answers
	Metrics        *Metrics             // where to count; nil: metrics of its own
	MetricsToken   string               // METRICS_TOKEN: who sends it may read /metrics; empty: programs on this computer
	Disk           func() (Disk, error) // measures the disk for /metrics; nil: they do not tell of it
	Writable       func() error         // says why the stores take no writes now; nil: they always do
	Now            func() time.Time     // the clock of answers; nil means time.Now
	Log            *slog.Logger         // nil discards
}

// Server answers HTTP requests and opens sockets.
type Server struct {
	chat *chat.Service
	auth *auth.Service
	hub  *live.Hub
	log  *slog.Logger
	now  func() time.Time

	writable     func() error
	disk         func() (Disk, error)
	metrics      *Metrics
	metricsToken string
	version      string
	frontend     string
	origins      []string
	proxies      []netip.Prefix
	limits       *limits // nil: none
	sockets      *live.Registry
	app          map[string]asset
	http         *fiber.App
	upgrade      fiber.Handler
}

// New returns a server over the three services. The hub is to be run by the caller, from
// before Serve until after it. An error says that the web app cannot be read or that
// FRONTEND_URL or one of CORS_ORIGINS is no http or https address.
func New(chat *chat.Service, auth *auth.Service, hub *live.Hub, o Options) (*Server, error) {
	s := &Server{
		chat: chat, auth: auth, hub: hub, log: o.Log, now: o.Now, writable: o.Writable, disk: o.Disk,
		metrics: cmp.Or(o.Metrics, NewMetrics()), metricsToken: o.MetricsToken,
		version: cmp.Or(o.Version, "dev"), frontend: strings.TrimRight(o.FrontendURL, "/"),
		proxies: o.TrustedProxies, sockets: &live.Registry{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Unlimited {
		s.sockets = nil
	} else {
		s.limits = newLimits(s.now)
	}
	if err := s.setOrigins(o); err != nil {
		return nil, err
	}
	var err error
	if s.app, err = loadApp(o.Web); err != nil {
		return nil, err
	}
	s.upgrade = s.newUpgrade()
	s.http = s.newHTTP()
	return s, nil
}

func (s *Server) setOrigins(o Options) error {
	addresses := append(slices.Clone(o.CORSOrigins), s.frontend)
	if o.ServicePorts {
		addresses = append(addresses, fmt.Sprintf("http://localhost:%d", compat.WebPort))
	}
	for _, address := range addresses {
		origin := originOf(address)
		switch {
		case address == "":
			continue
		case origin == "":
			return fmt.Errorf("%q is no address such as https://chat.example.org", address)
		}
		s.origins = append(s.origins, origin)
	}
	return nil
}

// newHTTP builds the application from the table of routes.
func (s *Server) newHTTP() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName: "Hearth", DisableStartupMessage: true, CaseSensitive: true, Network: fiber.NetworkTCP,
		BodyLimit: maxBody, ReadBufferSize: maxHeaders, Concurrency: maxConnections, DisablePreParseMultipartForm: true, ReduceMemoryUsage: true,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorHandler: s.refuse,
	})
	app.Use(s.around)
	s.mount(app)
	// fiber answers methods nobody has heard of before any handler of ours.
	known, fromFiber := app.Config().RequestMethods, app.Handler()
	app.Server().Handler = func(ctx *fasthttp.RequestCtx) {
		if !slices.Contains(known, string(ctx.Method())) {
			c := app.AcquireCtx(ctx)
			defer app.ReleaseCtx(c)
			c.Set(fiber.HeaderAllow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
			_ = s.refuse(c, fiber.ErrMethodNotAllowed)
			return
		}
		fromFiber(ctx)
	}
	return app
}

// ServicePort is a listener in the place of one of the documented ports: compat.WebPort or
// that of one of compat.Services.
type ServicePort struct {
	net.Listener
	Port int // the documented one, which need not be the listener's
}

// Serve answers what comes in at ln, and at ports as the documented services did, until
// ctx ends, which is no error. Then nobody is let in any more, sockets are told to come
// back and closed, requests under way are finished, and only after that does Serve return:
// the stores may be closed. A listener that fails ends the others.
func (s *Server) Serve(ctx context.Context, ln net.Listener, ports ...ServicePort) error {
	open := newConnections(s.exempt)
	listeners := []*listener{{ln, nil, open}}
	for _, p := range ports {
		listeners = append(listeners, &listener{p.Listener, compat.At(p.Port), open})
	}
	served := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { served <- s.http.Server().Serve(l) }()
	}
	running, failed := len(listeners), error(nil)
	select {
	case err := <-served:
		running, failed = running-1, fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	err := errors.Join(failed, s.stop(ctx, listeners))
	for range running {
		err = errors.Join(err, <-served)
	}
	return err
}

// stop ends what Serve began.
func (s *Server) stop(ctx context.Context, listeners []*listener) error {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	for _, l := range listeners {
		_ = l.Close()
	}
	open := listeners[0].connections
	open.hangUp(false)
	sockets := make(chan error, 1)
	go func() { sockets <- s.hub.Close(limit) }()
	err := s.http.ShutdownWithContext(limit)
	switch {
	case errors.Is(err, net.ErrClosed):
		err = nil
	case errors.Is(err, context.DeadlineExceeded):
		open.hangUp(true)
		err = fmt.Errorf("stop: some requests took longer than %s", stopTimeout)
	}
	return errors.Join(err, <-sockets)
}

// exempt reports whether an address may hold any number of connections: this machine's
// own, a proxy we trust, or any when there are no limits.
func (s *Server) exempt(addr netip.Addr) bool {
	return s.limits == nil || addr.IsLoopback() || s.trusted(addr)
}
