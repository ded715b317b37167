package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is sockets that hear one room. The first one's person also speaks.
type crowd struct {
	sockets []*socket
	base    uint64 // newest message before anybody spoke

	heard    atomic.Uint64 // deliveries
	bytes    atomic.Uint64 // of them
	acked    atomic.Uint64
	measured atomic.Uint64 // deliveries up to this one only warm up; a place in the room
	begin    atomic.Int64  // when the first of the measured ones was due, in ns since epoch
	interval time.Duration // between messages; 0: latencies are not measured
	delays   atomic.Pointer[latencies]

	epoch   time.Time
	stop    chan struct{}
	failure chan error // the first
	readers sync.WaitGroup
}

// gather opens the sockets of everybody in a room.
func (b *bench) gather(o *office, s *server) (*crowd, error) {
	c := &crowd{sockets: make([]*socket, b.sockets), epoch: time.Now(), stop: make(chan struct{}), failure: make(chan error, 1)}
	bases := make([]uint64, b.sockets)
	err := each(b.sockets, 32, func(i int) (err error) {
		c.sockets[i], bases[i], err = o.roomSocket(s, i, o.rooms[0])
		return err
	})
	if err != nil {
		c.close()
		return nil, err
	}
	c.base = bases[0]
	for i, ws := range c.sockets {
		c.readers.Go(func() { c.read(ws, bases[i]) })
	}
	return c, nil
}

// read counts what a socket hears until it is closed.
func (c *crowd) read(ws *socket, base uint64) {
	o := order{base}
	for {
		frame, err := ws.next()
		var seq uint64
		var isMessage bool
		if err == nil {
			seq, isMessage, err = o.took(frame)
		}
		switch {
		case err != nil:
			select {
			case <-c.stop:
			default:
				c.fail(err)
			}
			return
		case isMessage:
			c.bytes.Add(uint64(len(frame)))
			if from := c.measured.Load(); c.interval > 0 && seq > from {
				due := c.begin.Load() + int64(seq-from-1)*int64(c.interval)
				c.delays.Load().add(time.Duration(int64(time.Since(c.epoch)) - due))
			}
			c.heard.Add(1)
		case isKind(frame, "ack"):
			c.acked.Add(1)
		}
	}
}

func (c *crowd) fail(err error) {
	select {
	case c.failure <- err:
	default:
	}
}

func (c *crowd) close() {
	close(c.stop)
	for _, ws := range c.sockets {
		if ws != nil {
			_ = ws.Close() // the server has nothing more to say
		}
	}
	c.readers.Wait()
}

// await waits until everybody has heard n messages, and then a moment for a further one.
func (c *crowd) await(n uint64) error {
	want := n * uint64(len(c.sockets))
	for late := time.Now().Add(patience); c.heard.Load() < want || c.acked.Load() < n; {
		if time.Now().After(late) {
			return fmt.Errorf("%d of %d deliveries and %d of %d acknowledgements came", c.heard.Load(), want, c.acked.Load(), n)
		}
		select {
		case err := <-c.failure:
			return err
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// settled fails if there was more than n messages to hear.
func (c *crowd) settled(n uint64) error {
	select {
	case err := <-c.failure:
		return err
	case <-time.After(300 * time.Millisecond):
	}
	if heard := c.heard.Load(); heard != n*uint64(len(c.sockets)) || c.acked.Load() != n {
		return fmt.Errorf("%d deliveries and %d acknowledgements of %d messages to %d sockets", heard, c.acked.Load(), n, len(c.sockets))
	}
	return nil
}

// speech makes the frame of the i-th message.
func (b *bench) speech(to []byte, i int) []byte {
	to = append(append(to[:0], `{"type":"message","content":`...), b.line(i)...)
	return fmt.Appendf(to, `,"client_id":"b-%d"}`, i)
}

// paced says n messages, each when it is due, also when the one before was late.
func (b *bench) paced(ctx context.Context, c *crowd, first, n int) error {
	begin := time.Since(c.epoch)
	c.delays.Store(new(latencies))
	c.begin.Store(int64(begin))
	c.measured.Store(c.base + uint64(first))
	var frame []byte
	for i := range n {
		due := begin + time.Duration(i)*c.interval
		if err := rest(ctx, due-time.Since(c.epoch)); err != nil {
			return err
		}
		frame = b.speech(frame, first+i)
		if err := c.sockets[0].send(frame); err != nil {
			return err
		}
	}
	return nil
}

// fanout measures one room whose members all listen.
func (b *bench) fanout(ctx context.Context) error {
	for _, rate := range b.rates {
		if err := b.fanoutAt(ctx, rate); err != nil {
			return fmt.Errorf("at %d a second: %w", rate, err)
		}
	}
	return b.fanoutHighest(ctx)
}

// withCrowd measures with a fresh server and a room in which everybody listens.
func (b *bench) withCrowd(ctx context.Context, measure func(s *server, c *crowd) error) error {
	o, err := b.office(ctx, some(0, b.sockets))
	if err != nil {
		return err
	}
	return b.serving(ctx, o, func(s *server) error {
		c, err := b.gather(o, s)
		if err != nil {
			return err
		}
		defer c.close()
		if err := rest(ctx, b.settle); err != nil { // until all know of all
			return err
		}
		return measure(s, c)
	})
}

func (b *bench) fanoutAt(ctx context.Context, rate int) error {
	return b.withCrowd(ctx, func(s *server, c *crowd) error {
		c.interval = time.Second / time.Duration(rate)
		warm, n := int(b.warm/c.interval), int(b.span/c.interval)
		err := b.paced(ctx, c, 0, warm)
		if err == nil {
			err = c.await(uint64(warm))
		}
		if err != nil {
			return err
		}
		before, err := s.cpu()
		if err == nil {
			err = b.paced(ctx, c, warm, n)
		}
		if err == nil {
			err = c.await(uint64(warm + n))
		}
		if err != nil {
			return err
		}
		after, err := s.cpu()
		if err != nil {
			return err
		}
		if err := c.settled(uint64(warm + n)); err != nil {
			return err
		}
		delays, size := c.delays.Load(), int(c.bytes.Load()/c.heard.Load())
		bare, bareDelays, err := bareFlusher(ctx, len(c.sockets), size, rate, n)
		if err != nil {
			return err
		}
		used := perMillion(after-before, uint64(n*len(c.sockets)))
		r := Row{
			What:     fmt.Sprintf("fan-out to %d sockets, %d messages a second, stored first", len(c.sockets), rate),
			Measured: fmt.Sprintf("%.1f cpu-s per 1M deliveries of %d bytes, %s", used, size, delays),
			Limit:    fmt.Sprintf("bare flusher %.1f cpu-s, %s", bare, bareDelays),
			Target:   "≤ 11 cpu-s, p50 ≤ 9.5 ms, p99 ≤ 20 ms",
			Met:      judge(used <= 11 && delays.percentile(.5) <= 9500*time.Microsecond && delays.percentile(.99) <= 20*time.Millisecond),
		}
		if rate > 20 {
			r.Target, r.Met = "≤ 9 cpu-s, p99 ≤ 50 ms", judge(used <= 9 && delays.percentile(.99) <= 50*time.Millisecond)
		}
		b.row(r)
		return nil
	})
}

// ahead is how many messages the speaker may be ahead of what all have heard, on average.
const ahead = 32

// fanoutHighest speaks as fast as everybody hears.
func (b *bench) fanoutHighest(ctx context.Context) error {
	return b.withCrowd(ctx, func(s *server, c *crowd) error {
		var frame []byte
		said := 0
		speak := func(d time.Duration) error {
			for end := time.Now().Add(d); time.Now().Before(end); {
				if uint64(said*len(c.sockets)) > c.heard.Load()+uint64(ahead*len(c.sockets)) {
					select {
					case err := <-c.failure:
						return err
					case <-time.After(100 * time.Microsecond):
					case <-ctx.Done():
						return ctx.Err()
					}
					continue
				}
				frame = b.speech(frame, said)
				if err := c.sockets[0].send(frame); err != nil {
					return err
				}
				said++
			}
			return c.await(uint64(said))
		}
		if err := speak(b.warm); err != nil {
			return err
		}
		warm, begin := said, time.Now()
		before, err := s.cpu()
		if err == nil {
			err = speak(b.span)
		}
		if err != nil {
			return err
		}
		took := time.Since(begin)
		after, err := s.cpu()
		if err == nil {
			err = c.settled(uint64(said))
		}
		if err != nil {
			return err
		}
		n := said - warm
		b.row(Row{
			What: fmt.Sprintf("fan-out to %d sockets, highest rate", len(c.sockets)),
			Measured: fmt.Sprintf("%.0f messages/s, %.0f deliveries/s, %.1f cpu-s per 1M deliveries",
				float64(n)/took.Seconds(), float64(n*len(c.sockets))/took.Seconds(), perMillion(after-before, uint64(n*len(c.sockets)))),
		})
		return nil
	})
}
