package compat

import (
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// Message is a message over HTTP, with the names documented clients read.
type Message struct {
	live.Message
	RoomAlias    store.RoomID      `json:"roomId"`
	UserAlias    store.ObjectID    `json:"userId"`
	CreatedAlias live.Time         `json:"createdAt"`
	TypeAlias    store.MessageType `json:"messageType"`
	ParentAlias  live.ID           `json:"parentId"`
	SenderID     store.ObjectID    `json:"sender_id"`
	SenderName   string            `json:"sender_name"`
	Timestamp    live.Time         `json:"timestamp"`
	Type         store.MessageType `json:"type"`
}

// NewMessage adds the aliases to a message. author is its author's other name.
func NewMessage(m live.Message, author store.ObjectID) Message {
	return Message{
		Message: m, RoomAlias: m.RoomID, UserAlias: author, CreatedAlias: m.CreatedAt, TypeAlias: m.MessageType,
		ParentAlias: m.ParentID, SenderID: author, SenderName: m.Username, Timestamp: m.CreatedAt, Type: m.MessageType,
	}
}

// Posted is a message that was posted by room_id.
type Posted struct {
	Message
	MessageID live.ID `json:"message_id"`
}

// NewPosted adds the name under which the message service told the id.
func NewPosted(m Message) Posted { return Posted{Message: m, MessageID: m.ID} }
