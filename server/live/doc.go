// Package live delivers what happens while people watch: it follows the log and hands each
// change, encoded once, to the sockets of those who may see it.
//
// One goroutine, the loop, owns who is here and which rooms they hear. It never touches
// the network or a store. A follower reads the log, looks up records and encodes frames
// before the loop sees them; one flusher per core writes ready-made bytes to sockets
// without waiting for any; the goroutine that called Serve reads from its socket and owns it.
//
// Order is the log's. Who may hear a room changes in the same order as what is said there,
// so a person who was removed hears everything before the removal and nothing after it.
package live
