package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// UserID is a person's small number, from 1, never reused.
type UserID int64

func (id UserID) String() string { return strconv.FormatInt(int64(id), 10) }

// ObjectID is a person's other name, in the form MongoDB gives its documents: the time
// of creation in seconds, the workspace's tag and the UserID, four bytes each, big-endian.
// People who were imported keep the one they had.
type ObjectID [12]byte

// NewObjectID returns the ObjectID of a person created here.
func NewObjectID(created time.Time, tag [4]byte, id UserID) ObjectID {
	var o ObjectID
	binary.BigEndian.PutUint32(o[0:], uint32(created.Unix()))
	copy(o[4:], tag[:])
	binary.BigEndian.PutUint32(o[8:], uint32(id))
	return o
}

// ParseObjectID reads 24 hexadecimal digits; ok is false for anything else.
func ParseObjectID(s string) (o ObjectID, ok bool) {
	if len(s) != 24 {
		return o, false
	}
	_, err := hex.Decode(o[:], []byte(s))
	return o, err == nil
}

func (o ObjectID) String() string { return hex.EncodeToString(o[:]) }

// MarshalText writes 24 hexadecimal digits.
func (o ObjectID) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads 24 hexadecimal digits.
func (o *ObjectID) UnmarshalText(text []byte) error {
	parsed, ok := ParseObjectID(string(text))
	if !ok {
		return Invalid("id", "must be 24 hexadecimal digits")
	}
	*o = parsed
	return nil
}

// Role is what an account may do in the whole workspace.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
	RoleGuest  Role = "guest" // sees only the rooms it was given
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleAdmin || r == RoleMember || r == RoleGuest }

// User is a person's account.
type User struct {
	ID            UserID
	Object        ObjectID
	Alias         string // where an imported account came from, "irc:nick"; empty for others
	Username      string
	Email         string // empty: none
	EmailVerified bool
	PasswordHash  string // bcrypt; empty: closed for sign-in
	FirstName     string
	LastName      string
	Avatar        string
	DisplayName   string
	Bio           string
	Role          Role
	Active        bool // false: deactivated by an administrator, or Closed
	Closed        bool // the account is gone; what remains is its number and neutral name
	CreatedAt     time.Time
	UpdatedAt     time.Time
	LastLogin     time.Time // zero: never
}

// CanSignIn reports whether the account is open for sign-in.
func (u User) CanSignIn() bool { return u.Active && !u.Closed && u.PasswordHash != "" }

// IsAdmin reports whether the account administers the workspace now.
func (u User) IsAdmin() bool { return u.Role == RoleAdmin && u.Active && !u.Closed }

// Runs reports whether the account is an administrator who can sign in.
func (u User) Runs() bool { return u.IsAdmin() && u.CanSignIn() }

// Close turns u into what remains of a closed account.
func (u *User) Close() {
	*u = User{
		ID: u.ID, Object: u.Object, Username: DeletedName(u.ID), Role: RoleMember,
		Closed: true, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

// DeletedName is the neutral name of a closed account.
func DeletedName(id UserID) string { return "deleted-" + id.String() }

var (
	usernameRule  = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{1,28})[A-Za-z0-9_]$`)
	deletedRule   = regexp.MustCompile(`(?i)^deleted-`)
	reservedNames = map[string]bool{
		"me": true, "system": true, "all": true, "here": true, "room": true, "everyone": true, "channel": true, "hearth": true,
	}
	emailRule = regexp.MustCompile(`^[^\s@<>()\[\],;:"\\]{1,64}@[^\s@<>()\[\],;:"\\]{1,189}$`)
)

// CheckUsername applies the rule for names that people choose: 3 to 30 letters, digits
// and underscores, with dots and hyphens inside, and none of the reserved names.
func CheckUsername(name string) error {
	if !usernameRule.MatchString(name) {
		return Invalid("username", "3 to 30 letters, digits and underscores; dots and hyphens only inside")
	}
	if reservedNames[Fold(name)] || deletedRule.MatchString(name) {
		return Invalid("username", "this name is reserved")
	}
	return nil
}

// CheckEmail reports whether address looks like an e-mail address of at most 254 bytes.
func CheckEmail(address string) error {
	if len(address) > 254 || !emailRule.MatchString(address) || CheckText("email", address, 254) != nil {
		return Invalid("email", "must look like name@example.org")
	}
	return nil
}

// MinPassword and MaxPassword bound a password, in bytes; bcrypt reads no more than 72.
const (
	MinPassword = 8
	MaxPassword = 72
)

// CheckPassword applies the rule for new passwords. Old ones are never judged.
func CheckPassword(field, password string) error {
	if len(password) < MinPassword || len(password) > MaxPassword || strings.ContainsRune(password, 0) || !utf8.ValidString(password) {
		return Invalid(field, "must be 8 to 72 bytes long")
	}
	return nil
}

// CheckText requires valid UTF-8 without NUL and at most max code points.
func CheckText(field, text string, max int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Invalid(field, "must be valid Unicode text without NUL")
	}
	if utf8.RuneCountInString(text) > max {
		return Invalid(field, "must have at most "+strconv.Itoa(max)+" characters")
	}
	return nil
}

// Fold maps names and addresses that differ only in case to the same string.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// NewUser is an account about to be made. ID, Object and the times are the engine's to fill in.
type NewUser struct {
	User
	SetupCode string // makes the first administrator; wrong or spent is ErrForbidden and makes no account
	Invite    string // a code from AddInvite; unknown or expired is ErrForbidden and makes no account
}

// Revision numbers the changes of accounts, in commit order.
type Revision uint64

// UserChange says that an account changed. Edited: its public fields may have; the newest
// state is what User returns. Otherwise one or more of its sessions ended.
type UserChange struct {
	Revision Revision
	User     UserID
	Edited   bool
}

// Users keeps the accounts.
type Users interface {
	// CreateUser makes an account and returns it with ID, Object and times filled in.
	// A taken username or e-mail, whatever the case, is ErrExists with the Code
	// "username_taken" or "email_taken". An account made with the setup code is an
	// active administrator, whatever its Role says. Of two with the setup code at once one wins.
	CreateUser(ctx context.Context, n NewUser) (User, error)

	// ImportUsers makes accounts that came from elsewhere, in order, all or none, and
	// returns one User for each. An Alias that exists already yields the account it named first.
	// The username rule does not bind them (at most 100 characters); one that is taken
	// gets "-2", "-3" and so on. added is the number of new accounts.
	ImportUsers(ctx context.Context, users []User) (all []User, added int, err error)

	User(ctx context.Context, id UserID) (User, error)
	UserByObject(ctx context.Context, id ObjectID) (User, error)
	UserByAlias(ctx context.Context, alias string) (User, error)

	// UserByName and UserByEmail ignore case.
	UserByName(ctx context.Context, username string) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)

	// EditUser changes an account. A new Username or Email that is taken is ErrExists as
	// in CreateUser. The change that would leave no administrator who can sign in, while
	// any other account that can sign in is active, is ErrLastAdmin. An account that
	// becomes Closed takes its codes and the mails that wait for it along.
	EditUser(ctx context.Context, id UserID, edit func(*User) error) (User, error)

	// ListUsers returns up to limit accounts that are not Closed: by ID without prefix,
	// else those whose username starts with prefix, whatever the case, by name. after is
	// the last one of the previous page, or 0.
	ListUsers(ctx context.Context, prefix string, after UserID, limit int) ([]User, error)

	// Admins returns the active administrators by ID.
	Admins(ctx context.Context) ([]User, error)

	// ChangedUsers returns up to limit changes after a revision, oldest first. Of one
	// account's edits only the newest remains.
	ChangedUsers(ctx context.Context, after Revision, limit int) ([]UserChange, error)
	// WaitUsers returns when there is a change after the revision.
	WaitUsers(ctx context.Context, after Revision) error
}

// Registration is who may make an account.
type Registration string

// The ways of registration.
const (
	RegistrationOpen   Registration = "open"
	RegistrationInvite Registration = "invite"
	RegistrationClosed Registration = "closed"
)

// Settings belong to the workspace as a whole.
type Settings struct {
	ID   ObjectID // made once; its middle four bytes are the tag in every ObjectID made here
	Name string
}

// Tag is the part of an ObjectID that is this workspace's own.
func (s Settings) Tag() [4]byte { return [4]byte(s.ID[4:8]) }

// Accounts is everything kept about people: one engine, bbolt.
type Accounts interface {
	Users
	Sessions
	Codes
	Mails

	// Settings are there from the first start on, with the name "Hearth".
	Settings(ctx context.Context) (Settings, error)
	EditSettings(ctx context.Context, edit func(*Settings) error) (Settings, error)
}
