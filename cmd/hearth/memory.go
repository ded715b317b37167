package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// usualMemory is how much memory the garbage collector aims for.
const usualMemory = 112 << 20

// memoryLimit returns what the garbage collector should aim for, in bytes: usualMemory, or
// four fifths of what the control group of this process may have, if that is less. root is "/".
func memoryLimit(root string) int64 {
	limit := int64(usualMemory)
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(groups)) {
		// "0::/system.slice/hearth.service" of version 2, "4:memory:/docker/…" of version 1.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		folder, file := "sys/fs/cgroup", "memory.max"
		if parts[0] != "0" {
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		// The limit of a group binds those below it.
		for group := filepath.Clean("/" + parts[2]); ; group = filepath.Dir(group) {
			text, err := os.ReadFile(filepath.Join(root, folder, group, file))
			if n, parseErr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && parseErr == nil && n > 0 {
				limit = min(limit, n/5*4)
			}
			if group == "/" {
				break
			}
		}
	}
	return limit
}

// How often it is looked at whether memory can go back, and what counts as quiet.
const (
	quietEvery = 2 * time.Second
	quietBytes = 1 << 20 // allocated since the last look
	busyBytes  = 8 << 20 // allocated since memory went back: less is not worth it
)

// giveBack returns memory to the system whenever the program has become quiet after a
// burst – an import, a thousand people who sign in – until ctx ends. The collector runs by
// itself only as the heap grows or after two minutes; and it is what shrinks the stacks of
// idle sockets.
func giveBack(ctx context.Context) error {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var q quiet
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if metrics.Read(sample); q.after(sample[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}

// quiet notices the end of a burst.
type quiet struct {
	before uint64 // allocated until the last look
	freed  uint64 // allocated until memory went back
}

// after is told how much was allocated so far; it is true when memory should go back now.
func (q *quiet) after(allocated uint64) bool {
	calm := allocated-q.before < quietBytes
	q.before = allocated
	if !calm || allocated-q.freed < busyBytes {
		return false
	}
	q.freed = allocated
	return true
}
