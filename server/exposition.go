package server

import (
	"cmp"
	"maps"
	"os"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hearthchat/hearth/server/live"
)

// exposition is text in the format that Prometheus reads.
type exposition struct{ text []byte }

// family begins the samples of one name.
func (x *exposition) family(name, kind, help string) {
	x.text = append(x.text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample adds a value with its labels: name, value, name, value.
func (x *exposition) sample(name string, value float64, labels ...string) {
	x.text = append(x.text, name...)
	for i := 0; i < len(labels); i += 2 {
		x.text = append(x.text, "{,"[min(i, 1)])
		x.text = append(x.text, labels[i]+`="`+escapeLabel.Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 0 {
		x.text = append(x.text, '}')
	}
	x.text = append(strconv.AppendFloat(append(x.text, ' '), value, 'g', -1, 64), '\n')
}

// one is a family of one sample.
func (x *exposition) one(name, kind, help string, value float64, labels ...string) {
	x.family(name, kind, help)
	x.sample(name, value, labels...)
}

// histogram adds the samples of a histogram.
func (x *exposition) histogram(name string, h *histogram, labels ...string) {
	labels = append(slices.Clone(labels), "le", "")
	count := uint64(0)
	for i, n := range h.counts {
		count += n
		labels[len(labels)-1] = "+Inf"
		if i < len(h.bounds) {
			labels[len(labels)-1] = strconv.FormatFloat(h.bounds[i], 'g', -1, 64)
		}
		x.sample(name+"_bucket", float64(count), labels...)
	}
	labels = labels[:len(labels)-2]
	x.sample(name+"_sum", h.sum, labels...)
	x.sample(name+"_count", float64(count), labels...)
}

// expose tells what was counted.
func (m *Metrics) expose(x *exposition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(m.routes), func(a, b routeKey) int {
		return cmp.Or(strings.Compare(a.route, b.route), strings.Compare(a.method, b.method))
	})
	x.family("hearth_http_requests_total", "counter", "Requests by route and status; / is also what no route matched.")
	for _, k := range keys {
		for _, status := range sorted(m.routes[k].answered) {
			x.sample("hearth_http_requests_total", float64(m.routes[k].answered[status]), "method", k.method, "route", k.route, "status", strconv.Itoa(status))
		}
	}
	x.family("hearth_http_request_duration_seconds", "histogram", "How long requests took, by route.")
	for _, k := range keys {
		x.histogram("hearth_http_request_duration_seconds", &m.routes[k].took, "method", k.method, "route", k.route)
	}
	x.family("hearth_store_batch_operations", "histogram", "Operations that were written and synced together.")
	x.histogram("hearth_store_batch_operations", &m.batches)
	x.family("hearth_store_commit_duration_seconds", "histogram", "How long writing and syncing a batch took.")
	x.histogram("hearth_store_commit_duration_seconds", &m.commits)
}

func exposeHub(x *exposition, s live.Stats) {
	x.one("hearth_sockets", "gauge", "Open WebSockets.", float64(s.Sockets))
	x.one("hearth_socket_frames_received_total", "counter", "Frames from clients.", float64(s.Received))
	x.one("hearth_socket_frames_sent_total", "counter", "Frames to clients, one for each socket.", float64(s.Sent))
	x.one("hearth_sockets_too_slow_total", "counter", "Sockets closed because their queue was full; they resume.", float64(s.TooSlow))
	x.one("hearth_socket_queue_bytes", "gauge", "Bytes waiting for slow sockets.", float64(s.Queued))
	x.one("hearth_follower_lag_changes", "gauge", "Changes in the log that a follower has not dealt with.", float64(s.Lag), "follower", "live")
}

// runtimeMetrics are what is told of the Go runtime, by its own names.
var runtimeMetrics = []struct{ from, name, kind, help string }{
	{"/sched/goroutines:goroutines", "go_goroutines", "gauge", "Goroutines."},
	{"/memory/classes/heap/objects:bytes", "go_memstats_heap_alloc_bytes", "gauge", "Memory of objects in use or not collected yet."},
	{"/memory/classes/total:bytes", "go_memstats_sys_bytes", "gauge", "Memory taken from the system."},
	{"/gc/cycles/total:gc-cycles", "go_gc_cycles_total", "counter", "Garbage collections."},
}

// exposeProcess tells of this process, under the names that every program uses.
func exposeProcess(x *exposition, started time.Time) {
	samples := make([]metrics.Sample, len(runtimeMetrics))
	for i, m := range runtimeMetrics {
		samples[i].Name = m.from
	}
	metrics.Read(samples)
	for i, m := range runtimeMetrics {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			x.one(m.name, m.kind, m.help, float64(samples[i].Value.Uint64()))
		}
	}
	if pages, err := residentPages(); err == nil {
		x.one("process_resident_memory_bytes", "gauge", "Memory that this process has in RAM.", float64(pages*os.Getpagesize()))
	}
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err == nil {
		spent := time.Duration(use.Utime.Nano() + use.Stime.Nano())
		x.one("process_cpu_seconds_total", "counter", "Processor time.", spent.Seconds())
	}
	x.one("process_start_time_seconds", "gauge", "When this process started.", float64(started.UnixMilli())/1000)
}

// residentPages is Linux's count of this process's memory; elsewhere it is an error.
func residentPages() (int, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), " ")
	resident, _, _ := strings.Cut(rest, " ")
	return strconv.Atoi(resident)
}

// sorted returns the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
