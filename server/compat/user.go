package compat

import (
	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// User is an account over HTTP as others see it: without its e-mail address.
type User struct {
	live.User
	IDAlias      store.ObjectID `json:"_id"`
	CreatedAlias live.Time      `json:"createdAt"`
	UpdatedAlias live.Time      `json:"updatedAt"`
}

// NewUser adds the aliases to an account.
func NewUser(u live.User) User {
	return User{User: u, IDAlias: u.ID, CreatedAlias: u.CreatedAt, UpdatedAlias: u.UpdatedAt}
}

// Account is an account with its e-mail address: one's own, or any for an administrator.
type Account struct {
	User
	Email *string `json:"email"` // null for none
}

// NewAccount adds the address to an account; "" is none.
func NewAccount(u User, email string) Account {
	a := Account{User: u}
	if email != "" {
		a.Email = &email
	}
	return a
}
