package store

import (
	"errors"
	"fmt"
	"testing"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		fault      *Fault
		kind       error
		code, text string
	}{
		{Invalid("name", "must be short"), ErrInvalid, "invalid_name", "Invalid name: name: must be short"},
		{NotFound("room", "7f3"), ErrNotFound, "room_not_found", `Room not found: no room has the id "7f3"`},
		{Forbidden("join_first", "Join the room first"), ErrForbidden, "join_first", "Join the room first"},
		{Conflict("username_taken", "Taken", "choose another"), ErrExists, "username_taken", "Taken: choose another"},
		{ErrImportRunning, ErrBusy, "import_running", "Import running: this room can be written to again when the import has ended"},
		{ErrJoinFirst, ErrForbidden, "join_first", "Join the room first"},
	}
	for _, tt := range tests {
		err := fmt.Errorf("post: %w", tt.fault)
		var fault *Fault
		if !errors.Is(err, tt.kind) || !errors.As(err, &fault) || fault.Code != tt.code || fault.Error() != tt.text {
			t.Errorf("%v has kind %v, code %s and text %q, want %v, %s and %q", tt.fault, tt.fault.Kind, tt.fault.Code, tt.fault, tt.kind, tt.code, tt.text)
		}
		for _, other := range []error{ErrNotFound, ErrExists, ErrForbidden, ErrInvalid, ErrUnauthorized, ErrExpired, ErrBusy, ErrLimited, ErrUnavailable, ErrClosed} {
			if other != tt.kind && errors.Is(err, other) {
				t.Errorf("%v is also %v", tt.fault, other)
			}
		}
	}
}
