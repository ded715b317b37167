package store

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of error there are. Test with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("already exists")
	ErrForbidden    = errors.New("not allowed")
	ErrInvalid      = errors.New("invalid")
	ErrUnauthorized = errors.New("not signed in")
	ErrExpired      = errors.New("expired")     // a position, session or code too old to be used
	ErrBusy         = errors.New("in the way")  // something else has to end first
	ErrLimited      = errors.New("too many")    // try again later, see Fault.RetryAfter
	ErrUnavailable  = errors.New("unavailable") // writes cannot be accepted now; reads go on
	ErrClosed       = errors.New("closed")      // the store was closed
)

// Fault is an error in words for the person who caused it. It wraps one of the kinds.
type Fault struct {
	Kind       error
	Code       string        // stable, snake_case: "room_not_found"
	Text       string        // a short sentence: "Room not found"
	Details    string        // which field or thing and which rule; may be empty
	RetryAfter time.Duration // with ErrLimited and ErrUnavailable
}

func (f *Fault) Error() string {
	if f.Details == "" {
		return f.Text
	}
	return f.Text + ": " + f.Details
}

func (f *Fault) Unwrap() error { return f.Kind }

// Invalid reports that what was sent in field breaks rule.
func Invalid(field, rule string) *Fault {
	return &Fault{Kind: ErrInvalid, Code: "invalid_" + field, Text: "Invalid " + field, Details: field + ": " + rule}
}

// NotFound reports that there is no such thing, or none that the caller may know of.
// The answer says nothing about which, so it must not depend on more than what was asked.
func NotFound(thing, id string) *Fault {
	title := thing
	if thing != "" {
		title = string(thing[0]-'a'+'A') + thing[1:]
	}
	return &Fault{Kind: ErrNotFound, Code: thing + "_not_found", Text: title + " not found", Details: fmt.Sprintf("no %s has the id %q", thing, id)}
}

// Forbidden reports that the caller is known but may not do this.
func Forbidden(code, text string) *Fault {
	return &Fault{Kind: ErrForbidden, Code: code, Text: text}
}

// Conflict reports that something is taken or in the way.
func Conflict(code, text, details string) *Fault {
	return &Fault{Kind: ErrExists, Code: code, Text: text, Details: details}
}

// Faults that more than one package names.
var (
	ErrJoinFirst     = Forbidden("join_first", "Join the room first")
	ErrImportRunning = &Fault{Kind: ErrBusy, Code: "import_running", Text: "Import running", Details: "this room can be written to again when the import has ended"}
	ErrLastAdmin     = Conflict("last_admin", "The last administrator cannot go", "make somebody else an administrator first")
	ErrOtherClientID = Conflict("client_id_used", "This client_id belongs to another message", "client_id: use a new one for each message")
)
