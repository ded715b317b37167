package server

import (
	"encoding/json"
	"mime"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/store"
)

// maxDepth is how deep objects and arrays of a body may be nested.
const maxDepth = 64

// body is a JSON object that a client sent. Its methods look at one field each; null
// counts as absent and fields nobody asks for are ignored. The first thing wrong stays in
// err, so a handler asks for everything it wants and then looks once.
type body struct {
	fields map[string]json.RawMessage
	within string // what the object is called, before the names of its fields
	err    error
}

// decode reads the body of a request, which must be a JSON object.
func decode(c *fiber.Ctx) *body {
	if len(c.Body()) == 0 {
		return &body{err: store.Invalid("body", "must be a JSON object")}
	}
	return decodeOptional(c)
}

// decodeOptional is decode for requests that need no body: an empty one has no fields.
func decodeOptional(c *fiber.Ctx) *body {
	raw := c.Body()
	if len(raw) == 0 {
		return &body{}
	}
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationJSON || len(c.Request().Header.ContentEncoding()) > 0 {
		return &body{err: fiber.ErrUnsupportedMediaType}
	}
	return parseBody(raw)
}

// parseBody reads a JSON object. What it returns holds no part of raw.
func parseBody(raw []byte) *body {
	if err := checkJSON(raw); err != nil {
		return &body{err: err}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return &body{err: store.Invalid("body", "must be one well-formed JSON object")}
	}
	return &body{fields: compat.Canonical(fields)}
}

// checkJSON looks at what encoding/json would let pass or repair without a word: text
// that is no UTF-8, lone surrogates, and deep nesting.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return store.Invalid("body", "must be valid UTF-8")
	}
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '"':
			quoted = !quoted
		case quoted && b == '\\':
			n, ok := escape(raw[i:])
			if !ok {
				return store.Invalid("body", "must not contain a lone surrogate")
			}
			i += n - 1
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return store.Invalid("body", "must not be nested deeper than 64 levels")
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}

// escape returns the length of the escape sequence that text begins with; ok is false
// when it is half of a surrogate pair. Malformed ones are left to the decoder.
func escape(text []byte) (n int, ok bool) {
	r, is := hex16(text)
	switch {
	case !is:
		return 2, true
	case r >= 0xDC00 && r <= 0xDFFF:
		return 6, false
	case r < 0xD800 || r > 0xDBFF:
		return 6, true
	}
	low, is := hex16(text[6:])
	return 12, is && low >= 0xDC00 && low <= 0xDFFF
}

// hex16 reads \uXXXX.
func hex16(text []byte) (uint16, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return uint16(n), err == nil
}

// field returns what was sent under a name; ok is false for nothing and for null.
func (b *body) field(name string) (raw json.RawMessage, ok bool) {
	raw, ok = b.fields[name]
	return raw, ok && string(raw) != "null" && b.err == nil
}

func (b *body) wrong(name, rule string) {
	if b.err == nil {
		b.err = store.Invalid(b.within+name, rule)
	}
}

// text returns a string; nil when it is absent.
func (b *body) text(name string) *string {
	raw, ok := b.field(name)
	if !ok {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		b.wrong(name, "must be a string")
	}
	return &text
}

// string returns a string; "" when it is absent.
func (b *body) string(name string) string {
	if text := b.text(name); text != nil {
		return *text
	}
	return ""
}

// flag returns a boolean; nil when it is absent.
func (b *body) flag(name string) *bool {
	raw, ok := b.field(name)
	if !ok {
		return nil
	}
	var on bool
	if json.Unmarshal(raw, &on) != nil {
		b.wrong(name, "must be true or false")
	}
	return &on
}

// bool returns a boolean; false when it is absent.
func (b *body) bool(name string) bool {
	on := b.flag(name)
	return on != nil && *on
}

// required is bool for fields that must be there.
func (b *body) required(name string) bool {
	on := b.flag(name)
	if on == nil {
		b.wrong(name, "must be true or false")
	}
	return on != nil && *on
}

// list returns the items of an array; nil when it is absent.
func (b *body) list(name string) []json.RawMessage {
	raw, ok := b.field(name)
	if !ok {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		b.wrong(name, "must be an array")
	}
	return slices.Clip(items)
}

// object returns an object within; one without fields when it is absent. What is wrong in
// it has to be taken over with merge.
func (b *body) object(name string) *body {
	raw, ok := b.field(name)
	if !ok {
		return &body{}
	}
	inner := &body{within: name + "."}
	if json.Unmarshal(raw, &inner.fields) != nil {
		b.wrong(name, "must be an object")
	}
	return inner
}

// merge takes over what is wrong in an object within.
func (b *body) merge(inner *body) {
	if b.err == nil {
		b.err = inner.err
	}
}

// message returns the id of a message; zero when it is absent.
func (b *body) message(name string) store.MessageID {
	text := b.text(name)
	if text == nil {
		return store.MessageID{}
	}
	id, ok := store.ParseMessageID(*text)
	if !ok || id.IsZero() {
		b.wrong(name, "must be the id of a message, a UUID")
	}
	return id
}

// room returns the id of a room; "" when it is absent.
func (b *body) room(name string) store.RoomID {
	text := b.text(name)
	if text == nil {
		return ""
	}
	id := store.RoomID(*text)
	if !id.Valid() {
		b.wrong(name, "must be the id of a room, 1 to 50 bytes")
	}
	return id
}
