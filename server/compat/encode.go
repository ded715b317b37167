package compat

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// A page of history is most of what clients ask for, and encoding/json takes half of the
// time it costs. So messages are written by hand; the tags of the structs stay what counts,
// and a test holds the two to each other.

// AppendJSON appends what encoding/json would make of m, but for HTML's characters, which
// stay as they are.
func (m *Message) AppendJSON(b []byte) []byte {
	b = appendID(append(b, `{"id":`...), m.ID)
	b = strconv.AppendUint(append(b, `,"seq":`...), uint64(m.Seq), 10)
	b = appendText(append(b, `,"room_id":`...), string(m.RoomID))
	b = strconv.AppendInt(append(b, `,"user_id":`...), int64(m.UserID), 10)
	b = appendText(append(b, `,"username":`...), m.Username)
	b = appendText(append(b, `,"content":`...), m.Content)
	b = appendText(append(b, `,"message_type":`...), string(m.MessageType))
	b = appendID(append(b, `,"parent_id":`...), m.ParentID)
	b = appendID(append(b, `,"root_id":`...), m.RootID)
	b = appendTime(append(b, `,"created_at":`...), m.CreatedAt)
	b = appendTime(append(b, `,"edited_at":`...), m.EditedAt)
	b = strconv.AppendBool(append(b, `,"deleted":`...), m.Deleted)
	b = appendReactions(append(b, `,"reactions":`...), m.Reactions)
	b = strconv.AppendInt(append(b, `,"reply_count":`...), int64(m.ReplyCount), 10)
	b = appendUsers(append(b, `,"attachments":[],"mentions":`...), m.Mentions)
	b = strconv.AppendBool(append(b, `,"mention_room":`...), m.MentionRoom)
	b = append(b, `,"client_id":`...)
	if m.ClientID == nil {
		b = append(b, "null"...)
	} else {
		b = appendText(b, *m.ClientID)
	}
	b = appendText(append(b, `,"roomId":`...), string(m.RoomAlias))
	b = appendObject(append(b, `,"userId":`...), m.UserAlias)
	b = appendTime(append(b, `,"createdAt":`...), m.CreatedAlias)
	b = appendText(append(b, `,"messageType":`...), string(m.TypeAlias))
	b = appendID(append(b, `,"parentId":`...), m.ParentAlias)
	b = appendObject(append(b, `,"sender_id":`...), m.SenderID)
	b = appendText(append(b, `,"sender_name":`...), m.SenderName)
	b = appendTime(append(b, `,"timestamp":`...), m.Timestamp)
	return append(appendText(append(b, `,"type":`...), string(m.Type)), '}')
}

// AppendJSON appends a posted message, as Message.AppendJSON does.
func (p *Posted) AppendJSON(b []byte) []byte {
	b = p.Message.AppendJSON(b)
	return append(appendID(append(b[:len(b)-1], `,"message_id":`...), p.MessageID), '}')
}

// AppendMessages appends an array of messages.
func AppendMessages(b []byte, page []Message) []byte {
	b = append(b, '[')
	for i := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = page[i].AppendJSON(b)
	}
	return append(b, ']')
}

func appendID(b []byte, id live.ID) []byte {
	if store.MessageID(id).IsZero() {
		return append(b, "null"...)
	}
	b = hex.AppendEncode(append(b, '"'), id[0:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	return append(hex.AppendEncode(append(b, '-'), id[10:]), '"')
}

func appendObject(b []byte, id store.ObjectID) []byte {
	return append(hex.AppendEncode(append(b, '"'), id[:]), '"')
}

func appendTime(b []byte, t live.Time) []byte {
	return t.AppendJSON(b)
}

func appendUsers(b []byte, ids []store.UserID) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return append(b, ']')
}

func appendReactions(b []byte, reactions live.Reactions) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(reactions)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUsers(append(appendText(b, name), ':'), reactions[name])
	}
	return append(b, '}')
}

// appendText appends a string in quotes. Beyond what JSON asks for it escapes the two line
// ends that old JavaScript trips over, and it writes U+FFFD for what is no UTF-8.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
				b = appendEscaped(append(b, text[start:i]...), c)
				start = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, text[start:i]...)
			b = append(b, `\u`...)
			b = hex.AppendEncode(b, []byte{byte(r >> 8), byte(r)})
			start = i + size
		}
		i += size
	}
	return append(append(b, text[start:]...), '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return hex.AppendEncode(append(b, `\u00`...), []byte{c})
}
