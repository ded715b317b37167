package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/store"
)

// office is a data folder with people who are signed in.
type office struct {
	folder string
	people []person
	rooms  []store.RoomID // of the rooms that were asked for
}

type person struct {
	id    store.UserID
	token string // valid for longer than any run takes
}

// tokenLife is how long the tokens of an office are good for.
const tokenLife = 12 * time.Hour

// office makes a data folder with rooms of the people with the given numbers.
func (b *bench) office(ctx context.Context, rooms ...[]int) (*office, error) {
	o := &office{folder: b.folder()}
	s, err := b.Open(ctx, o.folder)
	if err != nil {
		return nil, err
	}
	if o.people, err = hire(ctx, s, o.folder, b.accounts); err == nil {
		for i, members := range rooms {
			var id store.RoomID
			if id, err = o.openRoom(ctx, s, fmt.Sprintf("Room %d", i+1), members); err != nil {
				break
			}
			o.rooms = append(o.rooms, id)
		}
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, fmt.Errorf("prepare data: %w", err)
	}
	return o, nil
}

// some returns the numbers from first on.
func some(first, n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = first + i
	}
	return numbers
}

func (o *office) openRoom(ctx context.Context, s *Stores, name string, members []int) (store.RoomID, error) {
	all := make([]store.Member, len(members))
	for i, n := range members {
		all[i] = store.Member{User: o.people[n].id, Role: store.RoomMember}
	}
	all[0].Role = store.RoomOwner
	r, err := s.Rooms.CreateRoom(ctx, store.Room{Kind: store.KindOpen, Name: name, Creator: all[0].User}, all)
	return r.ID, err
}

// hire makes accounts and signs them in, without the work that a password makes on purpose.
func hire(ctx context.Context, s *Stores, folder string, n int) ([]person, error) {
	newcomers := make([]store.User, n)
	for i := range newcomers {
		newcomers[i] = store.User{
			Alias: fmt.Sprint("bench:", i), Username: fmt.Sprintf("person%04d", i), Role: store.RoleMember, Active: true, CreatedAt: store.Truncate(time.Now()),
		}
	}
	users, _, err := s.People.ImportUsers(ctx, newcomers)
	if err != nil {
		return nil, err
	}
	workspace, err := s.People.Settings(ctx)
	if err != nil {
		return nil, err
	}
	keys, _, err := auth.OpenKeys(folder, workspace.ID, auth.KeyOptions{TTL: tokenLife})
	if err != nil {
		return nil, err
	}
	people := make([]person, n)
	err = each(n, 256, func(i int) error {
		var secret [48]byte
		_, _ = rand.Read(secret[:]) // never fails
		now := store.Truncate(time.Now())
		session := store.Session{ID: store.SessionID(hex.EncodeToString(secret[:16])), User: users[i].ID, CreatedAt: now, ExpiresAt: now.Add(tokenLife)}
		if err := s.People.OpenSession(ctx, session, sha256.Sum256(secret[16:])); err != nil {
			return err
		}
		token, err := keys.Issue(users[i], session.ID)
		people[i] = person{users[i].ID, token}
		return err
	})
	return people, err
}

// line returns the i-th thing that somebody says, in JSON.
func (b *bench) line(i int) []byte {
	text, _ := json.Marshal(b.Lines[i%len(b.Lines)]) // a string can be encoded
	return text
}

// serving runs what is to be measured on a server of its own.
func (b *bench) serving(ctx context.Context, o *office, measure func(s *server) error) error {
	s, err := b.start(ctx, o.folder, "")
	if err != nil {
		return err
	}
	if err := measure(s); err != nil {
		return errors.Join(err, s.kill(), s.lastWords())
	}
	return s.stop()
}

// roomSocket opens the socket of one room. newest is the newest message in it.
func (o *office) roomSocket(s *server, n int, room store.RoomID) (ws *socket, newest uint64, err error) {
	ws, hello, err := open(s.address, "/api/chat/ws/"+string(room), o.people[n].token)
	if err != nil {
		return nil, 0, err
	}
	newest, ok := number(hello, `"head_seq":`)
	if !ok {
		return nil, 0, errors.Join(fmt.Errorf("a hello without head_seq: %s", hello), ws.Close())
	}
	return ws, newest, nil
}

// head asks for the place of a room's newest message.
func (o *office) head(s *server, room store.RoomID) (uint64, error) {
	c, err := dial(s.address, o.people[0].token)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }() // only read from
	status, answer, err := c.do("GET", "/api/chat/rooms/"+string(room), "", nil)
	if err != nil {
		return 0, err
	}
	head, ok := number(answer, `"head_seq":`)
	if status != 200 || !ok {
		return 0, fmt.Errorf("the room: %d %s", status, answer)
	}
	return head, nil
}
