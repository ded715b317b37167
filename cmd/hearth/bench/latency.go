package bench

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// Buckets of latencies, in microseconds: each of the first ones by itself, then so many of
// equal width for each doubling, so that a bucket is at most 0.2 % wide.
const (
	bucketBits = 9
	perOctave  = 1 << bucketBits
	octaves    = 24 // the last ends after more than an hour
)

// latencies counts how long things took. It may be added to by many goroutines.
type latencies struct {
	counts [(octaves + 2) * perOctave]atomic.Uint64
}

func bucketOf(micros uint64) int {
	if micros < 2*perOctave {
		return int(micros)
	}
	octave := bits.Len64(micros) - bucketBits - 1
	return min(octave*perOctave+int(micros>>octave), (octaves+2)*perOctave-1)
}

// highest is the most that a bucket holds, in microseconds.
func highest(bucket int) uint64 {
	if bucket < 2*perOctave {
		return uint64(bucket)
	}
	octave := bucket/perOctave - 1
	return uint64(bucket-octave*perOctave+1)<<octave - 1
}

func (l *latencies) add(d time.Duration) {
	l.counts[bucketOf(uint64(max(0, d.Microseconds())))].Add(1)
}

func (l *latencies) total() (n uint64) {
	for i := range l.counts {
		n += l.counts[i].Load()
	}
	return n
}

// percentile returns what a share of all, between 0 and 1, stayed within.
func (l *latencies) percentile(share float64) time.Duration {
	rank := max(1, uint64(share*float64(l.total())+0.5))
	var seen uint64
	for i := range l.counts {
		if seen += l.counts[i].Load(); seen >= rank {
			return time.Duration(highest(i)) * time.Microsecond
		}
	}
	return 0
}

// corrected undoes coordinated omission: a client that waits for each answer asks nothing
// while one is slow, and so never sees what the requests it did not make would have met.
// For each latency above the interval at which the client asks, those are added: one
// interval less, two less, and so on.
func (l *latencies) corrected(interval time.Duration) *latencies {
	c := new(latencies)
	step := uint64(max(1, interval.Microseconds()))
	for i := range l.counts {
		n := l.counts[i].Load()
		if n == 0 {
			continue
		}
		c.counts[i].Add(n)
		for micros := highest(i); micros > 2*step; {
			micros -= step
			c.counts[bucketOf(micros)].Add(n)
		}
	}
	return c
}

// String is the two percentiles that the table shows.
func (l *latencies) String() string {
	return fmt.Sprintf("p50 %s, p99 %s", millis(l.percentile(.5)), millis(l.percentile(.99)))
}

// millis writes a duration as milliseconds with two or three digits.
func millis(d time.Duration) string {
	ms := float64(d) / 1e6
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// replace makes l hold what another one does.
func (l *latencies) replace(by *latencies) {
	for i := range l.counts {
		l.counts[i].Store(by.counts[i].Load())
	}
}
