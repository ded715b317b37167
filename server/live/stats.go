package live

import (
	"context"
	"fmt"
)

// Stats are what a hub does now and has done since it was made.
type Stats struct {
	Sockets  int    // open ones
	Received uint64 // frames from clients
	Sent     uint64 // frames to clients, one for each socket
	TooSlow  uint64 // sockets that were closed because their queue was full
	Queued   int64  // bytes waiting for slow sockets
	Lag      uint64 // changes in the log that are not on their way to sockets yet
}

// Stats counts. The error is that of reading the log.
func (h *Hub) Stats(ctx context.Context) (Stats, error) {
	routed := h.position()
	head, err := h.rooms.Head(ctx)
	if err != nil {
		return Stats{}, fmt.Errorf("head of the log: %w", err)
	}
	s := Stats{Received: h.received.Load(), TooSlow: h.tooSlow.Load(), Queued: h.queued.Load()}
	if head.Seq > routed.Seq {
		s.Lag = head.Seq - routed.Seq
	}
	for _, f := range h.loop.flushers {
		s.Sent += f.sent.Load()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Sockets = len(h.sessions)
	return s, nil
}
