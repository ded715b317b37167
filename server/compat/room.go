package compat

import (
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// Room is a room over HTTP, as the caller sees it.
type Room struct {
	live.Room
	CreatorAlias *store.ObjectID `json:"creatorId"` // null when nobody made it
	PrivateAlias bool            `json:"isPrivate"`
	CreatedAlias live.Time       `json:"createdAt"`
	MembersAlias int             `json:"memberCount"`
}

// NewRoom adds the aliases to a room. creator is its creator's other name, nil if nobody made it.
func NewRoom(r live.Room, creator *store.ObjectID) Room {
	return Room{Room: r, CreatorAlias: creator, PrivateAlias: r.IsPrivate, CreatedAlias: r.CreatedAt, MembersAlias: r.MemberCount}
}
