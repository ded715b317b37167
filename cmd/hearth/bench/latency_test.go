package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsHoldWhatTheySay(t *testing.T) {
	before := -1
	for micros := uint64(0); micros < 1<<30; micros += 1 + micros/300 {
		i := bucketOf(micros)
		if top := highest(i); micros > top || float64(top-micros) > .002*float64(micros)+1 {
			t.Fatalf("%d µs is in bucket %d, which ends at %d", micros, i, top)
		}
		if i < before {
			t.Fatalf("%d µs is in bucket %d, less in %d", micros, i, before)
		}
		if i > 0 && bucketOf(highest(i-1)+1) != i {
			t.Fatalf("bucket %d does not begin where %d ends", i, i-1)
		}
		before = i
	}
	var l latencies
	l.add(-time.Second)
	l.add(1000 * time.Hour)
	if l.total() != 2 || l.percentile(.1) != 0 {
		t.Error("what no bucket is for was lost")
	}
}

func TestPercentilesAreThoseOfTheSortedValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var l latencies
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(random.ExpFloat64() * float64(20*time.Millisecond)).Truncate(time.Microsecond)
		l.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, share := range []float64{.01, .5, .9, .99, .999, 1} {
		want := all[int(share*float64(len(all)))-1]
		if got := l.percentile(share); got < want || got > want+want/400+time.Microsecond {
			t.Errorf("the %v percentile is %s, not %s", share, got, want)
		}
	}
}

func TestWhatWasNotAskedMeanwhileCounts(t *testing.T) {
	// A client that asks each 10 ms is answered at once 99 times, and once after a second.
	var l latencies
	for range 99 {
		l.add(time.Millisecond)
	}
	l.add(time.Second)
	if p := l.percentile(.99); p > 2*time.Millisecond {
		t.Fatalf("before: %s", p)
	}
	// In that second it would have asked 99 times more, to wait for 990, 980 … 10 ms.
	c := l.corrected(10 * time.Millisecond)
	if n := c.total(); n < 197 || n > 199 {
		t.Errorf("%d after the correction", n)
	}
	if p := c.percentile(.75); p < 480*time.Millisecond || p > 520*time.Millisecond {
		t.Errorf("three quarters wait %s", p)
	}
	if l.corrected(2*time.Second).total() != l.total() {
		t.Error("a client that asks more seldom than it waits misses nothing")
	}
}
