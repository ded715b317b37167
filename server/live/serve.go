package live

import (
	"context"
	"errors"
	"net"

	"github.com/hearthchat/hearth/store"
)

// Viewer is who opened a socket.
type Viewer struct {
	User    store.User      // the account as it is now
	Session store.SessionID // the sign-in that the socket lives as long as
}

// Want is what a socket is for.
type Want struct {
	Room  store.RoomID // one room, or "" for all rooms of the person
	Since string       // cursor to resume from, or ""

	// Service asks for messages the way the documented chat service sends them: with
	// "timestamp" and "type" beside the names they have here.
	Service bool
}

// Serve tells conn what happens until it is closed, and does what the client asks. It
// returns when nobody uses conn any more; conn is closed then. The error is what kept the
// server from serving, not how the client left. who is the hub's from then on; it is a
// pointer because a copy would lie on the stack for as long as the socket is open.
func (h *Hub) Serve(ctx context.Context, conn Conn, who *Viewer, want Want) error {
	s := &session{hub: h, id: who.Session, room: want.Room, service: want.Service, conn: conn, ended: make(chan struct{})}
	s.user.Store(&who.User)
	s.flusher = h.loop.flushers[int(h.next.Add(1))%len(h.loop.flushers)]
	if !h.enter(s) {
		s.close(CloseRestart, returnHint())
		return errors.Join(store.ErrClosed, s.release())
	}
	defer h.leave(s)
	defer s.release() //nolint:errcheck // how a connection ends is nobody's concern
	stop := context.AfterFunc(ctx, func() { s.close(CloseRestart, returnHint()) })
	defer stop()

	select {
	case <-h.started:
	case <-s.ended:
		return nil
	}
	if err := h.attach(ctx, s, want.Since); err != nil {
		return s.refused(err)
	}
	defer h.ask(func() { h.loop.detach(s) })
	h.checks.put(s) // the session may have ended before the loop knew of this socket
	s.read(ctx, conn)
	return nil
}

// refused closes a session that could not be attached.
func (s *session) refused(err error) error {
	switch {
	case errors.Is(err, errAway):
		return nil
	case errors.Is(err, store.ErrNotFound):
		s.close(CloseGone, "room not found")
		return nil
	}
	s.close(CloseResume, "resume")
	return err
}

// read does what the client asks until the session ends.
func (s *session) read(ctx context.Context, conn Conn) {
	for s.listen() {
		p, err := conn.Read(s.heard)
		var timeout net.Error
		switch {
		case err == nil:
			s.hub.received.Add(1)
			s.handle(ctx, p)
			continue
		case errors.Is(err, ErrTooBig):
			s.close(CloseTooBig, "frame too big")
		case errors.As(err, &timeout) && timeout.Timeout():
			s.close(CloseAway, "nothing heard")
		default:
			s.close(CloseNormal, "")
		}
		return
	}
}

// heard answers pings and takes both pings and pongs as a sign of life.
func (s *session) heard(ping []byte) {
	s.listen()
	if ping != nil {
		s.flusher.send(s, control(opPong, ping))
	}
}
