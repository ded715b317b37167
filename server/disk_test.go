package server_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hearthchat/hearth/store"
)

// The disk is the one thing around the real stores that tests stand in for: full, it takes
// no more writes and reads go on; gone, it gives nothing back either.
const (
	diskFine int32 = iota
	diskFull
	diskGone
)

type disk struct{ state atomic.Int32 }

func (d *disk) set(state int32) { d.state.Store(state) }

// write says what becomes of a write now, read what becomes of a read.
func (d *disk) write() error {
	if d.state.Load() != diskFine {
		return &store.Fault{Kind: store.ErrUnavailable, Code: "read_only", Text: "Storage is full", RetryAfter: 30 * time.Second}
	}
	return nil
}

func (d *disk) read() error {
	if d.state.Load() == diskGone {
		return errors.New("input/output error")
	}
	return nil
}

// take and on run a write unless the disk refuses it.
func (d *disk) take(write func() error) error {
	if err := d.write(); err != nil {
		return err
	}
	return write()
}

func on[T any](d *disk, write func() (T, error)) (result T, err error) {
	if err = d.write(); err == nil {
		result, err = write()
	}
	return result, err
}

// accounts are kept on the disk.
type accounts struct {
	store.Accounts
	disk *disk
}

func (a accounts) Settings(ctx context.Context) (store.Settings, error) {
	if err := a.disk.read(); err != nil {
		return store.Settings{}, err
	}
	return a.Accounts.Settings(ctx)
}

func (a accounts) CreateUser(ctx context.Context, n store.NewUser) (store.User, error) {
	return on(a.disk, func() (store.User, error) { return a.Accounts.CreateUser(ctx, n) })
}

func (a accounts) EditUser(ctx context.Context, id store.UserID, edit func(*store.User) error) (store.User, error) {
	return on(a.disk, func() (store.User, error) { return a.Accounts.EditUser(ctx, id, edit) })
}

func (a accounts) EditSettings(ctx context.Context, edit func(*store.Settings) error) (store.Settings, error) {
	return on(a.disk, func() (store.Settings, error) { return a.Accounts.EditSettings(ctx, edit) })
}

func (a accounts) OpenSession(ctx context.Context, s store.Session, refresh store.Hash) error {
	return a.disk.take(func() error { return a.Accounts.OpenSession(ctx, s, refresh) })
}

func (a accounts) RotateSession(ctx context.Context, spent, next store.Hash, now, expires time.Time) (store.Session, error) {
	return on(a.disk, func() (store.Session, error) { return a.Accounts.RotateSession(ctx, spent, next, now, expires) })
}

func (a accounts) EndSession(ctx context.Context, id store.SessionID) error {
	return a.disk.take(func() error { return a.Accounts.EndSession(ctx, id) })
}

func (a accounts) EndSessions(ctx context.Context, user store.UserID, except store.SessionID) error {
	return a.disk.take(func() error { return a.Accounts.EndSessions(ctx, user, except) })
}

func (a accounts) AddCode(ctx context.Context, c store.Code) error {
	return a.disk.take(func() error { return a.Accounts.AddCode(ctx, c) })
}

func (a accounts) TakeCode(ctx context.Context, hash store.Hash, purpose store.Purpose, now time.Time) (store.Code, error) {
	return on(a.disk, func() (store.Code, error) { return a.Accounts.TakeCode(ctx, hash, purpose, now) })
}

func (a accounts) AddMail(ctx context.Context, m store.Mail, most int) (store.Mail, error) {
	return on(a.disk, func() (store.Mail, error) { return a.Accounts.AddMail(ctx, m, most) })
}

func (a accounts) AddInvite(ctx context.Context, i store.Invite) error {
	return a.disk.take(func() error { return a.Accounts.AddInvite(ctx, i) })
}

// workspace is kept on the disk.
type workspace struct {
	store.Workspace
	disk *disk
}

func (w workspace) Head(ctx context.Context) (store.Position, error) {
	if err := w.disk.read(); err != nil {
		return store.Position{}, err
	}
	return w.Workspace.Head(ctx)
}

func (w workspace) CreateRoom(ctx context.Context, r store.Room, members []store.Member) (store.Room, error) {
	return on(w.disk, func() (store.Room, error) { return w.Workspace.CreateRoom(ctx, r, members) })
}

func (w workspace) DirectRoom(ctx context.Context, by store.UserID, people []store.UserID) (r store.Room, made bool, err error) {
	if err := w.disk.write(); err != nil {
		return r, false, err
	}
	return w.Workspace.DirectRoom(ctx, by, people)
}

func (w workspace) EditRoom(ctx context.Context, id store.RoomID, by store.UserID, edit func(*store.Room) error) (store.Room, error) {
	return on(w.disk, func() (store.Room, error) { return w.Workspace.EditRoom(ctx, id, by, edit) })
}

func (w workspace) DeleteRoom(ctx context.Context, id store.RoomID, by store.UserID) error {
	return w.disk.take(func() error { return w.Workspace.DeleteRoom(ctx, id, by) })
}

func (w workspace) Join(ctx context.Context, m store.Member, by store.UserID, line string) (bool, error) {
	return on(w.disk, func() (bool, error) { return w.Workspace.Join(ctx, m, by, line) })
}

func (w workspace) Leave(ctx context.Context, room store.RoomID, user, by store.UserID, line string) (bool, error) {
	return on(w.disk, func() (bool, error) { return w.Workspace.Leave(ctx, room, user, by, line) })
}

func (w workspace) Append(ctx context.Context, d store.Draft) (m store.Message, repeated bool, err error) {
	if err := w.disk.write(); err != nil {
		return m, false, err
	}
	return w.Workspace.Append(ctx, d)
}

func (w workspace) EditMessage(ctx context.Context, id store.MessageID, by store.UserID, edit func(*store.Message) error) (store.Message, error) {
	return on(w.disk, func() (store.Message, error) { return w.Workspace.EditMessage(ctx, id, by, edit) })
}

func (w workspace) React(ctx context.Context, id store.MessageID, by store.UserID, reaction string, add bool) (m store.Message, changed bool, err error) {
	if err := w.disk.write(); err != nil {
		return m, false, err
	}
	return w.Workspace.React(ctx, id, by, reaction, add)
}

func (w workspace) Read(ctx context.Context, room store.RoomID, user store.UserID, through store.MessageID, at time.Time) (store.Unread, error) {
	return on(w.disk, func() (store.Unread, error) { return w.Workspace.Read(ctx, room, user, through, at) })
}

func (w workspace) ReadOne(ctx context.Context, id store.MessageID, user store.UserID, at time.Time) (time.Time, error) {
	return on(w.disk, func() (time.Time, error) { return w.Workspace.ReadOne(ctx, id, user, at) })
}

func (w workspace) MarkUnread(ctx context.Context, id store.MessageID, user store.UserID) (store.Unread, error) {
	return on(w.disk, func() (store.Unread, error) { return w.Workspace.MarkUnread(ctx, id, user) })
}
