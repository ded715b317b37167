package bolt

import (
	"sync"

	"github.com/hearthchat/hearth/store"
)

// maxCached is how many accounts are kept decoded, about 6 MB: the name of its author is
// looked up for every message that is read.
const maxCached = 10_000

// cache keeps accounts as they are on disk. Nothing is added while anything is being
// written, so that what a writer drops cannot come back before its commit is seen.
type cache struct {
	mu      sync.RWMutex
	users   map[store.UserID]store.User
	writing int
	writes  uint64 // begun and ended so far
}

func newCache() *cache { return &cache{users: make(map[store.UserID]store.User)} }

// get returns a cached account, or else what add wants to know.
func (c *cache) get(id store.UserID) (u store.User, ok bool, writes uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	u, ok = c.users[id]
	return u, ok, c.writes
}

// add keeps an account that was read after get said writes, unless it may have changed since.
func (c *cache) add(u store.User, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing > 0 || c.writes != writes {
		return
	}
	if len(c.users) >= maxCached {
		for id := range c.users { // any one will do
			delete(c.users, id)
			break
		}
	}
	c.users[u.ID] = u
}

// begin and end surround a write; drop, in between, forgets an account that it changes.
func (c *cache) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing++
	c.writes++
}

func (c *cache) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing--
	c.writes++
}

func (c *cache) drop(id store.UserID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, id)
}
