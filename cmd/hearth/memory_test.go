package main

import "testing"

func TestMemoryGoesBackOnceAfterABurst(t *testing.T) {
	var q quiet
	at := uint64(0)
	for i, step := range []struct {
		allocated uint64
		back      bool
	}{
		{500 << 10, false},                 // quiet, but nothing to give back
		{6 << 20, false}, {7 << 20, false}, // busy
		{100 << 10, true}, {100 << 10, false}, {0, false},
		{20 << 20, false}, {2 << 20, false},
		{1<<20 - 1, true}, {0, false},
		{1 << 20, false}, {0, false}, // too little since
	} {
		at += step.allocated
		if q.after(at) != step.back {
			t.Errorf("step %d: %v", i, !step.back)
		}
	}
}
