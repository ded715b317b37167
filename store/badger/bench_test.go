//go:build unix

package badger

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	engine "github.com/dgraph-io/badger/v4"

	"github.com/hearthchat/hearth/store"
)

// BenchmarkAppend posts durably from so many writers at once, in 16 rooms, beside bare
// Badger that commits one entry of four keys for each of so many writers in groups.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := openT(b, b.TempDir())
			rooms := make([]store.RoomID, 16)
			for i := range rooms {
				rooms[i] = newRoom(b, s, 1, 2, 3)
			}
			inParallel(b, writers, func(w, i int) error {
				_, _, err := s.Append(b.Context(), store.Draft{Room: rooms[w%16], Author: store.UserID(1 + i%3), Content: body, ClientID: fmt.Sprint(w, "-", i)})
				return err
			})
		})
		b.Run(fmt.Sprintf("bare/writers=%d", writers), func(b *testing.B) {
			db, err := engine.Open(engineOptions(b.TempDir(), openT(b, b.TempDir()).options))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			g := &groupCommit{db: db, queue: make(chan chan error, 1024)}
			var committer sync.WaitGroup
			committer.Go(g.run)
			inParallel(b, writers, func(w, i int) error {
				done := make(chan error, 1)
				g.queue <- done
				return <-done
			})
			close(g.queue)
			committer.Wait()
		})
	}
}

// groupCommit is the least there can be: it knows no rooms and checks nothing.
type groupCommit struct {
	db    *engine.DB
	queue chan chan error
	n     uint64
}

func (g *groupCommit) run() {
	for first := range g.queue {
		waiting := []chan error{first}
		for len(g.queue) > 0 && len(waiting) < maxBatchOps {
			waiting = append(waiting, <-g.queue)
		}
		txn := g.db.NewTransaction(true)
		for range waiting {
			g.n++
			for tag := range byte(4) {
				k := binary.BigEndian.AppendUint64([]byte{tag}, g.n)
				if err := txn.Set(k, []byte(body[:25+int(tag)*25])); err != nil {
					panic(err)
				}
			}
		}
		err := txn.Commit()
		for _, done := range waiting {
			done <- err
		}
	}
}

func inParallel(b *testing.B, writers int, do func(w, i int) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	cpu := processorTime(b)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := 0; left.Add(-1) >= 0; i++ {
				if err := do(w, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric((processorTime(b)-cpu).Seconds()*1e6/float64(b.N), "cpu-s/1M")
	b.ReportMetric(0, "ns/op")
}

// processorTime is what the process has used of both user and system time.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkRead asks what a client asks for when it starts.
func BenchmarkRead(b *testing.B) {
	s := openT(b, b.TempDir())
	var rooms []store.RoomID
	for range 200 {
		rooms = append(rooms, newRoom(b, s, 1, 2))
	}
	for _, room := range rooms {
		fill(b, s, room, 1, 100)
		page, err := s.Page(b.Context(), room, store.Span{Oldest: true, Limit: 50})
		if err == nil {
			_, err = s.Read(b.Context(), room, 2, page[49].ID, s.now())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("unread of 200 rooms", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Unread(b.Context(), 2); err != nil || len(all) != 200 || all[0].Count != 51 {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("newest 50", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if page, err := s.Page(b.Context(), rooms[i%200], store.Span{Limit: 50}); err != nil || len(page) != 50 {
				b.Fatal(len(page), err)
			}
		}
	})
}

// BenchmarkImport reports how fast messages come in from elsewhere.
func BenchmarkImport(b *testing.B) {
	s := openT(b, b.TempDir())
	room := newRoom(b, s, 1)
	if err := s.BeginImport(b.Context(), room); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += 1000 {
		batch := make([]store.Message, min(1000, b.N-n))
		for i := range batch {
			batch[i] = store.Message{ID: s.options.NewID(), Author: store.UserID(i % 300), Type: store.TypeText, Content: body, At: s.now()}
			if i%4 == 3 {
				batch[i].Parent = batch[i/2].ID
			}
		}
		if added, err := s.ImportMessages(b.Context(), room, batch, false); err != nil || added != len(batch) {
			b.Fatal(added, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}
