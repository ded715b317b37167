package server

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/store"
)

// Metrics count what happens, for GET /metrics. Its methods may be called by any goroutine.
type Metrics struct {
	started time.Time

	mu      sync.Mutex
	routes  map[routeKey]*routeMetrics
	batches histogram // operations
	commits histogram // seconds
}

// routeKey names a row of the table of routes, or what no route matched.
type routeKey struct{ method, route string }

type routeMetrics struct {
	took     histogram      // seconds
	answered map[int]uint64 // by status
}

// Bounds of the histograms.
var (
	requestBounds = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}
	commitBounds  = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1}
	batchBounds   = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
)

// NewMetrics returns metrics at zero.
func NewMetrics() *Metrics {
	return &Metrics{
		started: time.Now(), routes: map[routeKey]*routeMetrics{},
		batches: newHistogram(batchBounds), commits: newHistogram(commitBounds),
	}
}

// Committed counts a batch that is on disk: how many operations it held and how long
// writing and syncing it took.
func (m *Metrics) Committed(operations int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches.add(float64(operations))
	m.commits.add(took.Seconds())
}

// answered counts a request.
func (m *Metrics) answered(method, route string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.routes[routeKey{method, route}]
	if of == nil {
		of = &routeMetrics{newHistogram(requestBounds), map[int]uint64{}}
		m.routes[routeKey{strings.Clone(method), strings.Clone(route)}] = of
	}
	of.took.add(took.Seconds())
	of.answered[status]++
}

// histogram counts values by size.
type histogram struct {
	bounds []float64
	counts []uint64 // of values up to each bound, and above the last
	sum    float64
}

func newHistogram(bounds []float64) histogram {
	return histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

func (h *histogram) add(value float64) {
	i := 0
	for i < len(h.bounds) && value > h.bounds[i] {
		i++
	}
	h.counts[i]++
	h.sum += value
}

// Disk is the space that data takes and has.
type Disk struct {
	Stores map[string]int64 // bytes by name of the store
	Free   uint64           // bytes that are left for this user
}

// showMetrics answers in the text format of Prometheus. Who may not see them learns not
// even that they are there.
func (s *Server) showMetrics(c *fiber.Ctx) error {
	if !s.mayMeasure(c) {
		nothing := refusals[fiber.StatusNotFound]
		nothing.Kind = store.ErrNotFound // the router's own would bring the web app
		return &nothing
	}
	hub, err := s.hub.Stats(c.UserContext())
	if err != nil {
		return err
	}
	var x exposition
	s.metrics.expose(&x)
	exposeHub(&x, hub)
	if err := s.exposeStores(&x); err != nil {
		return err
	}
	x.one("hearth_build_info", "gauge", "Which version runs.", 1, "version", s.version)
	exposeProcess(&x, s.metrics.started)
	c.Set(fiber.HeaderContentType, "text/plain; version=0.0.4; charset=utf-8")
	return c.Send(x.text)
}

// mayMeasure reports whether somebody may see the metrics: who has the token, or without
// one a program on this computer that comes directly and asks for this computer by a name
// that no page on the web can have.
func (s *Server) mayMeasure(c *fiber.Ctx) bool {
	if s.metricsToken != "" {
		return subtle.ConstantTimeCompare([]byte(bearer(c)), []byte(s.metricsToken)) == 1
	}
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok || !peer.Unmap().IsLoopback() {
		return false
	}
	for name := range c.Request().Header.All() {
		if name := strings.ToLower(string(name)); name == "forwarded" || strings.HasPrefix(name, "x-forwarded-") {
			return false
		}
	}
	return IsLoopbackHost(string(c.Context().Host()))
}

// IsLoopbackHost reports whether a Host header names this computer and no other:
// localhost or a loopback address, with or without a port.
func IsLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// exposeStores tells of the disk, and whether it takes writes.
func (s *Server) exposeStores(x *exposition) error {
	writable := 1.0
	if s.writable != nil && s.writable() != nil {
		writable = 0
	}
	x.one("hearth_store_writable", "gauge", "1, or 0 while writes are refused.", writable)
	if s.disk == nil {
		return nil
	}
	d, err := s.disk()
	if err != nil {
		return fmt.Errorf("measure the disk: %w", err)
	}
	x.family("hearth_store_bytes", "gauge", "Disk space that a store takes.")
	for _, name := range sorted(d.Stores) {
		x.sample("hearth_store_bytes", float64(d.Stores[name]), "store", name)
	}
	x.one("hearth_disk_free_bytes", "gauge", "Disk space that is left.", float64(d.Free))
	return nil
}
