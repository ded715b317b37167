package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server"
)

// Lines of the text format of Prometheus.
var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)((?:\{[a-z]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\]|\\["\\n])*")*\})?) (\S+)$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-z_]+) (counter|gauge|histogram)$`)
	helpLine   = regexp.MustCompile(`^# HELP ([a-z_]+) \S.*\.$`)
)

// scrape reads the metrics and holds them to the format: every sample is of the family
// announced before it, and no family is announced twice.
func scrape(t *testing.T, who *actor) map[string]float64 {
	t.Helper()
	got := who.Do("GET", "/metrics", nil).Must(200)
	if media := got.Header.Get("Content-Type"); media != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("metrics are %q", media)
	}
	samples, families, family := map[string]float64{}, map[string]bool{}, ""
	for line := range strings.Lines(string(got.Body)) {
		line = strings.TrimSuffix(line, "\n")
		if help := helpLine.FindStringSubmatch(line); help != nil {
			if family = help[1]; families[family] {
				t.Errorf("%s comes twice", family)
			}
			families[family] = true
			continue
		}
		if kind := typeLine.FindStringSubmatch(line); kind != nil && kind[1] == family {
			continue
		}
		sample := sampleLine.FindStringSubmatch(line)
		if sample == nil || !strings.HasPrefix(sample[1], family) {
			t.Fatalf("below %q: %q", family, line)
		}
		value, err := strconv.ParseFloat(sample[3], 64)
		if _, twice := samples[sample[1]+sample[2]]; err != nil || twice {
			t.Errorf("%q: %v, twice: %t", line, err, twice)
		}
		samples[sample[1]+sample[2]] = value
	}
	return samples
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	metrics := server.NewMetrics()
	h := start(t, options{Server: server.Options{Version: `1"\`, Metrics: metrics, Disk: func() (server.Disk, error) {
		return server.Disk{Stores: map[string]int64{"rooms": 4096}, Free: 1 << 40}, nil
	}}})
	ann := h.Arrives(t, "ann")
	room := ann.Makes("General")
	ann.Watches("/api/chat/ws/" + room)
	for range 3 {
		ann.Post(room, "hello")
	}
	ann.Says(map[string]any{"type": "message", "content": "over the socket"})
	ann.Sees("over the socket")
	ann.Do("GET", "/api/chat/rooms/nowhere", nil).Must(404)
	ann.Do("BREW", "/api/chat/rooms", nil).Must(405)
	metrics.Committed(3, 700*time.Microsecond)
	metrics.Committed(1000, 2*time.Second)

	got := scrape(t, ann)
	for name, want := range map[string]float64{
		`hearth_http_requests_total{method="POST",route="/api/chat/rooms/:id/messages",status="201"}`:               3,
		`hearth_http_requests_total{method="GET",route="/api/chat/rooms/:id",status="404"}`:                         1,
		`hearth_http_requests_total{method="other",route="",status="405"}`:                                          1,
		`hearth_http_requests_total{method="GET",route="/api/chat/ws/:room_id",status="101"}`:                       1,
		`hearth_http_request_duration_seconds_count{method="POST",route="/api/chat/rooms/:id/messages"}`:            3,
		`hearth_http_request_duration_seconds_bucket{method="POST",route="/api/chat/rooms/:id/messages",le="+Inf"}`: 3,
		`hearth_sockets`: 1, `hearth_socket_frames_received_total`: 1, `hearth_sockets_too_slow_total`: 0, `hearth_socket_queue_bytes`: 0,
		`hearth_store_batch_operations_bucket{le="2"}`: 0, `hearth_store_batch_operations_bucket{le="4"}`: 1, `hearth_store_batch_operations_bucket{le="512"}`: 1,
		`hearth_store_batch_operations_bucket{le="+Inf"}`: 2, `hearth_store_batch_operations_sum`: 1003, `hearth_store_batch_operations_count`: 2,
		`hearth_store_commit_duration_seconds_bucket{le="0.0005"}`: 0, `hearth_store_commit_duration_seconds_bucket{le="0.001"}`: 1,
		`hearth_store_bytes{store="rooms"}`: 4096, `hearth_disk_free_bytes`: 1 << 40, `hearth_store_writable`: 1,
		`hearth_build_info{version="1\"\\"}`: 1,
	} {
		if value, there := got[name]; !there || value != want {
			t.Errorf("%s = %v (%t), want %v", name, value, there, want)
		}
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "go_memstats_sys_bytes", "process_cpu_seconds_total", "process_start_time_seconds"} {
		if got[name] <= 0 {
			t.Errorf("%s = %v", name, got[name])
		}
	}
	// hello, four messages and an ack at least; typing, presence and counts may come between.
	if sent := got["hearth_socket_frames_sent_total"]; sent < 6 {
		t.Errorf("%v frames were sent", sent)
	}
	if lag, there := got[`hearth_follower_lag_changes{follower="live"}`]; !there || lag > 10 {
		t.Errorf("live delivery lags %v changes (%t)", lag, there)
	}
	h.disk.set(diskFull)
	if full := scrape(t, ann); full["hearth_store_writable"] != 0 {
		t.Errorf("with a full disk hearth_store_writable = %v", full["hearth_store_writable"])
	}
}

// TestWhoMayMeasure: for who may not, the metrics are not there.
func TestWhoMayMeasure(t *testing.T) {
	t.Parallel()
	const token = "a-token-for-the-metrics"
	open, closed := start(t, options{}), start(t, options{Server: server.Options{MetricsToken: token}})
	admin := map[*hearth]*actor{open: open.SetsUp(t, "ada"), closed: closed.SetsUp(t, "ada")}
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for _, tt := range []struct {
		name   string
		h      *hearth
		host   string
		header http.Header
		status int
	}{
		{"a program here", open, "", nil, 200},
		{"by name", open, "localhost:8000", nil, 200},
		{"by name without a port", open, "LocalHost", nil, 200},
		{"by IPv6 address", open, "[::1]:8000", nil, 200},
		{"with a token that nobody asked for", open, "", bearer(token), 200},
		{"by a name of the network", open, "chat.example.org", nil, 404},
		{"by a name that a page gave this computer", open, "localhost.evil.example:8000", nil, 404},
		{"by an address of the network", open, "192.168.1.5:8000", nil, 404},
		{"by all addresses", open, "0.0.0.0:8000", nil, 404},
		{"through a proxy", open, "localhost", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 404},
		{"through another proxy", open, "localhost", http.Header{"Forwarded": {"for=127.0.0.1"}}, 404},
		{"through a proxy of few words", open, "localhost", http.Header{"X-Forwarded-Proto": {"https"}}, 404},
		{"with the token", closed, "", bearer(token), 200},
		{"with the token from anywhere", closed, "chat.example.org", http.Header{"Authorization": {"Bearer " + token}, "X-Forwarded-For": {"203.0.113.7"}}, 200},
		{"without the token", closed, "", http.Header{"Authorization": nil}, 404},
		{"with another token", closed, "", bearer("a-token-for-the-metricz"), 404},
		{"with part of the token", closed, "", bearer("a-token"), 404},
		{"as an administrator", closed, "", bearer(admin[closed].Token), 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nobody := tt.h.Nobody(t)
			nobody.host = tt.host
			got := nobody.Send(request{Method: "GET", Path: "/metrics", Header: tt.header}).Must(tt.status)
			nothing := nobody.Send(request{Method: "GET", Path: "/api/metrics"}).Must(404)
			if tt.status == 404 && timeless(got) != timeless(nothing) {
				t.Errorf("refused with %s, where nothing is with %s", got.Body, nothing.Body)
			}
		})
	}
}

// TestDashboard: every metric that the Grafana dashboard asks for is there.
func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../packaging/grafana/hearth.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		UID    string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil || dashboard.UID == "" {
		t.Fatalf("uid %q, %v", dashboard.UID, err)
	}
	h := start(t, options{Server: server.Options{Disk: func() (server.Disk, error) { return server.Disk{Stores: map[string]int64{"rooms": 1}}, nil }}})
	h.Nobody(t).Do("GET", "/health", nil).Must(200)
	there, asked := map[string]bool{}, map[string]bool{}
	for name := range scrape(t, h.Nobody(t)) {
		name, _, _ = strings.Cut(name, "{")
		there[name] = true
	}
	named := regexp.MustCompile(`\b(hearth|go|process)_[a-z_]+`)
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			names := named.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s asks for nothing: %s", p.Title, target.Expr)
			}
			for _, name := range names {
				asked[name] = true
				if !there[name] {
					t.Errorf("%s asks for %s, which is not there", p.Title, name)
				}
			}
		}
	}
	for name := range there {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if strings.HasPrefix(name, "hearth_") && name != "hearth_build_info" && !asked[name] && !asked[base+"_bucket"] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestTraces: the line of a request has the trace it is part of, if that is one.
func TestTraces(t *testing.T) {
	t.Parallel()
	var log lines
	h := start(t, options{Server: server.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))}})
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for i, given := range []string{trace, "not-a-trace", ""} {
		h.Nobody(t).Send(request{Method: "GET", Path: "/health", Header: http.Header{"X-Request-Id": {fmt.Sprintf("trace-%d", i)}, "Traceparent": {given}}}).Must(200)
	}
	h.close()
	found := 0
	for text := range strings.Lines(log.String()) {
		var line struct {
			Level       string  `json:"level"`
			RequestID   string  `json:"request_id"`
			Traceparent *string `json:"traceparent"`
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !strings.HasPrefix(line.RequestID, "trace-") {
			continue
		}
		found++
		if has := line.Traceparent != nil; line.Level != "INFO" || has != (line.RequestID == "trace-0") || has && *line.Traceparent != trace {
			t.Errorf("%s", text)
		}
	}
	if found != 3 {
		t.Errorf("%d lines for 3 requests", found)
	}
}
