package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hearthchat/hearth/store"
)

// name stands for a line of a room wherever it is looked up: a digest, because a file has
// hundreds of thousands and their texts would fill the memory.
type name [16]byte

// nameOf names one part of a line; the first part is 0.
func nameOf(room Room, id string, part int) name {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", room.Source, id, part))
	return name(sum[:])
}

// messageID is laid out as a UUIDv7: 48 bits of time, the rest from the line's name. The
// same line has the same id in every run, which is what makes runs repeatable.
func messageID(at time.Time, n name) store.MessageID {
	var id store.MessageID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	copy(id[6:], n[:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// seen is what later lines need to know of an earlier one.
type seen struct {
	at     int64 // milliseconds
	line   uint32
	counts bool // it became a message of a person
}

// sorter decides what becomes of each line, counting.
type sorter struct {
	report Report
	lines  map[name]seen
	people map[string]bool // by alias
	rooms  map[string]bool // by source
}

func newSorter() *sorter {
	return &sorter{lines: make(map[name]seen), people: make(map[string]bool), rooms: make(map[string]bool)}
}

// sort returns the messages that a line becomes, without Room and Author: none, one, or
// several when the text is too long for one.
func (s *sorter) sort(l Line) ([]store.Message, error) {
	s.report.Lines++
	at := store.Truncate(l.At)
	if year := at.Year(); year < 1970 || year > 9999 {
		return nil, &BadLine{l.Number, "the time must lie between the years 1970 and 9999"}
	}
	n := nameOf(l.Room, l.ID, 0)
	if first, ok := s.lines[n]; ok {
		return nil, &BadLine{l.Number, fmt.Sprintf("the id %q stands on line %d too", l.ID, first.line)}
	}
	if !s.people[l.Person.Alias] {
		s.people[l.Person.Alias] = true
		s.report.People++
	}
	if !s.rooms[l.Room.Source] {
		s.rooms[l.Room.Source] = true
		s.report.Rooms++
	}
	kind, texts := s.content(l)
	counts := kind == store.TypeText && len(texts) > 0
	parent := s.parent(l, counts)
	s.lines[n] = seen{at: at.UnixMilli(), line: uint32(l.Number), counts: counts}

	messages := make([]store.Message, len(texts))
	for i, text := range texts {
		messages[i] = store.Message{ID: messageID(at, nameOf(l.Room, l.ID, i)), Type: kind, Content: text, At: at}
	}
	if len(messages) > 0 {
		messages[0].Parent = parent
	}
	return messages, nil
}

// content counts a line by its kind and returns the text of each message it becomes.
func (s *sorter) content(l Line) (store.MessageType, []string) {
	switch l.Kind {
	case Joined:
		s.report.Joins++
		return store.TypeSystem, []string{store.LineJoined}
	case Left:
		s.report.Leaves++
		return store.TypeSystem, []string{store.LineLeft}
	case Renamed:
		s.report.Renames++
		return store.TypeSystem, []string{"is now known as " + l.Text}
	}
	text, mark := strings.TrimSpace(l.Text), ""
	if text == "" {
		s.report.Empty++
		return store.TypeText, nil
	}
	if l.Kind == Acted {
		s.report.Actions++
		mark = "*"
	} else {
		s.report.Messages++
	}
	var texts []string
	for text != "" {
		part := text[:cut(text, store.MaxContent-2*len(mark))]
		text = strings.TrimSpace(text[len(part):])
		texts = append(texts, mark+strings.TrimSpace(part)+mark)
	}
	s.report.Parts += len(texts) - 1
	return store.TypeText, texts
}

// cut returns how many bytes the first max code points of text take.
func cut(text string, max int) int {
	if len(text) <= max {
		return len(text)
	}
	at := 0
	for range max {
		_, size := utf8.DecodeRuneInString(text[at:])
		if at += size; at == len(text) {
			break
		}
	}
	return at
}

// parent returns the message that a line answers, zero for none, and counts why.
func (s *sorter) parent(l Line, counts bool) store.MessageID {
	if l.ReplyTo == "" {
		return store.MessageID{}
	}
	s.report.Annotated++
	n := nameOf(l.Room, l.ReplyTo, 0)
	target, ok := s.lines[n]
	switch {
	case !counts:
		s.report.OnNoMessage++
	case !ok:
		s.report.Missing++
	case !target.counts:
		s.report.NoMessage++
	default:
		s.report.Replies++
		return messageID(time.UnixMilli(target.at), n)
	}
	return store.MessageID{}
}
