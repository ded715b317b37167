package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hearthchat/hearth/store"
)

// A batch is what is stored at once: this many messages, or this many bytes of text.
const (
	batchMessages = 1000
	batchBytes    = 512 << 10
)

// Target is the workspace that lines go to.
type Target struct {
	Users     store.Users
	Workspace store.Workspace
}

// Options adjust Plan and Import. The zero value works.
type Options struct {
	Append   bool         // also into rooms that hold messages of their own
	Progress func(Report) // called now and then with the counts so far
}

// Plan reads lines and returns what Import would count, writing nothing.
func Plan(ctx context.Context, lines iter.Seq2[Line, error], o Options) (Report, error) {
	return read(ctx, lines, o, nil)
}

// Import stores lines: rooms and people that are not there yet are made, and messages
// follow in order. People get no password and are members of nothing; the oldest active
// administrator, if there is one, owns a new room. While it runs its rooms are read-only.
//
// What a line becomes has the same id in every run, so that a repeated run adds nothing
// and an interrupted one continues. Lines that were stored before an error stay.
//
// A line that cannot be used is a *BadLine. store.ErrImportRunning: the room is being
// imported into. ErrExists with the Code "room_not_empty": o.Append is needed.
func Import(ctx context.Context, lines iter.Seq2[Line, error], to Target, o Options) (report Report, err error) {
	w := &writer{to: to, append: o.Append, rooms: make(map[string]store.RoomID), people: make(map[string]store.UserID)}
	defer func() {
		// The rooms open again whatever ended the import, also the end of ctx.
		err = errors.Join(err, w.end(context.WithoutCancel(ctx)))
		w.count(&report)
	}()
	return read(ctx, lines, o, w)
}

// read sorts all lines and hands them to w, if there is one.
func read(ctx context.Context, lines iter.Seq2[Line, error], o Options, w *writer) (Report, error) {
	s := newSorter()
	progress := func() {
		if w != nil {
			w.count(&s.report)
		}
		if o.Progress != nil {
			o.Progress(s.report)
		}
	}
	for l, err := range lines {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return s.report, err
		}
		messages, err := s.sort(l)
		if err == nil && w != nil {
			err = w.add(ctx, l, messages)
		}
		if err != nil {
			return s.report, err
		}
		if s.report.Lines%batchMessages == 0 {
			progress()
		}
	}
	if w != nil {
		if err := w.flush(ctx); err != nil {
			return s.report, err
		}
	}
	progress()
	return s.report, nil
}

// writer stores what lines became, a batch of one room at a time.
type writer struct {
	to     Target
	append bool
	rooms  map[string]store.RoomID // by source
	people map[string]store.UserID // by alias; 0 while in newcomers

	room      Room // of the batch
	newcomers []store.User
	batch     []store.Message
	authors   []string // alias of each message's author
	bytes     int

	messages, accounts, opened int // added
}

// count says in a report what was added.
func (w *writer) count(r *Report) {
	r.AddedMessages, r.AddedPeople, r.AddedRooms = w.messages, w.accounts, w.opened
}

// add puts a line into the batch.
func (w *writer) add(ctx context.Context, l Line, messages []store.Message) error {
	if l.Room.Source != w.room.Source || len(w.batch) >= batchMessages || w.bytes >= batchBytes {
		if err := w.flush(ctx); err != nil {
			return err
		}
		w.room = l.Room
	}
	if _, ok := w.people[l.Person.Alias]; !ok {
		w.people[l.Person.Alias] = 0
		w.newcomers = append(w.newcomers, store.User{
			Alias: l.Person.Alias, Username: l.Person.Name, Role: store.RoleMember, Active: true, CreatedAt: store.Truncate(l.At),
		})
	}
	for _, m := range messages {
		w.batch = append(w.batch, m)
		w.authors = append(w.authors, l.Person.Alias)
		w.bytes += len(m.Content)
	}
	return nil
}

// flush stores the batch: its people first, since its messages name them.
func (w *writer) flush(ctx context.Context) error {
	if w.room.Source == "" {
		return nil
	}
	room, err := w.begin(ctx, w.room)
	if err != nil {
		return err
	}
	if len(w.newcomers) > 0 {
		users, added, err := w.to.Users.ImportUsers(ctx, w.newcomers)
		if err != nil {
			return fmt.Errorf("import %d people: %w", len(w.newcomers), err)
		}
		for i, u := range users {
			w.people[w.newcomers[i].Alias] = u.ID
		}
		w.accounts += added
	}
	for i := range w.batch {
		w.batch[i].Room, w.batch[i].Author = room, w.people[w.authors[i]]
	}
	if len(w.batch) > 0 {
		added, err := w.to.Workspace.ImportMessages(ctx, room, w.batch, w.append)
		w.messages += added
		if err != nil {
			return fmt.Errorf("import %d messages into %q: %w", len(w.batch), w.room.Name, err)
		}
	}
	w.newcomers, w.batch, w.authors, w.bytes = w.newcomers[:0], w.batch[:0], w.authors[:0], 0
	return nil
}

// begin returns the room that lines go to, closed to everybody else from the first time on.
func (w *writer) begin(ctx context.Context, r Room) (store.RoomID, error) {
	if id, ok := w.rooms[r.Source]; ok {
		return id, nil
	}
	room, err := w.find(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		room, err = w.open(ctx, r)
	}
	if err == nil {
		err = w.to.Workspace.BeginImport(ctx, room.ID)
	}
	if err != nil {
		return "", fmt.Errorf("import into %q: %w", r.Name, err)
	}
	w.rooms[r.Source] = room.ID
	return room.ID, nil
}

// find returns the public room that an earlier import made, also when it was renamed
// since, or else the oldest one of this name.
func (w *writer) find(ctx context.Context, r Room) (store.Room, error) {
	const page = 1000
	for after := store.RoomID(""); ; {
		rooms, err := w.to.Workspace.OpenRooms(ctx, after, page)
		if err != nil {
			return store.Room{}, err
		}
		for _, room := range rooms {
			if room.Source == r.Source {
				return room, nil
			}
		}
		if len(rooms) < page {
			return w.to.Workspace.OpenRoomNamed(ctx, r.Name)
		}
		after = rooms[len(rooms)-1].ID
	}
}

func (w *writer) open(ctx context.Context, r Room) (store.Room, error) {
	admins, err := w.to.Users.Admins(ctx)
	if err != nil {
		return store.Room{}, err
	}
	room := store.Room{Kind: store.KindOpen, Name: r.Name, Source: r.Source}
	var members []store.Member
	if len(admins) > 0 {
		room.Creator = admins[0].ID
		members = []store.Member{{User: admins[0].ID, Role: store.RoomOwner}}
	}
	w.opened++
	return w.to.Workspace.CreateRoom(ctx, room, members)
}

// endWait bounds how long opening the rooms again may take.
const endWait = 10 * time.Second

// end opens the rooms again.
func (w *writer) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	var errs []error
	for _, id := range w.rooms {
		if err := w.to.Workspace.EndImport(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("end the import into %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}
