// Package store says what a team chat is: its people, rooms, messages and read
// receipts, the rules that depend on nothing but their values, and the promises an
// engine must keep. It imports only the standard library.
//
// # Promises
//
// Durability: when a method that changes something returns nil, the change is on disk
// and survives both a killed process and a power cut.
//
// Order: every durable change of a Workspace gets the next Position in one log, in the
// order in which changes were committed. A room's messages carry a Seq: 1, 2, 3, without
// gaps. Order is Seq, never a clock or an id.
//
// Idempotence: an operation that finds its work already done succeeds and changes
// nothing, so callers may repeat it after any error.
//
// Ownership: a value handed in belongs to the engine until the call returns; a value
// handed out belongs to the caller, except Change records, which are shared and must
// not be modified.
//
// Edit functions run on the writer, may run more than once, and must therefore be pure
// and quick. When one returns an error nothing is changed and that error is returned.
//
// Times are UTC, whole milliseconds.
//
// Errors wrap one of the kinds in errors.go, or say that the engine itself is in trouble.
package store
