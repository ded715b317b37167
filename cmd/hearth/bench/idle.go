package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// watch opens the sockets of the first people, as the web app does, all at once or a few
// at a time. since is empty or a cursor to resume from; then each waits until it is live.
func (b *bench) watch(o *office, s *server, atOnce int, since string) ([]*socket, []byte, error) {
	all := make([]*socket, b.sockets)
	path := "/api/chat/ws"
	if since != "" {
		path += "?since=" + since
	}
	var first []byte
	err := each(b.sockets, atOnce, func(i int) error {
		ws, hello, err := open(s.address, path, o.people[i].token)
		if err != nil {
			return err
		}
		if all[i] = ws; i == 0 {
			first = append(first, hello...)
		}
		for since != "" {
			frame, err := ws.next()
			switch {
			case err != nil:
				return err
			case isKind(frame, "live"):
				return nil
			case isKind(frame, "resync"), isKind(frame, "error"):
				return fmt.Errorf("the server says %s", frame)
			}
		}
		return nil
	})
	return all, first, err
}

// listen takes what the server says until the sockets are closed.
func listen(sockets []*socket) (stop func()) {
	var readers sync.WaitGroup
	for _, ws := range sockets {
		if ws != nil {
			readers.Go(func() {
				for {
					if _, err := ws.next(); err != nil {
						return
					}
				}
			})
		}
	}
	return func() {
		for _, ws := range sockets {
			if ws != nil {
				_ = ws.Close()
			}
		}
		readers.Wait()
	}
}

// idle weighs sockets that hear nothing ones.
func (b *bench) idle(ctx context.Context) error {
	o, err := b.office(ctx, some(0, b.sockets))
	if err != nil {
		return err
	}
	return b.serving(ctx, o, func(s *server) error {
		before, err := b.settled(ctx, s)
		if err != nil {
			return err
		}
		all, _, err := b.watch(o, s, 32, "")
		stop := listen(all)
		defer stop()
		if err != nil {
			return err
		}
		after, err := b.settled(ctx, s)
		if err != nil {
			return err
		}
		kib := float64(after.resident-before.resident) / 1024 / float64(len(all))
		b.row(Row{
			What: fmt.Sprintf("idle socket, of %d", len(all)), Measured: fmt.Sprintf("%.1f KiB; the server has %s", kib, after),
			Target: "≤ 18 KiB", Met: judge(kib <= 18),
		})
		return nil
	})
}

// storm has everybody come back at the same moment to a server that was started again.
func (b *bench) storm(ctx context.Context) error {
	o, err := b.office(ctx, some(0, b.sockets))
	if err != nil {
		return err
	}
	s, err := b.start(ctx, o.folder, "")
	if err != nil {
		return err
	}
	hello, err := b.beThere(ctx, o, s)
	if err = errors.Join(err, s.stop()); err != nil {
		return err
	}
	cursor, ok := textField(hello, "cursor")
	if !ok {
		return fmt.Errorf("a hello without cursor: %s", hello)
	}
	if s, err = b.start(ctx, o.folder, s.address); err != nil {
		return err
	}
	return errors.Join(b.comeBack(ctx, o, s, cursor), s.stop())
}

// missedPosts is how much was said that those who come back have not heard.
const missedPosts = 50

// beThere opens the sockets, has somebody say something, and returns the hello of one socket.
func (b *bench) beThere(ctx context.Context, o *office, s *server) (hello []byte, err error) {
	if err := rest(ctx, b.settle); err != nil { // new accounts are in the log by then
		return nil, err
	}
	all, hello, err := b.watch(o, s, 32, "")
	stop := listen(all)
	defer stop()
	if err != nil {
		return nil, err
	}
	c, err := dial(s.address, o.people[0].token)
	if err != nil {
		return nil, err
	}
	speaker := &httpSender{client: c, b: b, path: "/api/chat/rooms/" + string(o.rooms[0]) + "/messages"}
	defer func() { _ = c.Close() }() // all is acknowledged
	for i := range missedPosts {
		if err := speaker.post(i); err != nil {
			return nil, err
		}
	}
	return hello, nil
}

func (b *bench) comeBack(ctx context.Context, o *office, s *server, cursor string) error {
	begin := time.Now()
	all, _, err := b.watch(o, s, b.sockets, cursor)
	took := time.Since(begin)
	stop := listen(all)
	defer stop()
	if err != nil {
		return err
	}
	if err := rest(ctx, b.settle); err != nil { // until all know of all
		return err
	}
	used, err := s.cpu()
	if err != nil {
		return err
	}
	b.row(Row{
		What:     fmt.Sprintf("%d sockets come back at once after a restart, %d accounts, %d messages missed", len(all), b.accounts, missedPosts),
		Measured: fmt.Sprintf("%.2f cpu-s in all with the start, the last is live after %s", used.Seconds(), millis(took)),
		Target:   "≤ 3 cpu-s", Met: judge(used <= 3*time.Second),
	})
	return nil
}
