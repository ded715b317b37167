package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	engine "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// engineOptions are those with which Hearth runs Badger.
func engineOptions(dir string) engine.Options {
	const mib = 1 << 20
	return engine.DefaultOptions(dir).
		WithSyncWrites(true).WithMemTableSize(16 * mib).WithNumMemtables(2).WithBlockCacheSize(8 * mib).WithIndexCacheSize(4 * mib).
		WithCompression(options.Snappy).WithValueThreshold(mib).WithValueLogFileSize(64 * mib).
		WithNumLevelZeroTables(5).WithNumLevelZeroTablesStall(15).WithNumCompactors(2).
		WithDetectConflicts(false).WithMetricsEnabled(false).WithLogger(nil)
}

// bareBadger returns how many messages a second Badger alone keeps when one writer commits
// for so many who wait, each message in four keys: no rooms, no checks, no network.
func (b *bench) bareBadger(ctx context.Context) (perSecond float64, err error) {
	dir := b.folder()
	db, err := engine.Open(engineOptions(dir))
	if err != nil {
		return 0, fmt.Errorf("bare Badger: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close(), os.RemoveAll(dir)) }()
	queue := make(chan chan error, 1024)
	var writer sync.WaitGroup
	writer.Go(func() { groupCommit(db, queue) })
	var posted atomic.Uint64
	begin := time.Now()
	err = each(b.senders, b.senders, func(int) error {
		done := make(chan error, 1)
		for time.Since(begin) < b.span/2 && ctx.Err() == nil {
			queue <- done
			if err := <-done; err != nil {
				return err
			}
			posted.Add(1)
		}
		return ctx.Err()
	})
	perSecond = float64(posted.Load()) / time.Since(begin).Seconds()
	close(queue)
	writer.Wait()
	return perSecond, err
}

func groupCommit(db *engine.DB, queue <-chan chan error) {
	body := make([]byte, 100)
	n := uint64(0)
	for first := range queue {
		waiting := []chan error{first}
		for len(queue) > 0 && len(waiting) < cap(queue) {
			waiting = append(waiting, <-queue)
		}
		txn := db.NewTransaction(true)
		var err error
		for range waiting {
			n++
			for tag := range byte(4) {
				k := binary.BigEndian.AppendUint64([]byte{tag}, n)
				err = errors.Join(err, txn.Set(k, body[:25+int(tag)*25]))
			}
		}
		if err == nil {
			err = txn.Commit()
		}
		txn.Discard()
		for _, done := range waiting {
			done <- err
		}
	}
}

// bareFlusher returns what it takes to write a ready-made frame to so many sockets, n
// times at a rate: one thread per core that does nothing else.
func bareFlusher(ctx context.Context, sockets, size, rate, n int) (cpuPerMillion float64, delays *latencies, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, fmt.Errorf("bare flusher: %w", err)
	}
	defer func() { _ = ln.Close() }()
	delays = new(latencies)
	interval, epoch := time.Second/time.Duration(rate), time.Now()
	begin := new(atomic.Int64)
	frame := make([]byte, size)
	near := make([]syscall.RawConn, sockets)
	var readers sync.WaitGroup
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
		readers.Wait()
	}()
	for i := range near {
		there, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return 0, nil, err
		}
		here, err := ln.Accept()
		if err != nil {
			return 0, nil, errors.Join(err, there.Close())
		}
		open = append(open, there, here)
		if near[i], err = here.(*net.TCPConn).SyscallConn(); err != nil {
			return 0, nil, err
		}
		readers.Go(func() {
			in := make([]byte, size)
			for k := range n {
				if _, err := io.ReadFull(there, in); err != nil {
					return
				}
				delays.add(time.Since(epoch) - time.Duration(begin.Load()) - time.Duration(k)*interval)
			}
		})
	}
	begin.Store(int64(time.Since(epoch)))
	threads := runtime.GOMAXPROCS(0)
	var used atomic.Int64
	err = each(threads, threads, func(t int) error {
		runtime.LockOSThread() // whose time is counted; it ends with the goroutine
		before, err := threadTime()
		for k := 0; k < n && err == nil; k++ {
			if err = rest(ctx, time.Duration(begin.Load())+time.Duration(k)*interval-time.Since(epoch)); err != nil {
				break
			}
			for i := t; i < sockets && err == nil; i += threads {
				err = writeAll(near[i], frame)
			}
		}
		after, timeErr := threadTime()
		used.Add(int64(after - before))
		return errors.Join(err, timeErr)
	})
	return perMillion(time.Duration(used.Load()), uint64(n*sockets)), delays, err
}

// writeAll writes without the work that net.Conn adds.
func writeAll(c syscall.RawConn, p []byte) (err error) {
	ctlErr := c.Write(func(fd uintptr) bool {
		var n int
		n, err = syscall.Write(int(fd), p)
		p = p[max(n, 0):]
		if err == syscall.EAGAIN || err == syscall.EINTR {
			err = nil
			return false
		}
		return err != nil || len(p) == 0
	})
	return errors.Join(err, ctlErr)
}

// rusageThread asks for the calling thread's share.
const rusageThread = 1

func threadTime() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(rusageThread, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}
