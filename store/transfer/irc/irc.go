// Package irc reads logs of IRC channels in JSON lines: one object a line, plain or
// compressed with gzip.
//
//	{"id": "d.7", "ts": "2004-12-25T09:14:00Z", "room": "ubuntu", "kind": "message", "nick": "ann", "text": "hi", "reply_to": "d.3"}
//
// kind is message, action, join, leave or rename, whose text is the new nick. reply_to
// may be missing. Nicks that differ only in case are one person.
package irc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode"

	"github.com/hearthchat/hearth/store"
	"github.com/hearthchat/hearth/store/transfer"
)

const (
	maxLine = 1 << 20 // bytes
	maxNick = 100     // code points
	maxID   = 200     // bytes
)

var kinds = map[string]transfer.Kind{
	"message": transfer.Said, "action": transfer.Acted,
	"join": transfer.Joined, "leave": transfer.Left, "rename": transfer.Renamed,
}

// Read yields the lines of r in order; empty ones are passed over. A line that cannot be
// read is yielded once, as a *transfer.BadLine, and ends the reading, as do errors of r.
func Read(r io.Reader) iter.Seq2[transfer.Line, error] {
	return func(yield func(transfer.Line, error) bool) {
		in, err := open(r)
		if err != nil {
			yield(transfer.Line{}, err)
			return
		}
		for n := 1; ; n++ {
			text, err := readLine(in)
			if err == io.EOF && len(text) == 0 {
				return
			}
			var l transfer.Line
			if err == nil || err == io.EOF {
				text = bytes.TrimSpace(text)
				if len(text) == 0 {
					continue
				}
				l, err = parse(n, text)
			} else {
				err = explain(n, err)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// open unpacks r if it is compressed, and passes over a byte order mark.
func open(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the file: %w", err)
		}
		in = bufio.NewReaderSize(unpacked, 64<<10)
	}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3) // just looked at
	}
	return in, nil
}

var errTooLong = errors.New("longer than a line may be")

// readLine returns the next line, valid until the next call; the last one comes with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	whole := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if line, err = in.ReadSlice('\n'); len(whole)+len(line) > maxLine {
			return nil, errTooLong
		}
		whole = append(whole, line...)
	}
	return whole, err
}

// explain says in words what ended the reading at a line.
func explain(n int, err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return &transfer.BadLine{Number: n, Reason: "longer than 1 MiB; this is no file of JSON lines"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &transfer.BadLine{Number: n, Reason: "the compressed file ends too early; it was not copied whole"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &transfer.BadLine{Number: n, Reason: "the compressed file is damaged"}
	}
	return fmt.Errorf("read line %d: %w", n, err)
}

// parse reads one line. JSON that is not valid Unicode comes out with U+FFFD in it, and
// NUL, which no message may hold, is turned into the same.
func parse(n int, text []byte) (transfer.Line, error) {
	bad := func(reason string) (transfer.Line, error) {
		return transfer.Line{}, &transfer.BadLine{Number: n, Reason: reason}
	}
	var in struct {
		ID      string `json:"id"`
		TS      string `json:"ts"`
		Room    string `json:"room"`
		Kind    string `json:"kind"`
		Nick    string `json:"nick"`
		Text    string `json:"text"`
		ReplyTo string `json:"reply_to"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return bad(fmt.Sprintf("%s must be text in quotes, not %s", wrong.Field, wrong.Value))
		}
		return bad("not a JSON object: " + err.Error())
	}
	for _, field := range []*string{&in.ID, &in.Room, &in.Nick, &in.Text, &in.ReplyTo} {
		*field = strings.ReplaceAll(*field, "\x00", "\ufffd")
	}
	at, err := time.Parse(time.RFC3339Nano, in.TS)
	kind, known := kinds[in.Kind]
	switch {
	case in.ID == "" || len(in.ID) > maxID || len(in.ReplyTo) > maxID:
		return bad(fmt.Sprintf("id and reply_to must have 1 to %d bytes", maxID))
	case err != nil:
		return bad(fmt.Sprintf("ts must be a time such as 2004-12-25T09:14:00Z, not %q", clip(in.TS)))
	case !known:
		return bad(fmt.Sprintf("kind must be message, action, join, leave or rename, not %q", clip(in.Kind)))
	case store.CheckRoomName(in.Room) != nil:
		return bad("room must have 1 to 100 characters, none of them a control character")
	case !validNick(in.Nick):
		return bad(fmt.Sprintf("nick must have 1 to %d characters", maxNick))
	case kind == transfer.Renamed && !validNick(in.Text):
		return bad(fmt.Sprintf("text of a rename is the new nick and must have 1 to %d characters", maxNick))
	}
	return transfer.Line{
		Number: n, ID: in.ID, Kind: kind, Text: in.Text, ReplyTo: in.ReplyTo, At: at,
		Room:   transfer.Room{Source: "irc:" + in.Room, Name: in.Room},
		Person: transfer.Person{Alias: "irc:" + store.Fold(in.Nick), Name: in.Nick},
	}, nil
}

func validNick(nick string) bool {
	return strings.ContainsFunc(nick, func(r rune) bool { return !unicode.IsSpace(r) }) && store.CheckText("nick", nick, maxNick) == nil
}

// clip keeps a message about a wrong value readable.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
