package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/hearthchat/hearth/server"
)

// diskUse measures what the stores take in the data folder and what its disk has left for
// this user.
func diskUse(folder string) (server.Disk, error) {
	free, err := freeBytes(folder)
	if err != nil {
		return server.Disk{}, fmt.Errorf("free disk space: %w", err)
	}
	d := server.Disk{Free: free, Stores: map[string]int64{}}
	for _, name := range []string{roomsFolder, peopleFile} {
		size, err := bytesBelow(filepath.Join(folder, name))
		if err != nil {
			return server.Disk{}, fmt.Errorf("size of %s: %w", name, err)
		}
		d.Stores[name] = size
	}
	return d, nil
}

// bytesBelow adds up the disk space of a file or of all files in a folder. Files that come
// and go meanwhile are no error.
func bytesBelow(path string) (total int64, err error) {
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return skipGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return skipGone(err)
		}
		total += onDisk(info)
		return nil
	})
	return total, err
}

func skipGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// onDisk is what a file takes: Badger's newest files have holes.
func onDisk(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}
