package badger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// migration brings the data from one version to the next, in steps that may be repeated
// after a crash.
type migration func(ctx context.Context, s *Store) error

// migrations lead from each version to the next; the first makes an empty workspace.
// Append only: what ran on somebody's data is never changed.
var migrations = []migration{createWorkspace}

func createWorkspace(ctx context.Context, s *Store) error {
	var random [8]byte
	rand.Read(random[:])
	// 40 bits are enough to tell a restored workspace, and short in cursors.
	epoch := binary.BigEndian.Uint64(random[:])>>24 | 1
	return s.write(ctx, func(t *tx) error {
		t.set(metaKey(metaEpoch), encodeNumber(epoch))
		t.set(metaKey(metaLow), encodeNumber(1))
		return nil
	})
}

func (s *Store) migrate(ctx context.Context, migrations []migration) error {
	version := 0
	err := s.view(ctx, func(r *snapshot) error {
		n, err := number(r, metaKey(metaSchema))
		version = int(n)
		return err
	})
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the data has version %d and this program knows versions up to %d: start the newer program that wrote it, or restore a backup made before the upgrade", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		if version > 0 {
			s.options.Log.Info("migrating the workspace", "from", version, "to", version+1)
		}
		if err := migrations[version](ctx, s); err != nil {
			return fmt.Errorf("migrate from version %d to %d: %w", version, version+1, err)
		}
		err := s.write(ctx, func(t *tx) error {
			t.set(metaKey(metaSchema), encodeNumber(uint64(version+1)))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
