package store

import (
	"context"
	"errors"
	"fmt"
)

// Follower does something because of changes, at its own pace.
type Follower interface {
	// Position is how far the follower got.
	Position(ctx context.Context) (Position, error)
	// Apply takes effect and remembers the last change's position, both or neither.
	Apply(ctx context.Context, changes []Change) error
	// Rebuild starts again from the records, after ErrExpired, and returns the position
	// the records were read at or later.
	Rebuild(ctx context.Context) (Position, error)
}

// followBatch is the most changes a follower gets at once.
const followBatch = 1000

// Follow feeds f from the log until ctx ends, which is no error, or f or the log fails.
func Follow(ctx context.Context, log Log, f Follower) error {
	at, err := f.Position(ctx)
	if err != nil {
		return fmt.Errorf("follower position: %w", err)
	}
	for {
		changes, err := log.Changes(ctx, at, followBatch)
		switch {
		case errors.Is(err, ErrExpired):
			at, err = f.Rebuild(ctx)
		case err == nil && len(changes) == 0:
			err = log.Wait(ctx, at)
		case err == nil:
			if err = f.Apply(ctx, changes); err == nil {
				at = changes[len(changes)-1].Position
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow from %s: %w", at, err)
		}
	}
}

// Relay copies changes of accounts into the log until ctx ends, which is no error. The
// revision it reached is stored with the entries, so a crash in between repeats nothing
// and loses nothing. settle, unless nil, is called with each change before it is copied,
// and again after a crash: it finishes what a change of an account asks of the workspace.
func Relay(ctx context.Context, users Users, log Log, settle func(context.Context, UserChange) error) error {
	at, err := log.UsersRelayed(ctx)
	for err == nil {
		var changes []UserChange
		if changes, err = users.ChangedUsers(ctx, at, followBatch); err != nil {
			break
		}
		if len(changes) == 0 {
			err = users.WaitUsers(ctx, at)
			continue
		}
		for i := 0; settle != nil && err == nil && i < len(changes); i++ {
			err = settle(ctx, changes[i])
		}
		if err != nil {
			break
		}
		if err = log.RelayUsers(ctx, changes); err == nil {
			at = changes[len(changes)-1].Revision
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("relay accounts after revision %d: %w", at, err)
}
