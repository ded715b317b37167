package chat

import (
	"context"
	"slices"
	"time"

	"github.com/hearthchat/hearth/store"
)

// ReadThrough marks a room as read up to a message.
func (s *Service) ReadThrough(ctx context.Context, by store.User, room store.RoomID, through store.MessageID) (store.Unread, time.Time, error) {
	at := store.Truncate(s.now())
	if err := s.limits.write(by.ID); err != nil {
		return store.Unread{}, at, err
	}
	if _, err := s.joined(ctx, by, room); err != nil {
		return store.Unread{}, at, err
	}
	if _, err := s.place(ctx, "up_to", through, room); err != nil {
		return store.Unread{}, at, err
	}
	u, err := s.rooms.Read(ctx, room, by.ID, through, at)
	return u, at, err
}

// ReadOne marks exactly one message as read and returns when it was first read.
func (s *Service) ReadOne(ctx context.Context, by store.User, id store.MessageID) (time.Time, error) {
	if err := s.limits.write(by.ID); err != nil {
		return time.Time{}, err
	}
	if _, _, err := s.messageInside(ctx, by, id); err != nil {
		return time.Time{}, err
	}
	return s.rooms.ReadOne(ctx, id, by.ID, store.Truncate(s.now()))
}

// MarkUnread makes a message and all after it count as unread again.
func (s *Service) MarkUnread(ctx context.Context, by store.User, id store.MessageID) (store.Unread, error) {
	if err := s.limits.write(by.ID); err != nil {
		return store.Unread{}, err
	}
	if _, _, err := s.messageInside(ctx, by, id); err != nil {
		return store.Unread{}, err
	}
	return s.rooms.MarkUnread(ctx, id, by.ID)
}

// Unread returns what waits for by in each of their rooms, without direct ones they left.
func (s *Service) Unread(ctx context.Context, by store.User) ([]store.Unread, error) {
	waiting, err := s.rooms.Unread(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(waiting, func(u store.Unread) bool { return u.Hidden }), nil
}

// UnreadIn returns what waits for by in one of their rooms.
func (s *Service) UnreadIn(ctx context.Context, by store.User, room store.RoomID) (store.Unread, error) {
	return s.rooms.UnreadIn(ctx, room, by.ID)
}

// Readers returns who read a message, and when.
func (s *Service) Readers(ctx context.Context, by store.User, id store.MessageID) ([]store.Receipt, error) {
	if _, _, err := s.messageInside(ctx, by, id); err != nil {
		return nil, err
	}
	return s.rooms.Readers(ctx, id)
}
