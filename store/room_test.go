package store

import (
	"errors"
	"strings"
	"testing"
)

func TestRoomIDValid(t *testing.T) {
	for id, want := range map[RoomID]bool{
		"lobby": true, "7f3e": true, "with space": true, "Ä#ü": true, RoomID(strings.Repeat("x", 50)): true,
		"": false, RoomID(strings.Repeat("x", 51)): false, RoomID(strings.Repeat("ä", 26)): false,
		"a/b": false, "a\x00": false, "a\n": false, "a\u0085": false, "\xff": false,
	} {
		if id.Valid() != want {
			t.Errorf("RoomID(%q).Valid() = %v, want %v", id, !want, want)
		}
	}
}

func TestCheckRoomName(t *testing.T) {
	for name, ok := range map[string]bool{
		"Lobby": true, "né 👍": true, strings.Repeat("ä", 100): true, strings.Repeat("ä", 101): false,
		"": false, "  ": false, "a\nb": false, "a\x00": false, "\xff": false, "\u0085": false,
	} {
		if err := CheckRoomName(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckRoomName(%q) = %v, want ok %v", name, err, ok)
		}
	}
}

func TestCheckText(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "äöü": true, "äöüß": false, "a\x00": false, "\xff": false, " \n ": true} {
		err := CheckText("bio", text, 3)
		var fault *Fault
		if (err == nil) != ok || err != nil && (!errors.As(err, &fault) || fault.Code != "invalid_bio") {
			t.Errorf("CheckText(%q) = %v, want ok %v", text, err, ok)
		}
	}
}

func TestVisibleTo(t *testing.T) {
	tests := []struct {
		kind   Kind
		role   Role
		member bool
		want   bool
	}{
		{KindOpen, RoleMember, false, true},
		{KindOpen, RoleAdmin, false, true},
		{KindOpen, RoleGuest, false, false},
		{KindOpen, RoleGuest, true, true},
		{KindClosed, RoleMember, false, false},
		{KindClosed, RoleAdmin, false, false},
		{KindClosed, RoleMember, true, true},
		{KindDirect, RoleAdmin, false, false},
		{KindDirect, RoleGuest, true, true},
	}
	for _, tt := range tests {
		if got := (Room{Kind: tt.kind}).VisibleTo(tt.role, tt.member); got != tt.want {
			t.Errorf("%s room visible to %s, member %v: %v, want %v", tt.kind, tt.role, tt.member, got, tt.want)
		}
	}
}

func TestOwns(t *testing.T) {
	for role, want := range map[RoomRole]bool{RoomOwner: true, RoomModerator: true, RoomMember: false, "": false} {
		if (Member{Role: role}).Owns() != want {
			t.Errorf("%q owns: %v, want %v", role, !want, want)
		}
	}
}

func TestLines(t *testing.T) {
	for got, want := range map[string]string{
		LineRenamed("Parlour"): "renamed the room to Parlour", LineAdded("ann"): "added ann", LineRemoved("ann"): "removed ann",
	} {
		if got != want {
			t.Errorf("line = %q, want %q", got, want)
		}
	}
}
