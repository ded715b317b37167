package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// usualMemory is how much memory the garbage collector aims for.
const usualMemory = 128 << 20

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
