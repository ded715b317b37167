package live

import (
	"sync"
	"time"

	"github.com/hearthchat/hearth/server/chat"
	"github.com/hearthchat/hearth/store"
)

// Limits of sockets open at once.
const (
	MaxSocketsPerUser    = 200
	MaxSocketsPerAddress = 5000
)

// retrySockets is what the refused are told to wait.
const retrySockets = 5 * time.Second

// Registry counts the sockets that are open. The zero value is ready.
type Registry struct {
	mu     sync.Mutex
	users  map[store.UserID]int
	places map[string]int
}

// Admit counts a socket of a person at a network address until release is called, which
// may be done more than once. Above a limit it is ErrLimited and counts nothing.
func (r *Registry) Admit(user store.UserID, address string) (release func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users[user] >= MaxSocketsPerUser || r.places[address] >= MaxSocketsPerAddress {
		return nil, chat.TooMany(retrySockets)
	}
	if r.users == nil {
		r.users, r.places = map[store.UserID]int{}, map[string]int{}
	}
	r.users[user]++
	r.places[address]++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		countDown(r.users, user)
		countDown(r.places, address)
	}), nil
}

func countDown[K comparable](counts map[K]int, k K) {
	if counts[k]--; counts[k] <= 0 {
		delete(counts, k)
	}
}
