package bolt

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Values begin with a byte that names their format. A new format is a new byte, and old
// values stay readable.
const (
	formatJSON  = 1
	formatToken = 2 // a refreshRecord
)

var errFormat = errors.New("a record of an unknown format: the file may be of a newer version")

// encode writes a record. It cannot go wrong for the record types of this package.
func encode(record any) ([]byte, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("write a record: %w", err)
	}
	return append([]byte{formatJSON}, text...), nil
}

// decode reads what encode wrote.
func decode(value []byte, record any) error {
	if len(value) == 0 || value[0] != formatJSON {
		return errFormat
	}
	if err := json.Unmarshal(value[1:], record); err != nil {
		return fmt.Errorf("read a record: %w", err)
	}
	return nil
}

// Times are kept as milliseconds since 1970; 0 is no time.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

type userRecord struct {
	Object        store.ObjectID `json:"object"`
	Alias         string         `json:"alias,omitempty"`
	Username      string         `json:"username"`
	Email         string         `json:"email,omitempty"`
	EmailVerified bool           `json:"email_verified,omitempty"`
	PasswordHash  string         `json:"password_hash,omitempty"`
	FirstName     string         `json:"first_name,omitempty"`
	LastName      string         `json:"last_name,omitempty"`
	Avatar        string         `json:"avatar,omitempty"`
	DisplayName   string         `json:"display_name,omitempty"`
	Bio           string         `json:"bio,omitempty"`
	Role          store.Role     `json:"role"`
	Active        bool           `json:"active,omitempty"`
	Closed        bool           `json:"closed,omitempty"`
	CreatedAt     int64          `json:"created_at"`
	UpdatedAt     int64          `json:"updated_at"`
	LastLogin     int64          `json:"last_login,omitempty"`

	Edited store.Revision `json:"edited"`          // of the newest edit
	Ended  store.Revision `json:"ended,omitempty"` // of the newest end of a session
}

// account is a user with what the engine keeps beside.
type account struct {
	store.User
	edited, ended store.Revision
}

func (a account) encode() ([]byte, error) {
	return encode(userRecord{
		Object: a.Object, Alias: a.Alias, Username: a.Username, Email: a.Email, EmailVerified: a.EmailVerified,
		PasswordHash: a.PasswordHash, FirstName: a.FirstName, LastName: a.LastName, Avatar: a.Avatar,
		DisplayName: a.DisplayName, Bio: a.Bio, Role: a.Role, Active: a.Active, Closed: a.Closed,
		CreatedAt: toMillis(a.CreatedAt), UpdatedAt: toMillis(a.UpdatedAt), LastLogin: toMillis(a.LastLogin),
		Edited: a.edited, Ended: a.ended,
	})
}

func decodeAccount(id store.UserID, value []byte) (account, error) {
	var r userRecord
	if err := decode(value, &r); err != nil {
		return account{}, fmt.Errorf("account %d: %w", id, err)
	}
	return account{edited: r.Edited, ended: r.Ended, User: store.User{
		ID: id, Object: r.Object, Alias: r.Alias, Username: r.Username, Email: r.Email, EmailVerified: r.EmailVerified,
		PasswordHash: r.PasswordHash, FirstName: r.FirstName, LastName: r.LastName, Avatar: r.Avatar,
		DisplayName: r.DisplayName, Bio: r.Bio, Role: r.Role, Active: r.Active, Closed: r.Closed,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt), LastLogin: fromMillis(r.LastLogin),
	}}, nil
}

// Numbers in keys are big-endian, so that the order of bytes is the order of numbers.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func userKey(id store.UserID) []byte { return number(uint64(id)) }

func userOf(key []byte) store.UserID {
	if len(key) < 8 {
		return 0
	}
	return store.UserID(binary.BigEndian.Uint64(key))
}
