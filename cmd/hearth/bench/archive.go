package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// contentLength is how many characters each message of the archive has.
const contentLength = 100

// archive measures a workspace that has been in use for years.
func (b *bench) archive(ctx context.Context) error {
	members := some(0, min(b.accounts, 50))
	rooms := make([][]int, b.archiveRooms)
	for i := range rooms {
		rooms[i] = members
	}
	o, err := b.office(ctx, rooms...)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, o); err != nil {
		return fmt.Errorf("fill the archive: %w", err)
	}
	if err := b.weighDisk(o); err != nil {
		return err
	}
	if err := b.startTime(ctx, o); err != nil {
		return err
	}
	return b.serving(ctx, o, func(s *server) error {
		w, err := b.settled(ctx, s)
		if err != nil {
			return err
		}
		b.row(Row{
			What: fmt.Sprintf("memory with %d messages, idle", b.messages), Measured: w.String(), Target: "≤ 55 MiB", Met: judge(w.mib() <= 55),
		})
		if err := b.history(ctx, o, s); err != nil {
			return err
		}
		return b.unread(ctx, o, s)
	})
}

// fill stores the archive: the first room is the biggest, the others share the rest. In
// the end somebody says one thing more in each, which the others have not read.
func (b *bench) fill(ctx context.Context, o *office) (err error) {
	s, err := b.Open(ctx, o.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var next atomic.Uint64
	texts := b.texts()
	return each(len(o.rooms), 2, func(i int) error {
		n := b.biggest
		if i > 0 {
			n = (b.messages - b.biggest) / (len(o.rooms) - 1)
		}
		if err := s.Rooms.BeginImport(ctx, o.rooms[i]); err != nil {
			return err
		}
		for n > 0 {
			batch := make([]store.Message, min(n, 1000))
			for k := range batch {
				number := next.Add(1)
				author := o.people[number%50%uint64(len(o.people))].id
				batch[k] = store.Message{ID: messageID(number), Author: author, Type: store.TypeText, Content: texts[int(number)%len(texts)], At: messageTime(number)}
			}
			if _, err := s.Rooms.ImportMessages(ctx, o.rooms[i], batch, false); err != nil {
				return err
			}
			n -= len(batch)
		}
		if err := s.Rooms.EndImport(ctx, o.rooms[i]); err != nil {
			return err
		}
		_, _, err := s.Rooms.Append(ctx, store.Draft{Room: o.rooms[i], Author: o.people[1].id, Content: b.Lines[0]})
		return err
	})
}

// messageTime spreads messages over a few years.
func messageTime(number uint64) time.Time {
	return time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(number) * 100 * time.Second)
}

// messageID is the UUID of version 7 of a message said at messageTime. The rest of it
// compresses no better than that of a real one.
func messageID(number uint64) (id store.MessageID) {
	binary.BigEndian.PutUint64(id[:8], uint64(messageTime(number).UnixMilli())<<16|0x7000|number*2654435761>>20&0xfff)
	x := number * 0x9e3779b97f4a7c15
	x ^= x >> 29
	binary.BigEndian.PutUint64(id[8:], x*0xbf58476d1ce4e5b9&^(3<<62)|1<<63)
	return id
}

// texts cuts what people say into pieces of contentLength characters.
func (b *bench) texts() (texts []string) {
	var piece []rune
	for i := 0; len(texts) < 20_000 && i < 20*len(b.Lines); i++ {
		piece = append(append(piece, []rune(b.Lines[i%len(b.Lines)])...), ' ')
		for len(piece) > contentLength {
			if text := string(piece[:contentLength]); len(bytes.TrimSpace([]byte(text))) == len(text) {
				texts = append(texts, text)
			}
			piece = slices.Clone(piece[contentLength:])
		}
	}
	return texts
}

// weighDisk compacts the archive and weighs it.
func (b *bench) weighDisk(o *office) error {
	dir := filepath.Join(o.folder, b.Rooms)
	db, err := engine.Open(engineOptions(dir))
	if err != nil {
		return err
	}
	if err := errors.Join(db.Flatten(2), db.Close()); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	used, err := diskUsage(dir)
	if err != nil {
		return err
	}
	each := float64(used) / float64(b.messages)
	b.row(Row{
		What: fmt.Sprintf("disk for a message of %d characters, compacted, without search", contentLength), Measured: fmt.Sprintf("%.0f B", each),
		Target: "≤ 250 B with search", Met: judge(each <= 250),
	})
	return nil
}

// diskUsage is what the files in a folder take on disk, in bytes.
func diskUsage(dir string) (used int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var s syscall.Stat_t
		if err := syscall.Stat(path, &s); err != nil {
			return err
		}
		used += s.Blocks * 512
		return nil
	})
	return used, err
}

// startTime measures the time to the first healthy answer.
func (b *bench) startTime(ctx context.Context, o *office) error {
	var times []time.Duration
	for range b.starts + 1 { // the first one is cold
		err := b.serving(ctx, o, func(s *server) error {
			times = append(times, s.took)
			return nil
		})
		if err != nil {
			return err
		}
	}
	times = slices.Sorted(slices.Values(times[1:]))
	median := times[len(times)/2]
	b.row(Row{
		What: fmt.Sprintf("start to the first healthy answer, %d messages, warm", b.messages), Measured: fmt.Sprintf("%s (median of %d)", millis(median), len(times)),
		Target: "≤ 100 ms", Met: judge(median <= 100*time.Millisecond),
	})
	return nil
}

// asked is what readers found who ask the same again and again.
type asked struct {
	delays *latencies
	took   time.Duration
	cpu    time.Duration
	n      uint64
}

// ask has so many readers ask for a path, each waiting for one answer before the next.
func (b *bench) ask(ctx context.Context, o *office, s *server, readers int, path string, check func(answer []byte) error) (a asked, err error) {
	clients := make([]*client, readers)
	for i := range clients {
		if clients[i], err = dial(s.address, o.people[0].token); err != nil {
			return a, err
		}
		defer func() { _ = clients[i].Close() }() // only read from
	}
	raw := new(latencies)
	before, err := s.cpu()
	if err != nil {
		return a, err
	}
	begin := time.Now()
	err = each(readers, readers, func(i int) error {
		for time.Since(begin) < b.span && ctx.Err() == nil {
			asked := time.Now()
			status, answer, err := clients[i].do("GET", path, "", nil)
			raw.add(time.Since(asked))
			if err == nil && status != 200 {
				err = fmt.Errorf("GET %s: %d %s", path, status, answer)
			}
			if err == nil {
				err = check(answer)
			}
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return a, err
	}
	a.took, a.n = time.Since(begin), raw.total()
	a.delays = raw.corrected(a.took * time.Duration(readers) / time.Duration(max(1, a.n)))
	after, err := s.cpu()
	a.cpu = after - before
	return a, err
}

func (b *bench) history(ctx context.Context, o *office, s *server) error {
	newest := fmt.Appendf(nil, `"seq":%d,`, b.biggest+2) // after the line of its making, and the last
	a, err := b.ask(ctx, o, s, b.readers, "/api/messages/room/"+string(o.rooms[0])+"?limit=50", func(answer []byte) error {
		if n := bytes.Count(answer, []byte(`"seq":`)); n != 50 || !bytes.Contains(answer, newest) {
			return fmt.Errorf("a page with %d messages: %.300s", n, answer)
		}
		return nil
	})
	if err != nil {
		return err
	}
	perSecond := float64(a.n) / a.took.Seconds()
	b.row(Row{
		What:     fmt.Sprintf("history, newest 50 of %d, %d readers", b.biggest, b.readers),
		Measured: fmt.Sprintf("%.0f/s, %s, %.0f cpu-s per 1M", perSecond, a.delays, perMillion(a.cpu, a.n)),
		Target:   "≥ 5000/s, p99 ≤ 15 ms", Met: judge(perSecond >= 5000 && a.delays.percentile(.99) <= 15*time.Millisecond),
	})
	return nil
}

func (b *bench) unread(ctx context.Context, o *office, s *server) error {
	a, err := b.ask(ctx, o, s, 1, fmt.Sprint("/api/messages/unread/", o.people[0].id), func(answer []byte) error {
		if total, ok := number(answer, `"total_unread":`); !ok || total != uint64(len(o.rooms)) {
			return fmt.Errorf("not one unread message in each of %d rooms: %.300s", len(o.rooms), answer)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.row(Row{
		What:     fmt.Sprintf("unread of somebody in %d rooms with %d messages", len(o.rooms), b.messages),
		Measured: fmt.Sprintf("%s, %.0f cpu-s per 1M", a.delays, perMillion(a.cpu, a.n)),
		Target:   "p50 ≤ 2 ms", Met: judge(a.delays.percentile(.5) <= 2*time.Millisecond),
	})
	return nil
}
