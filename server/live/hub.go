package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// Options adjust a Hub. The zero value has the values that the contract names.
type Options struct {
	Now func() time.Time // the clock of timestamps and sessions; nil means time.Now
	Log *slog.Logger     // nil discards

	Heartbeat    time.Duration // how often a socket is pinged and its session looked at, whole seconds; 0 means 25 s
	ReadTimeout  time.Duration // silence after which a socket is closed; 0 means 60 s
	WriteTimeout time.Duration // how long one frame may take to leave; 0 means 10 s
	AwayAfter    time.Duration // without input a person is away; 0 means 5 min
	LeaveAfter   time.Duration // how late a leave is announced; 0 means 10 s
	TypingFor    time.Duration // how long somebody who says so types; 0 means 6 s

	QueueFrames int   // frames waiting for one slow socket before it is closed; 0 means 256
	QueueBytes  int   // the same in bytes; 0 means 1 MiB
	TotalBytes  int64 // bytes waiting for all slow sockets; 0 means 128 MiB

	MaxMissed  int // entries of a person's rooms that a replay covers; 0 means 10,000
	MaxScanned int // entries that are looked through for them; 0 means 200,000

	Flushers int           // goroutines that write; 0 means one per core
	Gather   time.Duration // how long the frames of a busy room are held to be written together; 0 means 8 ms
}

func (o Options) withDefaults() Options {
	o.Heartbeat = cmp.Or(o.Heartbeat, 25*time.Second)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, time.Minute)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.AwayAfter = cmp.Or(o.AwayAfter, 5*time.Minute)
	o.LeaveAfter = cmp.Or(o.LeaveAfter, 10*time.Second)
	o.TypingFor = cmp.Or(o.TypingFor, 6*time.Second)
	o.QueueFrames = cmp.Or(o.QueueFrames, 256)
	o.QueueBytes = cmp.Or(o.QueueBytes, 1<<20)
	o.TotalBytes = cmp.Or(o.TotalBytes, 128<<20)
	o.MaxMissed = cmp.Or(o.MaxMissed, 10_000)
	o.MaxScanned = cmp.Or(o.MaxScanned, 200_000)
	o.Flushers = cmp.Or(o.Flushers, runtime.GOMAXPROCS(0))
	o.Gather = cmp.Or(o.Gather, 8*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Hub tells the sockets of a workspace what happens there. Its methods may be called by
// any goroutine.
type Hub struct {
	rooms   store.Workspace
	people  store.Accounts
	chat    *chat.Service
	options Options

	routed atomic.Uint64 // place in the log up to which everything is on its way to the flushers
	epoch  atomic.Uint64
	queued atomic.Int64 // bytes waiting for slow sockets

	received, tooSlow atomic.Uint64 // see Stats
	here              directory
	loop              loop
	inbox             chan func()
	started           chan struct{} // closed once the loop follows the log
	stopped           chan struct{} // closed once the loop has ended
	checks            mailbox[*session]
	counts            mailbox[count]
	replays           chan struct{}

	mu       sync.Mutex
	closing  bool
	sessions map[*session]struct{} // everybody inside Serve
	entered  map[store.UserID]int  // and how many of each person
	serving  sync.WaitGroup
	starting atomic.Bool
	next     atomic.Uint32
}

// maxReplays is how many sockets look through the log at once.
const maxReplays = 8

// NewHub returns a hub for the sockets of one workspace. Serve waits until Run follows the log.
func NewHub(rooms store.Workspace, people store.Accounts, chat *chat.Service, o Options) *Hub {
	h := &Hub{
		rooms: rooms, people: people, chat: chat, options: o.withDefaults(),
		inbox:   make(chan func(), 256),
		started: make(chan struct{}), stopped: make(chan struct{}),
		checks: newMailbox[*session](), counts: newMailbox[count](),
		replays:  make(chan struct{}, maxReplays),
		sessions: map[*session]struct{}{}, entered: map[store.UserID]int{},
	}
	h.loop = newLoop(h)
	return h
}

// Run follows the log until ctx ends, which is no error, or the log fails. Then it closes
// all sockets and returns when every Serve has. It may be called once.
func (h *Hub) Run(ctx context.Context) error {
	if h.starting.Swap(true) {
		return errors.New("the hub runs already")
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	quit := make(chan struct{})
	for _, f := range h.loop.flushers {
		workers.Go(func() { f.run(quit) })
	}
	workers.Go(func() { h.loop.run(quit) })
	workers.Go(func() { h.checkSessions(work) })
	workers.Go(func() { h.countUnread(work) })

	err := store.Follow(ctx, h.rooms, newFollower(h))

	h.shutDown()
	stop()
	close(quit)
	workers.Wait()
	return err
}

// Close tells every client to come back in a moment, waits until the sockets are closed,
// at most two seconds or until ctx ends, and refuses new ones from then on.
func (h *Hub) Close(ctx context.Context) error {
	h.refuse()
	done := make(chan struct{})
	go func() {
		h.serving.Wait()
		close(done)
	}()
	limit := time.NewTimer(maxDrain)
	defer limit.Stop()
	select {
	case <-done:
		return nil
	case <-limit.C:
	case <-ctx.Done():
	}
	h.abort()
	select {
	case <-done:
		return nil
	case <-time.After(closeWait):
		return errors.New("close sockets: some are still in use")
	}
}

// maxDrain is how long sockets get to take their close frames when the server stops.
const maxDrain = 2 * time.Second

// Delays, in milliseconds, between which clients are told to come back.
const (
	minReturn = 500
	maxReturn = 3000
)

// refuse lets nobody in any more and sends everybody away.
func (h *Hub) refuse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
	for s := range h.sessions {
		s.close(CloseRestart, returnHint())
	}
}

func returnHint() string {
	return milliseconds(minReturn + rand.Int64N(maxReturn-minReturn))
}

// abort ends the connections that are still there.
func (h *Hub) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sessions {
		s.abort()
	}
}

func (h *Hub) shutDown() {
	ctx, cancel := context.WithTimeout(context.Background(), maxDrain)
	defer cancel()
	_ = h.Close(ctx)
	h.serving.Wait()
}

// enter counts a session in; it is false when the hub is closing.
func (h *Hub) enter(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.serving.Add(1)
	h.sessions[s] = struct{}{}
	h.entered[s.user.Load().ID]++
	return true
}

// expects reports whether a person has sockets, or some on their way.
func (h *Hub) expects(user store.UserID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entered[user] > 0
}

func (h *Hub) leave(s *session) {
	h.mu.Lock()
	delete(h.sessions, s)
	countDown(h.entered, s.user.Load().ID)
	h.mu.Unlock()
	h.serving.Done()
}

// do has the loop call fn, soon and in order of calls.
func (h *Hub) do(fn func()) {
	select {
	case h.inbox <- fn:
	case <-h.stopped:
	}
}

// ask is do, and waits until fn has returned.
func (h *Hub) ask(fn func()) {
	done := make(chan struct{})
	h.do(func() { fn(); close(done) })
	select {
	case <-done:
	case <-h.stopped:
	}
}

// position is the place in the log up to which frames are on their way.
func (h *Hub) position() store.Position {
	return store.Position{Epoch: h.epoch.Load(), Seq: h.routed.Load()}
}

// Online returns how many members of a room are here.
func (h *Hub) Online(room store.RoomID) int { return h.here.online(room) }

// Presence returns how reachable a person is.
func (h *Hub) Presence(user store.UserID) Presence { return h.here.presence(user) }

// Typing says that a person types in a room, or has stopped. Whether they may is for
// chat.Service.Typing to say, before.
func (h *Hub) Typing(user store.UserID, room store.RoomID, typing bool) {
	h.do(func() { h.loop.setTyping(user, room, typing) })
}

// mailbox is a queue without bounds for one reader.
type mailbox[T any] struct {
	mu    *sync.Mutex
	items *[]T
	wake  chan struct{}
}

func newMailbox[T any]() mailbox[T] {
	return mailbox[T]{mu: new(sync.Mutex), items: new([]T), wake: make(chan struct{}, 1)}
}

func (b mailbox[T]) put(items ...T) {
	b.mu.Lock()
	*b.items = append(*b.items, items...)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take waits for items and returns all there are, nil when ctx ends.
func (b mailbox[T]) take(ctx context.Context) []T {
	for {
		b.mu.Lock()
		items := *b.items
		*b.items = nil
		b.mu.Unlock()
		if len(items) > 0 {
			return items
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
			return nil
		}
	}
}
