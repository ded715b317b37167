package server_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/hearthchat/hearth/server/mail/mailtest"
	"github.com/hearthchat/hearth/store"
)

// stage has somebody for every word of the who column. Olga owns the rooms, Mia is a
// member of them and wrote the messages, Nils is another member, Gil a guest who was given
// them, Otto has an account and is in none, Ada administers the workspace.
type stage struct {
	t      *testing.T
	hearth *hearth
	cast
}

type cast struct{ ada, olga, mia, nils, gil, otto *actor }

// castLife is how long a cast plays on a server: its tokens live a little longer.
const castLife = 10 * time.Minute

// newStage sets a stage on a server, with the cast of the last one there if it can still act.
func newStage(t *testing.T, h *hearth) *stage {
	t.Helper()
	h.casting.Lock()
	defer h.casting.Unlock()
	s := &stage{t: t, hearth: h}
	if h.Now().Sub(h.castAt) > castLife {
		if h.cast.ada == nil {
			h.cast.ada = h.SetsUp(t, "ada")
		} else {
			h.cast.ada = h.Returns(t, h.cast.ada)
		}
		h.cast.olga, h.cast.mia, h.cast.nils, h.cast.otto = s.fresh("olga"), s.fresh("mia"), s.fresh("nils"), s.fresh("otto")
		h.cast.gil = s.fresh("gil")
		h.makeGuest(t, h.cast.gil)
		h.castAt = h.Now()
	}
	for _, who := range []struct{ here, there **actor }{
		{&s.ada, &h.cast.ada}, {&s.olga, &h.cast.olga}, {&s.mia, &h.cast.mia}, {&s.nils, &h.cast.nils}, {&s.gil, &h.cast.gil}, {&s.otto, &h.cast.otto},
	} {
		*who.here = &actor{t: t, hearth: h, Name: (*who.there).Name, Number: (*who.there).Number, ID: (*who.there).ID, Token: (*who.there).Token, Refresh: (*who.there).Refresh}
	}
	return s
}

// fresh registers somebody nobody knows yet.
func (s *stage) fresh(name string) *actor {
	s.t.Helper()
	return s.hearth.Arrives(s.t, s.hearth.unused(name))
}

// place is where a request happens, by the ids it names.
type place struct{ room, message, user string }

// nowhere is well formed and not there.
var nowhere = place{"5f1c2a9e-0000-4000-8000-000000000000", unknownMessage, "424242"}

func (s *stage) public() place {
	s.t.Helper()
	return s.furnish(s.olga.Makes("General", s.mia, s.nils))
}
func (s *stage) private() place {
	s.t.Helper()
	return s.furnish(s.olga.MakesPrivate("Council", s.mia, s.nils))
}

// furnish puts Mia's message and the guest into a room, without Ada becoming a member of it.
func (s *stage) furnish(room string) place {
	s.t.Helper()
	s.hearth.give(s.t, s.gil, room)
	return place{room, s.mia.Post(room, "hello"), fmt.Sprint(s.mia.Number)}
}

// attempt is a request for an operation, whose path is filled from the place.
type attempt struct {
	by     *actor
	at     place
	query  string
	body   any
	header http.Header
	socket bool
}

// example makes the requests of an operation and its aliases that ought to work when by
// is the right person at the right place.
type example struct {
	operations string // operationIds
	succeeds   int
	make       func(s *stage, by *actor, at place) attempt
	// also makes requests with other outcomes, by status.
	also map[int]func(s *stage) attempt
}

func with(body any) func(*stage, *actor, place) attempt {
	return func(_ *stage, by *actor, at place) attempt { return attempt{by: by, at: at, body: body} }
}

func bare(_ *stage, by *actor, at place) attempt { return attempt{by: by, at: at} }

type object = map[string]any

// asks makes an also entry of a query.
func asks(query string) func(*stage) attempt {
	return func(s *stage) attempt { return attempt{by: s.olga, at: s.public(), query: query} }
}

// sends makes an also entry of a body that somebody new sends.
func sends(body any) func(*stage) attempt {
	return func(s *stage) attempt { return attempt{by: s.fresh("new"), body: body} }
}

func draft(s *stage, by *actor, at place) attempt {
	return attempt{by: by, at: at, body: object{"room_id": at.room, "content": "hi"}}
}

// posted are the other outcomes of a post.
var posted = map[int]func(*stage) attempt{
	200: func(s *stage) attempt {
		at := s.public()
		again := object{"room_id": at.room, "content": "once", "client_id": s.hearth.unused("c")}
		s.nils.Do("POST", "/api/messages", again).Must(201)
		return attempt{by: s.nils, at: at, body: again}
	},
	409: func(s *stage) attempt {
		at := s.public()
		id := s.hearth.unused("c")
		s.nils.Do("POST", "/api/messages", object{"room_id": at.room, "content": "once", "client_id": id}).Must(201)
		return attempt{by: s.nils, at: at, body: object{"room_id": at.room, "content": "other", "client_id": id}}
	},
}

var examples = []example{
	{"index", 200, bare, nil},
	{"health", 200, bare, nil},
	{"metrics", 200, bare, map[int]func(*stage) attempt{404: func(s *stage) attempt {
		return attempt{by: s.ada, header: http.Header{"X-Forwarded-For": {"127.0.0.1"}}}
	}}},
	{"openapi", 200, bare, nil},
	{"workspace", 200, bare, nil},
	{"editWorkspace", 200, with(object{"name": "Hearth"}), nil},
	{"createInvite", 201, func(_ *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"room_id": at.room}}
	}, nil},
	{"createResetLink", 201, bare, nil},

	{"register registerAtUsers", 201, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: registration(s.hearth.unused("new"))}
	}, map[int]func(*stage) attempt{
		403: func(s *stage) attempt {
			body := registration(s.hearth.unused("new"))
			body["invite"] = "unheard-of"
			return attempt{by: s.hearth.Nobody(s.t), body: body}
		},
		409: func(s *stage) attempt { return attempt{by: s.hearth.Nobody(s.t), body: registration(s.mia.Name)} },
	}},
	{"login loginAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: object{"username": s.mia.Name, "password": password}}
	}, map[int]func(*stage) attempt{
		401: func(s *stage) attempt {
			return attempt{by: s.hearth.Nobody(s.t), body: object{"username": s.fresh("new").Name, "password": "wrong"}}
		},
		403: func(s *stage) attempt {
			nobody := start(s.t, options{Mail: mailtest.Start(s.t, mailtest.Options{})}).Nobody(s.t)
			nobody.Do("POST", "/api/auth/register", registration("new")).Must(201)
			return attempt{by: nobody, body: object{"username": "new", "password": password}}
		},
	}},
	{"refreshToken refreshTokenAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: object{"refreshToken": s.fresh("new").Refresh}}
	}, map[int]func(*stage) attempt{
		401: func(s *stage) attempt {
			return attempt{by: s.hearth.Nobody(s.t), body: object{"refreshToken": "unheard-of"}}
		},
	}},
	{"logout logoutAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: object{"refreshToken": s.fresh("new").Refresh}}
	}, map[int]func(*stage) attempt{
		401: func(s *stage) attempt { return attempt{by: s.hearth.Nobody(s.t)} },
	}},
	{"verifyEmailByLink verifyEmailByLinkAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, query: "token=" + s.verification()}
	}, map[int]func(*stage) attempt{
		400: func(s *stage) attempt { return attempt{by: s.hearth.Nobody(s.t), query: "token=unheard-of"} },
	}},
	{"verifyEmail verifyEmailAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: object{"token": s.verification()}}
	}, nil},
	{"forgotPassword forgotPasswordAtUsers", 200, with(object{"email": "nobody@example.com"}), nil},
	{"resetPassword resetPasswordAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		url := s.ada.Do("POST", "/api/admin/users/"+s.fresh("new").ID+"/reset-link", nil).Must(201).String("url")
		_, token, _ := strings.Cut(url, "/reset#")
		return attempt{by: by, body: object{"token": token, "newPassword": "password456"}}
	}, nil},
	{"changePassword changePasswordAtUsers", 200, with(object{"currentPassword": password, "newPassword": "password456"}), map[int]func(*stage) attempt{
		403: sends(object{"currentPassword": "wrong", "newPassword": "password456"}),
	}},
	{"changeEmail changeEmailAtUsers", 200, func(s *stage, by *actor, _ place) attempt {
		return attempt{by: by, body: object{"email": s.hearth.unused("new") + "@example.org", "password": password}}
	}, map[int]func(*stage) attempt{
		403: sends(object{"email": "other@example.org", "password": "wrong"}),
		409: func(s *stage) attempt {
			return attempt{by: s.fresh("new"), body: object{"email": s.mia.Name + "@example.com", "password": password}}
		},
	}},
	{"profile profileAtUsers me meAtUsers", 200, bare, nil},
	{"editProfile editProfileAtUsers", 200, with(object{"firstName": "Ada", "profile": object{"bio": "Notes"}}), map[int]func(*stage) attempt{
		409: func(s *stage) attempt { return attempt{by: s.fresh("new"), body: object{"username": s.mia.Name}} },
	}},
	{"closeAccount closeAccountAtUsers", 200, bare, map[int]func(*stage) attempt{
		409: func(s *stage) attempt { return attempt{by: s.ada} },
	}},
	{"listUsers listUsersAtUsers listUsersAtAuth", 200, bare, map[int]func(*stage) attempt{400: asks("limit=0")}},
	{"user userAtUsers userAtAuth", 200, bare, map[int]func(*stage) attempt{
		404: func(s *stage) attempt { return attempt{by: s.otto, at: nowhere} },
	}},

	{"createRoom", 201, with(object{"name": "General"}), nil},
	{"listRooms", 200, bare, map[int]func(*stage) attempt{400: asks("limit=0")}},
	{"room", 200, bare, nil},
	{"editRoom", 200, with(object{"name": "Renamed", "is_private": true}), nil},
	{"deleteRoom", 200, bare, nil},
	{"joinRoom", 200, bare, nil},
	{"leaveRoom", 200, bare, map[int]func(*stage) attempt{
		503: func(s *stage) attempt { return attempt{by: s.mia, at: s.public()} }, // Otto, outside, would write nothing
	}},
	{"listMembers", 200, bare, map[int]func(*stage) attempt{400: asks("limit=0")}},
	{"addMembers", 200, func(s *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"user_ids": []any{s.otto.Number, s.otto.ID}}}
	}, nil},
	{"removeMember", 200, bare, nil},
	{"openDirect", 201, func(s *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"user_ids": []int{s.fresh("new").Number}}}
	}, map[int]func(*stage) attempt{
		200: func(s *stage) attempt {
			s.otto.Do("POST", "/api/chat/dms", object{"user_ids": []int{s.mia.Number}})
			return attempt{by: s.otto, body: object{"user_ids": []string{s.mia.ID}}}
		},
	}},

	{"postMessage postMessageToRoom postMessageToRoomAtMessages postMessageToRoomAtChat", 201, draft, posted},
	{"history historyAtRooms historyNewestFirst", 200, bare, map[int]func(*stage) attempt{400: asks("limit=0")}},
	{"message", 200, bare, nil},
	{"thread", 200, bare, map[int]func(*stage) attempt{400: asks("limit=0")}},
	{"editMessage", 200, with(object{"content": "edited"}), nil},
	{"deleteMessage", 200, bare, nil},
	{"readMessage markUnread receipts", 200, bare, nil},
	{"readRoom", 200, func(_ *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"up_to": at.message}}
	}, nil},
	{"unread", 200, func(_ *stage, by *actor, _ place) attempt { return attempt{by: by, at: place{user: "me"}} }, map[int]func(*stage) attempt{
		403: func(s *stage) attempt { return attempt{by: s.otto, at: nowhere} },
		404: func(s *stage) attempt { return attempt{by: s.otto, at: place{user: "nobody"}} },
	}},
	{"addReaction removeReaction", 200, func(_ *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"message_id": at.message, "reaction": "👍"}}
	}, nil},
	{"typing", 200, func(_ *stage, by *actor, at place) attempt {
		return attempt{by: by, at: at, body: object{"room_id": at.room, "is_typing": true}}
	}, nil},

	{"watchAll watchRoom", 101, func(_ *stage, by *actor, at place) attempt { return attempt{by: by, at: at, socket: true} }, map[int]func(*stage) attempt{
		400: func(s *stage) attempt {
			return attempt{by: s.olga, at: s.public(), query: "since=yesterday", socket: true}
		},
		403: func(s *stage) attempt {
			return attempt{by: s.olga, at: s.public(), header: http.Header{"Origin": {"https://evil.example"}}, socket: true}
		},
		426: func(s *stage) attempt { return attempt{by: s.olga, at: s.public()} },
	}},
}

// exampleOf finds the example of an operation.
func exampleOf(t *testing.T, operation string) example {
	t.Helper()
	for _, e := range examples {
		for id := range strings.FieldsSeq(e.operations) {
			if id == operation {
				return e
			}
		}
	}
	t.Fatalf("no example makes a request for %q", operation)
	return example{}
}

// whoMay is somebody whom a word of the who column allows.
func (s *stage) whoMay(who string) *actor {
	switch who {
	case "any":
		return s.hearth.Nobody(s.t)
	case "acct", "as visible":
		return s.otto
	case "guest":
		return s.gil
	case "memb", "memb (own if private)", "author, while memb", "author, while memb; own":
		return s.mia
	case "own", "own, adm":
		return s.olga
	case "adm":
		return s.ada
	case "self":
		return s.fresh("self")
	}
	s.t.Fatalf("who is %q?", who)
	return nil
}

// whoMayNot is somebody who sees a public room there and is refused with 403; nil when
// everybody with an account may.
func (s *stage) whoMayNot(who string) *actor {
	switch who {
	case "acct":
		return s.gil
	case "memb", "memb (own if private)":
		return s.otto
	case "own", "own, adm", "adm", "author, while memb; own":
		return s.nils
	case "author, while memb":
		return s.olga
	}
	return nil
}

// send makes the attempt at an operation.
func (a attempt) send(op *operation) answer {
	a.by.t.Helper()
	path := op.Path
	for _, fill := range [][2]string{{"{room_id}", a.at.room}, {"{user_id}", a.at.user}, {"{user}", a.at.user}} {
		path = strings.Replace(path, fill[0], fill[1], 1)
	}
	id := a.at.room
	switch {
	case strings.HasPrefix(path, "/api/messages/{id}"):
		id = a.at.message
	case strings.Contains(path, "/users/"), strings.HasPrefix(path, "/api/users/"):
		id = a.at.user
	}
	path = strings.Replace(path, "{id}", id, 1)
	if a.query != "" {
		path += "?" + a.query
	}
	if a.socket {
		return a.watch(path)
	}
	return a.by.Send(request{Method: op.Method, Path: path, Body: a.body, Header: a.header})
}

// watch opens a socket. The answer is its first frame, or the code with which it was
// closed in place of 101, for that is how a socket says that there is no such room.
func (a attempt) watch(path string) answer {
	a.by.t.Helper()
	conn, got := a.by.Handshake(path, a.header)
	if conn == nil {
		return got
	}
	defer conn.Close()
	_, first, err := conn.ReadMessage()
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
		return answer{t: got.t, call: got.call, Status: closed.Code, Body: []byte(closed.Text)}
	}
	if err != nil {
		a.by.t.Fatalf("%s: %v", got.call, err)
	}
	got.Body = first
	return got
}

// verification is a token that was mailed to somebody.
func (s *stage) verification() string {
	s.t.Helper()
	p, token := s.fresh("new"), s.hearth.unused("mailed-token")
	err := s.hearth.Users.AddCode(s.t.Context(), store.Code{
		Hash: sha256.Sum256([]byte(token)), Purpose: store.PurposeVerify, User: store.UserID(p.Number),
		Email: p.Name + "@example.com", Expires: s.hearth.Now().Add(time.Hour),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}
