// Package transfer brings conversations from elsewhere into a workspace, through the store
// interfaces alone. Each format is read by a package of its own beneath this one, which
// yields Lines; what becomes of a Line is decided here, once for all formats.
package transfer

import (
	"fmt"
	"time"

	"github.com/hearthchat/hearth/store"
)

// Kind is what a Line tells.
type Kind uint8

// The kinds of line.
const (
	Said    Kind = iota + 1 // becomes a message
	Acted                   // "/me waves": becomes a message in italics
	Joined                  // becomes a system line, as do the next two
	Left                    //
	Renamed                 // Text is the new name
)

// Room is where a Line was said.
type Room struct {
	Source string // "irc:ubuntu": kept with the room, so that it is found again
	Name   string
}

// Person is who said a Line. People with the same Alias are one; the first Name counts.
type Person struct {
	Alias string // "irc:crimsun", kept with the account
	Name  string // 1 to 100 characters
}

// Line is one thing that happened in a room, in the order of the log it comes from.
type Line struct {
	Number  int    // where it stands in its file, from 1
	ID      string // unique in its room; the same in every run
	Room    Room
	Person  Person
	Kind    Kind
	Text    string // valid UTF-8 without NUL
	ReplyTo string // ID of an earlier line of the room; empty: none
	At      time.Time
}

// BadLine is a line that cannot be read or used. It wraps store.ErrInvalid.
type BadLine struct {
	Number int
	Reason string
}

func (e *BadLine) Error() string { return fmt.Sprintf("line %d: %s", e.Number, e.Reason) }

func (e *BadLine) Unwrap() error { return store.ErrInvalid }

// Report counts what became of the lines. All but the last three depend on the lines alone.
type Report struct {
	Lines    int `json:"lines"`
	Messages int `json:"messages"` // Said, with something in them
	Actions  int `json:"actions"`  // Acted, with something in them
	Empty    int `json:"empty"`    // Said or Acted, nothing but white space: skipped
	Joins    int `json:"joins"`
	Leaves   int `json:"leaves"`
	Renames  int `json:"renames"`
	Parts    int `json:"parts"` // further messages of texts over store.MaxContent code points
	People   int `json:"people"`
	Rooms    int `json:"rooms"`

	Annotated   int `json:"annotated"`     // lines with ReplyTo; the sum of the next four
	Replies     int `json:"replies"`       // became replies
	Missing     int `json:"missing"`       // no earlier line of the room is their target: plain messages
	NoMessage   int `json:"no_message"`    // their target became no message: plain messages
	OnNoMessage int `json:"on_no_message"` // the line itself became no message

	AddedMessages int `json:"added_messages"` // stored by this run, system lines included
	AddedPeople   int `json:"added_people"`   // accounts made by this run
	AddedRooms    int `json:"added_rooms"`
}

// Stored is how many messages the lines amount to, system lines included.
func (r Report) Stored() int {
	return r.Messages + r.Actions + r.Parts + r.Joins + r.Leaves + r.Renames
}
