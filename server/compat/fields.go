package compat

import "encoding/json"

// aliases are the names documented clients may send, and what each is called here.
var aliases = map[string]string{
	"clientId":     "client_id",
	"invitedUsers": "invited_users",
	"isPrivate":    "is_private",
	"isTyping":     "is_typing",
	"messageId":    "message_id",
	"messageType":  "message_type",
	"parentId":     "parent_id",
	"roomId":       "room_id",
	"userIds":      "user_ids",
	"upTo":         "up_to",
}

// Canonical gives the fields of a request the names they have here, in place. A field
// that was sent under both names keeps what stands under ours.
func Canonical(fields map[string]json.RawMessage) map[string]json.RawMessage {
	for alias, name := range aliases {
		value, ok := fields[alias]
		if !ok {
			continue
		}
		if ours, ok := fields[name]; !ok || string(ours) == "null" {
			fields[name] = value
		}
		delete(fields, alias)
	}
	return fields
}
