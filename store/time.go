package store

import "time"

// Truncate returns t as it is stored: UTC, whole milliseconds.
func Truncate(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
