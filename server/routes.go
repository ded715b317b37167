package server

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Route is one row of the API: the server is built from these, and so are its tests.
type Route struct {
	Method    string
	Path      string // as the API document writes it: /api/chat/rooms/{id}
	Who       string // who may: any, acct, guest, memb, own, adm, self, or what the document says beyond these
	Operation string // the document's operationId

	handler func(*Server, *fiber.Ctx) error
}

// socket reports whether the route is a WebSocket.
func (r Route) socket() bool { return strings.HasPrefix(r.Path, "/api/chat/ws") }

// Who may, beyond what a token says by itself: the rules are package chat's.
const (
	anybody  = "any"
	account  = "acct"
	guest    = "guest"
	member   = "memb"
	owner    = "own"
	admin    = "adm"
	oneself  = "self"
	visible  = "as visible"
	managers = "own, adm"
)

// routes are the rows that have a handler of their own.
var routes = []Route{
	{"GET", "/", anybody, "index", (*Server).index},
	{"GET", "/health", anybody, "health", (*Server).health},
	{"GET", "/metrics", anybody, "metrics", (*Server).showMetrics},
	{"GET", "/api/openapi.json", anybody, "openapi", (*Server).openapi},

	{"GET", "/api/workspace", anybody, "workspace", (*Server).workspace},
	{"PATCH", "/api/workspace", admin, "editWorkspace", (*Server).editWorkspace},
	{"POST", "/api/admin/invites", admin, "createInvite", (*Server).createInvite},
	{"POST", "/api/admin/users/{id}/reset-link", admin, "createResetLink", (*Server).createResetLink},

	{"POST", "/api/auth/register", anybody, "register", (*Server).register},
	{"POST", "/api/auth/login", anybody, "login", (*Server).login},
	{"POST", "/api/auth/refresh-token", anybody, "refreshToken", (*Server).refreshToken},
	{"POST", "/api/auth/logout", anybody, "logout", (*Server).logout},
	{"GET", "/api/auth/verify-email", anybody, "verifyEmailByLink", (*Server).verifyEmailByLink},
	{"POST", "/api/auth/verify-email", anybody, "verifyEmail", (*Server).verifyEmail},
	{"POST", "/api/auth/forgot-password", anybody, "forgotPassword", (*Server).forgotPassword},
	{"POST", "/api/auth/reset-password", anybody, "resetPassword", (*Server).resetPassword},
	{"PUT", "/api/auth/change-password", oneself, "changePassword", (*Server).changePassword},
	{"PUT", "/api/auth/email", oneself, "changeEmail", (*Server).changeEmail},
	{"GET", "/api/auth/profile", guest, "profile", (*Server).profile},
	{"PUT", "/api/auth/profile", oneself, "editProfile", (*Server).editProfile},
	{"GET", "/api/auth/me", guest, "me", (*Server).profile},
	{"DELETE", "/api/auth/me", oneself, "closeAccount", (*Server).closeAccount},

	{"GET", "/api/users", account, "listUsers", (*Server).listUsers},
	{"GET", "/api/users/{id}", guest, "user", (*Server).showUser},

	{"POST", "/api/chat/rooms", account, "createRoom", (*Server).createRoom},
	{"GET", "/api/chat/rooms", guest, "listRooms", (*Server).listRooms},
	{"GET", "/api/chat/rooms/{id}", visible, "room", (*Server).showRoom},
	{"PATCH", "/api/chat/rooms/{id}", managers, "editRoom", (*Server).editRoom},
	{"DELETE", "/api/chat/rooms/{id}", managers, "deleteRoom", (*Server).deleteRoom},
	{"POST", "/api/chat/rooms/{id}/join", account, "joinRoom", (*Server).joinRoom},
	{"POST", "/api/chat/rooms/{id}/leave", account, "leaveRoom", (*Server).leaveRoom},
	{"GET", "/api/chat/rooms/{id}/members", member, "listMembers", (*Server).listMembers},
	{"POST", "/api/chat/rooms/{id}/members", "memb (own if private)", "addMembers", (*Server).addMembers},
	{"DELETE", "/api/chat/rooms/{id}/members/{user}", owner, "removeMember", (*Server).removeMember},
	{"POST", "/api/chat/dms", account, "openDirect", (*Server).openDirect},

	{"POST", "/api/chat/rooms/{id}/messages", member, "postMessage", (*Server).postMessage},
	{"GET", "/api/chat/rooms/{id}/messages", visible, "historyNewestFirst", (*Server).historyNewestFirst},
	{"POST", "/api/messages", member, "postMessageToRoom", (*Server).postMessageToRoom},
	{"GET", "/api/messages/room/{id}", visible, "history", (*Server).history},
	{"GET", "/api/messages/{id}", visible, "message", (*Server).showMessage},
	{"PATCH", "/api/messages/{id}", "author, while memb", "editMessage", (*Server).editMessage},
	{"DELETE", "/api/messages/{id}", "author, while memb; own", "deleteMessage", (*Server).deleteMessage},
	{"GET", "/api/messages/{id}/thread", visible, "thread", (*Server).thread},
	{"PUT", "/api/messages/{id}/read", member, "readMessage", (*Server).readMessage},
	{"PUT", "/api/messages/room/{id}/read", member, "readRoom", (*Server).readRoom},
	{"POST", "/api/messages/{id}/unread", member, "markUnread", (*Server).markUnread},
	{"GET", "/api/messages/{id}/receipts", member, "receipts", (*Server).receipts},
	{"GET", "/api/messages/unread/{user_id}", oneself, "unread", (*Server).unread},
	{"POST", "/api/chat/reactions", member, "addReaction", (*Server).addReaction},
	{"DELETE", "/api/chat/reactions", member, "removeReaction", (*Server).removeReaction},
	{"POST", "/api/chat/typing", member, "typing", (*Server).typing},

	{"GET", "/api/chat/ws", guest, "watchAll", (*Server).watchAll},
	{"GET", "/api/chat/ws/{room_id}", visible, "watchRoom", (*Server).watchRoom},
}

// aliases are further paths of rows, and what their operations are called.
var aliases = []struct{ operation, path, suffix string }{
	{"listUsers", "/api/users/users", "AtUsers"},
	{"listUsers", "/api/auth/users", "AtAuth"},
	{"user", "/api/users/users/{id}", "AtUsers"},
	{"user", "/api/auth/users/{id}", "AtAuth"},
	{"postMessageToRoom", "/api/messages/messages", "AtMessages"},
	{"postMessageToRoom", "/api/chat/messages", "AtChat"},
	{"history", "/api/messages/rooms/{id}/messages", "AtRooms"},
}

// Routes returns every row with its aliases, in the order in which they are tried: a path
// that is spelled out comes before one with a parameter in its place.
func Routes() []Route {
	all := slices.Clone(routes)
	for _, r := range routes {
		if rest, ok := strings.CutPrefix(r.Path, "/api/auth/"); ok {
			all = append(all, r.at("/api/users/"+rest, "AtUsers"))
		}
		for _, a := range aliases {
			if a.operation == r.Operation {
				all = append(all, r.at(a.path, a.suffix))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Route) int { return strings.Compare(a.Path, b.Path) }) // "{" sorts after letters
	return all
}

// at is the same row at another path.
func (r Route) at(path, suffix string) Route {
	r.Path, r.Operation = path, r.Operation+suffix
	return r
}

var parameters = strings.NewReplacer("{", ":", "}", "")

// mount adds every route to the application.
func (s *Server) mount(app *fiber.App) {
	for _, r := range Routes() {
		handle := func(c *fiber.Ctx) error {
			if err := s.admit(c, r); err != nil {
				return err
			}
			return r.handler(s, c)
		}
		if path := parameters.Replace(r.Path); r.Method == fiber.MethodGet {
			app.Get(path, handle) // and HEAD
		} else {
			app.Add(r.Method, path, handle)
		}
	}
}
