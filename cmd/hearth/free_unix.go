//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// freeBytes is what the disk of a folder has left for this user.
func freeBytes(folder string) (uint64, error) {
	var left unix.Statfs_t
	if err := unix.Statfs(folder, &left); err != nil {
		return 0, err
	}
	return uint64(left.Bavail) * uint64(left.Bsize), nil
}
