package store

import (
	"context"
	"time"
)

// SessionID is 32 hexadecimal digits.
type SessionID string

// Session is one sign-in of one person. It lives until ExpiresAt, which each rotation of
// its refresh token moves, or until it is ended.
type Session struct {
	ID        SessionID
	User      UserID
	CreatedAt time.Time
	ExpiresAt time.Time
	Cookie    bool // its refresh tokens travel only in cookies
}

// Hash is the SHA-256 of a secret. Secrets themselves are never stored.
type Hash [32]byte

// ReuseGrace is how long after its first use a spent refresh token still gets a further
// pair, for two tabs and for answers that were lost.
const ReuseGrace = 10 * time.Second

// Sessions keeps who is signed in.
type Sessions interface {
	// OpenSession stores s with its first refresh token and notes the sign-in at
	// s.CreatedAt in the account's LastLogin (which is no change of the account).
	OpenSession(ctx context.Context, s Session, refresh Hash) error

	// Session returns a live session: ErrNotFound when it ended or expired by now.
	Session(ctx context.Context, id SessionID, now time.Time) (Session, error)

	// RotateSession spends a refresh token and stores next in its place; the session
	// then lives until expires. A token spent less than ReuseGrace ago is accepted again.
	// One spent earlier ends the session. Unknown, expired and reused tokens are ErrUnauthorized.
	RotateSession(ctx context.Context, spent, next Hash, now, expires time.Time) (Session, error)

	// SessionByRefresh returns the live session that a refresh token, spent or not, belongs to.
	SessionByRefresh(ctx context.Context, refresh Hash, now time.Time) (Session, error)

	// EndSession ends one session; EndSessions all of a person's but one ("" for none).
	// Both are reported by ChangedUsers. Ending what has ended is no error.
	EndSession(ctx context.Context, id SessionID) error
	EndSessions(ctx context.Context, user UserID, except SessionID) error

	// SweepSessions removes sessions and codes that expired before now, at most limit of each.
	SweepSessions(ctx context.Context, now time.Time, limit int) (removed int, err error)
}

// Purpose is what a Code is for.
type Purpose string

// The purposes.
const (
	PurposeVerify Purpose = "verify" // confirms the address of an account
	PurposeReset  Purpose = "reset"  // a new password
	PurposeChange Purpose = "change" // confirms the address that an account is to have instead
)

// Code is a secret that works once.
type Code struct {
	Hash    Hash
	Purpose Purpose
	User    UserID
	Email   string // the address it was sent to, if any
	Expires time.Time
}

// Invite lets people make an account, and takes them to a room.
type Invite struct {
	Code    string
	By      UserID
	Room    RoomID // empty: none
	Expires time.Time
}

// Codes keeps the secrets that were handed out.
type Codes interface {
	AddCode(ctx context.Context, c Code) error
	// TakeCode spends a code: ErrNotFound if unknown, spent, expired or for something else.
	TakeCode(ctx context.Context, hash Hash, purpose Purpose, now time.Time) (Code, error)

	AddInvite(ctx context.Context, i Invite) error
	// Invite returns an invite that is valid now, else ErrNotFound.
	Invite(ctx context.Context, code string, now time.Time) (Invite, error)

	// SetupCode returns the code that makes the first administrator, making it on first
	// use; "" while there is an administrator who can sign in. When the last one goes,
	// alone as they must be, the next code is a new one.
	SetupCode(ctx context.Context) (string, error)
}
