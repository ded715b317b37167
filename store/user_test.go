package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCheckUsername(t *testing.T) {
	tests := []struct {
		name, username string
		ok             bool
	}{
		{"three letters", "ann", true},
		{"two letters", "an", false},
		{"thirty letters", strings.Repeat("a", 30), true},
		{"thirty-one letters", strings.Repeat("a", 31), false},
		{"digits and underscores at the ends", "_7_", true},
		{"dots and hyphens inside", "a.b-c", true},
		{"a dot in front", ".ann", false},
		{"a hyphen at the end", "ann-", false},
		{"empty", "", false},
		{"a space inside", "an n", false},
		{"a line end", "ann\n", false},
		{"not ASCII", "änn", false},
		{"a letter that folds to ASCII", "\u212aelvin", false},
		{"an at sign", "ann@home", false},
		{"me", "me", false},
		{"reserved", "system", false},
		{"reserved in another case", "EveryOne", false},
		{"reserved with more", "system1", true},
		{"of a closed account", "deleted-7", false},
		{"of a closed account in another case", "DELETED-x", false},
		{"like that of a closed account", "deleted7", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckUsername(tt.username)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("CheckUsername(%q) = %v, want ok %v", tt.username, err, tt.ok)
			}
		})
	}
}

func TestCheckEmail(t *testing.T) {
	tests := []struct {
		address string
		ok      bool
	}{
		{"ann@example.org", true},
		{"Ann.Smith+chat@sub.example.org", true},
		{"ann@localhost", true},
		{"änn@exämple.org", true},
		{strings.Repeat("a", 64) + "@" + strings.Repeat("b", 189), true},
		{strings.Repeat("a", 65) + "@example.org", false},
		{strings.Repeat("ä", 64) + "@" + strings.Repeat("ö", 100), false},
		{"", false},
		{"ann", false},
		{"@example.org", false},
		{"ann@", false},
		{"a@b@c", false},
		{"ann smith@example.org", false},
		{"ann@example.org\n", false},
		{"ann@exam\x00ple.org", false},
		{"ann@exam\xffple.org", false},
		{"<ann@example.org>", false},
		{"ann@example.org,bob@example.org", false},
	}
	for _, tt := range tests {
		if err := CheckEmail(tt.address); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckEmail(%q) = %v, want ok %v", tt.address, err, tt.ok)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	tests := []struct {
		password string
		ok       bool
	}{
		{"password123", true},
		{"12345678", true},
		{"1234567", false},
		{strings.Repeat("x", 72), true},
		{strings.Repeat("x", 73), false},
		{strings.Repeat("ä", 36), true},
		{strings.Repeat("ä", 37), false},
		{"12345678\x00", false},
		{"12345678\xff", false},
		{"        ", true},
	}
	for _, tt := range tests {
		err := CheckPassword("newPassword", tt.password)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckPassword(%q) = %v, want ok %v", tt.password, err, tt.ok)
		}
		if err != nil && !strings.Contains(err.Error(), "newPassword") {
			t.Errorf("CheckPassword(%q) = %v, want the field named", tt.password, err)
		}
	}
}

func TestObjectID(t *testing.T) {
	created := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	o := NewObjectID(created, [4]byte{0xca, 0xfe, 0, 1}, 258)
	if want := fmt.Sprintf("%08xcafe000100000102", created.Unix()); o.String() != want {
		t.Errorf("NewObjectID = %s, want %s", o, want)
	}
	for _, s := range []string{o.String(), strings.ToUpper(o.String())} {
		if parsed, ok := ParseObjectID(s); !ok || parsed != o {
			t.Errorf("ParseObjectID(%q) = %s, %v", s, parsed, ok)
		}
	}
	for _, s := range []string{"", "12", o.String() + "0", "g" + o.String()[1:], " " + o.String()[1:]} {
		if parsed, ok := ParseObjectID(s); ok {
			t.Errorf("ParseObjectID(%q) = %s, want none", s, parsed)
		}
	}
	var read ObjectID
	text, err := o.MarshalText()
	if err != nil || read.UnmarshalText(text) != nil || read != o {
		t.Errorf("read back %s, want %s", read, o)
	}
	if err := read.UnmarshalText([]byte("x")); !errors.Is(err, ErrInvalid) || read != o {
		t.Errorf("UnmarshalText(x) = %v and left %s", err, read)
	}
	if tag := (Settings{ID: o}).Tag(); tag != [4]byte{0xca, 0xfe, 0, 1} {
		t.Errorf("Tag() = %x", tag)
	}
}

func TestUserState(t *testing.T) {
	tests := []struct {
		name           string
		user           User
		signsIn, admin bool
	}{
		{"an active account with a password", User{Active: true, PasswordHash: "x", Role: RoleMember}, true, false},
		{"an administrator", User{Active: true, PasswordHash: "x", Role: RoleAdmin}, true, true},
		{"an imported administrator", User{Active: true, Role: RoleAdmin}, false, true},
		{"a deactivated administrator", User{PasswordHash: "x", Role: RoleAdmin}, false, false},
		{"a closed one that says it is active", User{Active: true, Closed: true, PasswordHash: "x", Role: RoleAdmin}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, b := tt.user.CanSignIn(), tt.user.IsAdmin(); a != tt.signsIn || b != tt.admin {
				t.Errorf("CanSignIn, IsAdmin = %v, %v, want %v, %v", a, b, tt.signsIn, tt.admin)
			}
		})
	}
}

func TestCloseUser(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	u := User{
		ID: 7, Object: ObjectID{1}, Alias: "irc:ann", Username: "ann", Email: "ann@example.org", EmailVerified: true, PasswordHash: "x", FirstName: "A",
		LastName: "S", Avatar: "a", DisplayName: "d", Bio: "b", Role: RoleAdmin, Active: true, CreatedAt: created, UpdatedAt: created, LastLogin: created,
	}
	u.Close()
	want := User{ID: 7, Object: ObjectID{1}, Username: "deleted-7", Role: RoleMember, Closed: true, CreatedAt: created, UpdatedAt: created}
	if u != want {
		t.Errorf("closed account = %+v, want %+v", u, want)
	}
	if CheckUsername(u.Username) == nil {
		t.Errorf("somebody could take the name %s", u.Username)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{{"ann", "Ann", "ANN"}, {"ärger", "ÄRGER"}, {"σ", "ς", "Σ"}, {"k", "K", "\u212a"}, {"s", "ſ"}} {
		for _, s := range same[1:] {
			if Fold(s) != Fold(same[0]) {
				t.Errorf("Fold(%q) = %q, Fold(%q) = %q, want the same", s, Fold(s), same[0], Fold(same[0]))
			}
		}
	}
	if Fold("ann") == Fold("anna") {
		t.Error("different names fold to the same")
	}
}

func TestRoleValid(t *testing.T) {
	for role, want := range map[Role]bool{RoleAdmin: true, RoleMember: true, RoleGuest: true, "": false, "Admin": false, "owner": false} {
		if role.Valid() != want {
			t.Errorf("Role(%q).Valid() = %v", role, !want)
		}
	}
}
