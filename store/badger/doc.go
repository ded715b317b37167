// Package badger keeps a workspace – rooms, messages, receipts and the log – in one Badger
// database.
//
// One goroutine writes. It takes whatever operations queued while the last sync ran, runs
// each against what is committed plus what the batch holds so far, commits them all as one
// synced transaction, and only then publishes and acknowledges. So log order is commit
// order, nothing conflicts, and a sync is shared by everybody who waits for it. An
// operation that returns an error leaves no trace and fails alone.
//
// Readers share one snapshot, which the writer replaces after each commit: a read never
// waits for a sync and never sees what is not yet on disk.
//
// Keys are one tag byte and then fields, big-endian, so that byte order is number order;
// room ids are text ended by 0x00. Values begin with a format byte.
package badger
