package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/store"
)

// posting is what senders have done, each waiting for one acknowledgement before the next.
type posting struct {
	acked  atomic.Uint64
	delays latencies
	took   time.Duration
	cpu    time.Duration
}

func (p *posting) perSecond() float64 { return float64(p.acked.Load()) / p.took.Seconds() }

// sender posts the i-th message into its room and returns once it is acknowledged.
type sender interface {
	post(i int) error
	Close() error
}

// socketSender posts over a WebSocket and hears its room meanwhile.
type socketSender struct {
	*socket
	b     *bench
	order order
	name  int
	text  []byte
}

func (s *socketSender) post(i int) error {
	id := fmt.Sprintf(`"client_id":"s%d-%d"`, s.name, i)
	s.text = append(append(s.text[:0], `{"type":"message","content":`...), s.b.line(s.name*7919+i)...)
	s.text = append(append(append(s.text, ','), id...), '}')
	if err := s.send(s.text); err != nil {
		return err
	}
	for {
		frame, err := s.next()
		if err == nil {
			_, _, err = s.order.took(frame)
		}
		if err != nil {
			return err
		}
		if isKind(frame, "ack") {
			return sameID(frame, id)
		}
	}
}

func sameID(frame []byte, id string) error {
	if !bytes.Contains(frame, []byte(id)) {
		return fmt.Errorf("for %s came the acknowledgement %s", id, frame)
	}
	return nil
}

// drain hears the rest of a room, up to its newest message.
func (s *socketSender) drain(newest uint64) error {
	s.until(time.Now().Add(patience))
	for s.order.last < newest {
		frame, err := s.next()
		if err == nil {
			_, _, err = s.order.took(frame)
		}
		if err != nil {
			return fmt.Errorf("heard up to message %d of %d: %w", s.order.last, newest, err)
		}
	}
	return nil
}

// httpSender posts over HTTP.
type httpSender struct {
	*client
	b    *bench
	path string
	name int
	text []byte
}

func (s *httpSender) post(i int) error {
	s.text = append(append(s.text[:0], `{"content":`...), s.b.line(s.name*7919+i)...)
	s.text = fmt.Appendf(s.text, `,"client_id":"s%d-%d"}`, s.name, i)
	status, answer, err := s.do("POST", s.path, "", s.text)
	if err == nil && status != 201 {
		err = fmt.Errorf("the server answered %d: %s", status, answer)
	}
	return err
}

// senders opens one for each member of each room of an office.
func (b *bench) openSenders(o *office, s *server, rooms [][]int, overHTTP bool) ([]sender, error) {
	var all []sender
	for r, members := range rooms {
		for _, n := range members {
			var one sender
			if overHTTP {
				c, err := dial(s.address, o.people[n].token)
				if err != nil {
					return all, err
				}
				one = &httpSender{client: c, b: b, path: "/api/chat/rooms/" + string(o.rooms[r]) + "/messages", name: n}
			} else {
				ws, newest, err := o.roomSocket(s, n, o.rooms[r])
				if err != nil {
					return all, err
				}
				one = &socketSender{socket: ws, b: b, order: order{newest}, name: n}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// inRooms spreads the senders over so many rooms.
func (b *bench) inRooms(rooms int) (members [][]int) {
	each := b.senders / rooms
	for r := range rooms {
		members = append(members, some(r*each, each))
	}
	return members
}

// send measures how fast messages are kept.
func (b *bench) send(ctx context.Context) error {
	bare, err := b.bareBadger(ctx)
	if err != nil {
		return err
	}
	limit := fmt.Sprintf("bare Badger, group commit: %.0f/s", bare)
	for _, overHTTP := range []bool{false, true} {
		for _, rooms := range []int{b.rooms, 1} {
			members := b.inRooms(rooms)
			p, err := b.sendWith(ctx, members, overHTTP)
			if err != nil {
				return err
			}
			door, least := "WebSocket", 10_000.0
			if overHTTP {
				door, least = "HTTP", 8_000
			}
			cpu, late := perMillion(p.cpu, p.acked.Load()), p.delays.percentile(.99)
			b.row(Row{
				What:     fmt.Sprintf("durable posts over %s, %d senders in %d room%s", door, b.senders, rooms, plural(rooms)),
				Measured: fmt.Sprintf("%.0f/s (%.2f of bare Badger), %s, %.0f cpu-s per 1M", p.perSecond(), p.perSecond()/bare, &p.delays, cpu),
				Target:   fmt.Sprintf("≥ %.0f/s and ≥ 0.25 of bare Badger, p99 ≤ 25 ms, ≤ 200 cpu-s", least),
				Met:      judge(p.perSecond() >= least && p.perSecond() >= bare/4 && late <= 25*time.Millisecond && cpu <= 200),
				Limit:    limit,
			})
		}
	}
	return nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// sendWith measures with a fresh server.
func (b *bench) sendWith(ctx context.Context, members [][]int, overHTTP bool) (p *posting, err error) {
	o, err := b.office(ctx, members...)
	if err != nil {
		return nil, err
	}
	err = b.serving(ctx, o, func(s *server) error {
		bases := make([]uint64, len(members))
		for r, room := range o.rooms {
			if bases[r], err = o.head(s, room); err != nil {
				return err
			}
		}
		senders, err := b.openSenders(o, s, members, overHTTP)
		defer func() {
			for _, one := range senders {
				_ = one.Close() // the server has nothing more to say
			}
		}()
		if err != nil {
			return err
		}
		warm, err := postFor(ctx, s, senders, b.warm/2, 0, 0)
		if err == nil {
			p, err = postFor(ctx, s, senders, b.span, 0, 1<<30)
		}
		if err != nil {
			return err
		}
		return o.counted(s, senders, bases, warm.acked.Load()+p.acked.Load())
	})
	return p, err
}

// postFor has all senders post for a while: as fast as they are acknowledged, or together
// at a rate of so many a second if it is not 0. first numbers the messages of each.
func postFor(ctx context.Context, s *server, senders []sender, span time.Duration, rate, first int) (*posting, error) {
	p := new(posting)
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	err = each(len(senders), len(senders), func(n int) error {
		for i := 0; ; i++ {
			due := time.Now()
			if rate > 0 {
				due = begin.Add(time.Duration(i*len(senders)+n) * time.Second / time.Duration(rate))
				if err := rest(ctx, time.Until(due)); err != nil {
					return err
				}
			}
			if due.Sub(begin) >= span || ctx.Err() != nil {
				return ctx.Err()
			}
			if err := senders[n].post(first + i); err != nil {
				return err
			}
			p.delays.add(time.Since(due))
			p.acked.Add(1)
		}
	})
	p.took = time.Since(begin)
	if err != nil {
		return nil, err
	}
	if rate == 0 {
		interval := p.took * time.Duration(len(senders)) / time.Duration(max(1, p.acked.Load()))
		p.delays.replace(p.delays.corrected(interval))
	}
	after, err := s.cpu()
	p.cpu = after - before
	return p, err
}

// counted fails unless rooms hold as many messages as were acknowledged, and every socket
// has heard all of them.
func (o *office) counted(s *server, senders []sender, bases []uint64, acked uint64) error {
	heads := map[store.RoomID]uint64{}
	var kept uint64
	for r, room := range o.rooms {
		head, err := o.head(s, room)
		if err != nil {
			return err
		}
		heads[room] = head
		kept += head - bases[r]
	}
	if kept != acked {
		return fmt.Errorf("%d messages were acknowledged and %d are there", acked, kept)
	}
	perRoom := len(senders) / len(o.rooms)
	var failures []error
	var mu sync.Mutex
	var draining sync.WaitGroup
	for i, one := range senders {
		if ws, ok := one.(*socketSender); ok {
			draining.Go(func() {
				if err := ws.drain(heads[o.rooms[i/perRoom]]); err != nil {
					mu.Lock()
					failures = append(failures, err)
					mu.Unlock()
				}
			})
		}
	}
	draining.Wait()
	return errors.Join(failures[:min(len(failures), 3)]...)
}

// memory weighs an empty server, and one that takes messages at a steady rate.
func (b *bench) memory(ctx context.Context) error {
	empty := &office{folder: b.folder()}
	err := b.serving(ctx, empty, func(s *server) error {
		w, err := b.settled(ctx, s)
		if err == nil {
			b.row(Row{What: "memory, empty", Measured: w.String(), Target: "≤ 30 MiB", Met: judge(w.mib() <= 30)})
		}
		return err
	})
	if err != nil {
		return err
	}
	members := b.inRooms(b.rooms)
	o, err := b.office(ctx, members...)
	if err != nil {
		return err
	}
	return b.serving(ctx, o, func(s *server) error {
		senders, err := b.openSenders(o, s, members, false)
		defer func() {
			for _, one := range senders {
				_ = one.Close()
			}
		}()
		if err != nil {
			return err
		}
		most := watchMemory(s)
		p, err := postFor(ctx, s, senders, b.span, b.posts, 0)
		w := most()
		if err != nil {
			return err
		}
		b.row(Row{
			What: fmt.Sprintf("memory while taking messages, %d a second due", b.posts), Measured: fmt.Sprintf("%s at %.0f/s, %s after they were due", w, p.perSecond(), &p.delays),
			Target: "≤ 160 MiB", Met: judge(w.mib() <= 160 && p.perSecond() >= .98*float64(b.posts)),
		})
		return nil
	})
}

// settled weighs a server that has had a moment to itself.
func (b *bench) settled(ctx context.Context, s *server) (weight, error) {
	if err := rest(ctx, b.settle); err != nil {
		return weight{}, err
	}
	return s.memory()
}

// watchMemory weighs a server until the function it returns is called, which returns the most.
func watchMemory(s *server) func() weight {
	stop, result := make(chan struct{}), make(chan weight)
	go func() {
		var most []weight
		for {
			if w, err := s.memory(); err == nil {
				most = append(most, w)
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-stop:
				result <- slices.MaxFunc(append(most, weight{}), func(a, b weight) int { return int(a.resident - b.resident) })
				return
			}
		}
	}()
	return func() weight { close(stop); return <-result }
}
