package live

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/store"
)

// session is one open socket. What stands in groups belongs to the loop, to the session's
// flusher, or to the lock.
type session struct {
	hub     *Hub
	id      store.SessionID
	room    store.RoomID               // the one room it watches, or "" for all of the person's
	service bool                       // see Want
	user    atomic.Pointer[store.User] // the account as last heard of
	flusher *flusher
	skip    uint64 // durable events up to here were sent before it was ready

	// The loop's.
	person *person
	places map[store.RoomID]place
	beat   int // in which second of the heartbeat it is pinged

	// The flusher's.
	pending [][]byte // frames for the next write
	due     bool     // in the flusher's list for this round
	held    bool     // in the flusher's list for later

	mu      sync.Mutex
	conn    Conn     // nil once Serve has let go of it
	queue   [][]byte // of a slow session; the first is on its way
	queued  int      // bytes in queue
	slow    bool     // a drain is writing; nobody else may
	closing bool     // the close frame is the last thing written or in the queue
	hurried bool     // and must leave soon
	ended   chan struct{}
	drains  sync.WaitGroup

	input time.Time // the reader's: when the loop last heard that the person did something
}

// closeWait is how long a close frame may take to leave.
const closeWait = time.Second

// keptPending is how many places for frames an idle session keeps.
const keptPending = 64

// flush writes what is pending, joined in scratch, without waiting.
func (s *session) flush(scratch []byte) {
	frames := s.pending
	s.mu.Lock()
	if s.conn != nil && !s.closing {
		s.flusher.sent.Add(uint64(len(frames)))
		s.write(frames, scratch)
	}
	s.mu.Unlock()
	clear(frames)
	if s.pending = frames[:0]; cap(frames) > keptPending {
		s.pending = nil
	}
}

// write gives frames to the network, or to the queue once the network takes no more.
func (s *session) write(frames [][]byte, scratch []byte) {
	for len(frames) > 0 && !s.slow {
		p, joined := frames[0], 1
		if len(frames) > 1 && len(p)+len(frames[1]) <= cap(scratch) {
			p = scratch[:0]
			for joined = 0; joined < len(frames) && len(p)+len(frames[joined]) <= cap(scratch); joined++ {
				p = append(p, frames[joined]...)
			}
		}
		n, err := s.conn.TryWrite(p)
		if err != nil {
			s.drop()
			return
		}
		if n < len(p) {
			for n >= len(frames[0]) {
				n -= len(frames[0])
				frames = frames[1:]
			}
			s.wait(frames[0][n:])
			joined = 1
		}
		frames = frames[joined:]
	}
	for _, f := range frames {
		o := &s.hub.options
		if len(s.queue) >= o.QueueFrames || s.queued+len(f) > o.QueueBytes || s.hub.queued.Load()+int64(len(f)) > o.TotalBytes {
			s.hub.tooSlow.Add(1)
			s.hub.options.Log.Info("socket too slow", "user", s.user.Load().ID, "frames", len(s.queue), "bytes", s.queued)
			s.shut(CloseResume, "resume")
			return
		}
		s.enqueue(f)
	}
}

func (s *session) enqueue(f []byte) {
	s.queue = append(s.queue, f)
	s.queued += len(f)
	s.hub.queued.Add(int64(len(f)))
}

// wait makes the session slow: rest is what the network did not take of a frame.
func (s *session) wait(rest []byte) {
	s.slow = true
	s.enqueue(rest)
	s.drains.Go(s.drain)
}

// drain writes the queue, waiting for the network, until it is empty or the client is given up.
func (s *session) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		frame, conn := s.queue[0], s.conn
		patience := s.patience()
		s.mu.Unlock()
		err := conn.SetWriteDeadline(time.Now().Add(patience))
		if err == nil {
			_, err = conn.Write(frame)
		}
		s.mu.Lock()
		if err != nil {
			s.slow = false
			s.drop()
			return
		}
		s.forget(1)
	}
	s.slow = false
}

// forget takes the first n frames out of the queue.
func (s *session) forget(n int) {
	for i, f := range s.queue[:n] {
		s.queued -= len(f)
		s.hub.queued.Add(-int64(len(f)))
		s.queue[i] = nil
	}
	if s.queue = s.queue[n:]; len(s.queue) == 0 {
		s.queue = nil
	}
}

// drop gives the connection up without a word.
func (s *session) drop() {
	s.forget(len(s.queue))
	s.end()
}

// shut sends a close frame behind the frame on its way; what else waits is given up, the
// client will ask for it again.
func (s *session) shut(code int, reason string) {
	if s.conn == nil || s.closing {
		return
	}
	frame := closeFrame(code, reason)
	if s.slow {
		first := s.queue[0]
		s.forget(len(s.queue))
		s.enqueue(first)
		s.enqueue(frame)
	} else if n, err := s.conn.TryWrite(frame); err == nil && n < len(frame) {
		s.wait(frame[n:])
	}
	s.hurried = code != CloseResume
	s.end()
	if s.slow {
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.patience()))
	}
}

// patience is how long one frame may take to leave. Who is only slow gets time to learn
// that it should resume.
func (s *session) patience() time.Duration {
	if s.closing && s.hurried {
		return closeWait
	}
	return s.hub.options.WriteTimeout
}

// end wakes the reading goroutine for the last time.
func (s *session) end() {
	if s.closing {
		return
	}
	s.closing = true
	close(s.ended)
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
}

// close sends a close frame unless one has been sent.
func (s *session) close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut(code, reason)
}

// abort ends the connection's reading and writing at once.
func (s *session) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		past := time.Unix(1, 0)
		_ = s.conn.SetReadDeadline(past)
		_ = s.conn.SetWriteDeadline(past)
	}
}

// listen extends the time in which something must be heard from the client; it is false
// once the session is being closed.
func (s *session) listen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closing && s.conn.SetReadDeadline(time.Now().Add(s.hub.options.ReadTimeout)) == nil
}

// stream writes a frame and waits for the network, which only a session that is not yet
// ready does. It is false once the session is being closed.
func (s *session) stream(frame []byte) bool {
	if s.service {
		frame = asService(frame)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.flusher.sent.Add(1)
	n, err := s.conn.TryWrite(frame)
	if err == nil && n < len(frame) {
		s.wait(frame[n:])
		s.mu.Unlock()
		s.drains.Wait()
		s.mu.Lock()
	}
	if err != nil {
		s.drop()
	}
	return !s.closing
}

// release ends the connection and lets go of it: nobody writes to it afterwards.
func (s *session) release() error {
	s.drains.Wait() // at most closeWait or, of a frame on its way, the write timeout
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	return conn.Close()
}
