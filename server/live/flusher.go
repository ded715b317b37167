package live

import (
	"sync"
	"sync/atomic"
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

// keptJobs is how many places for jobs an idle flusher keeps.
const keptJobs = 1024

// flusher writes to a share of the sessions. Of one session it keeps the order of jobs.
type flusher struct {
	number int
	gather time.Duration
	wake   chan struct{}
	sent   atomic.Uint64 // frames, by it or for its sessions

	mu      sync.Mutex
	jobs    []job
	taken   *sync.Cond
	stopped bool
}

// maxJobs is how far the loop may be ahead of a flusher. Flushers wait for no socket, so
// this is reached only when there is more to write than the processor can.
const maxJobs = 16_384

func newFlusher(number int, gather time.Duration) *flusher {
	f := &flusher{number: number, gather: gather, wake: make(chan struct{}, 1)}
	f.taken = sync.NewCond(&f.mu)
	return f
}

// add queues jobs, once there is room for them.
func (f *flusher) add(jobs ...job) {
	f.mu.Lock()
	for len(f.jobs) >= maxJobs && !f.stopped {
		f.taken.Wait()
	}
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

func (f *flusher) take(spare []job) []job {
	f.mu.Lock()
	defer f.mu.Unlock()
	jobs := f.jobs
	f.jobs = spare
	f.taken.Broadcast()
	return jobs
}

func (f *flusher) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.taken.Broadcast()
}

// run works until stop is closed. What comes in while it walks is gathered for the next
// walk; what a busy room says is gathered for a moment longer.
func (f *flusher) run(stop <-chan struct{}) {
	defer f.stop()
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
		if spare = jobs[:0]; cap(spare) > keptJobs {
			spare = nil
		}
	}
}

// walk is one flusher's round over the sessions that have something pending.
type walk struct {
	now     []*session
	later   []*session
	scratch []byte

	untranslated *[]byte // the first of the frames that were translated last
	translated   [][]byte
}

// translate returns frames as a service sends them. Those who watch a room get the same
// ones, one after the other, so the last translation is kept.
func (w *walk) translate(frames [][]byte) [][]byte {
	if len(frames) == 0 {
		return nil
	}
	if w.untranslated != &frames[0] {
		w.untranslated, w.translated = &frames[0], w.translated[:0]
		for _, f := range frames {
			w.translated = append(w.translated, asService(f))
		}
	}
	return w.translated
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
	frames := j.frames
	if s.service {
		frames = w.translate(frames)
	}
	s.pending = append(s.pending, frames...)
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
