package live

import (
	"sync"
	"time"
)

// scratchBytes is the most that one write joins.
const scratchBytes = 64 << 10

// job is something for a flusher to send to some of its sessions.
type job struct {
	to     []*session // shared, never modified
	only   *session   // instead of to
	at     uint64     // place in the log, 0 for what is not durable
	frames [][]byte
	hot    bool // may be held back for a moment and written together with what follows
	code   int  // close the sessions after the frames, unless 0
	reason string
}

// flusher writes to a share of the sessions. Of one session it keeps the order of jobs.
type flusher struct {
	number int
	gather time.Duration
	mu     sync.Mutex
	jobs   []job
	wake   chan struct{}
}

func newFlusher(number int, gather time.Duration) *flusher {
	return &flusher{number: number, gather: gather, wake: make(chan struct{}, 1)}
}

// add queues jobs. It never waits.
func (f *flusher) add(jobs ...job) {
	f.mu.Lock()
	f.jobs = append(f.jobs, jobs...)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// send queues one frame for one session.
func (f *flusher) send(s *session, frame []byte) {
	f.add(job{only: s, frames: [][]byte{frame}})
}

// close queues the end of a session, behind what was queued for it before.
func (f *flusher) close(s *session, code int, reason string) {
	f.add(job{only: s, code: code, reason: reason})
}

func (f *flusher) take(spare []job) []job {
	f.mu.Lock()
	defer f.mu.Unlock()
	jobs := f.jobs
	f.jobs = spare
	return jobs
}

// run works until stop is closed. What comes in while it walks is gathered for the next
// walk; what a busy room says is gathered for a moment longer.
func (f *flusher) run(stop <-chan struct{}) {
	w := walk{scratch: make([]byte, 0, scratchBytes)}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	var spare []job
	for {
		select {
		case <-f.wake:
		case <-timer.C:
			w.release()
		case <-stop:
			return
		}
		jobs := f.take(spare)
		waiting := len(w.later) > 0
		for i := range jobs {
			w.take(&jobs[i])
		}
		w.flush()
		if !waiting && len(w.later) > 0 {
			timer.Reset(f.gather)
		}
		clear(jobs)
		spare = jobs[:0]
	}
}

// walk is one flusher's round over the sessions that have something pending.
type walk struct {
	now     []*session
	later   []*session
	scratch []byte
}

func (w *walk) take(j *job) {
	if j.only != nil {
		w.give(j.only, j)
		return
	}
	for _, s := range j.to {
		w.give(s, j)
	}
}

func (w *walk) give(s *session, j *job) {
	if j.at != 0 && j.at <= s.skip {
		return
	}
	s.pending = append(s.pending, j.frames...)
	switch {
	case j.code != 0:
		s.flush(w.scratch)
		s.close(j.code, j.reason)
	case !j.hot && !s.due:
		s.due = true
		w.now = append(w.now, s)
	case j.hot && !s.due && !s.held:
		s.held = true
		w.later = append(w.later, s)
	}
}

func (w *walk) flush() {
	for i, s := range w.now {
		s.due = false
		if len(s.pending) > 0 {
			s.flush(w.scratch)
		}
		w.now[i] = nil
	}
	w.now = w.now[:0]
}

// release makes what was held back due.
func (w *walk) release() {
	for i, s := range w.later {
		s.held = false
		if !s.due {
			s.due = true
			w.now = append(w.now, s)
		}
		w.later[i] = nil
	}
	w.later = w.later[:0]
}
