package compat

import (
	"slices"
	"strings"
)

// WebPort is where the documented web app was served, and with it everything there is.
const WebPort = 3000

// Service is one of the documented services that had a port of its own. Its paths lead to
// the handlers that answer at the one port.
type Service struct {
	Name string // "User Service"
	Port int

	base  string   // where its paths are here
	paths []string // what it answered, by first segment, under /api/ and without that
}

// Services are those behind the gateway.
var Services = []*Service{
	{"User Service", 3001, "/api/auth/", []string{
		"register", "login", "logout", "refresh-token", "verify-email", "forgot-password", "reset-password", "change-password", "profile", "users",
	}},
	{"Chat Service", 3002, "/api/chat/", []string{"rooms", "messages", "typing", "reactions", "ws"}},
	{"Message Service", 3003, "/api/", []string{"messages"}},
}

// At returns the service of a port; nil if it is the web app's or none.
func At(port int) *Service {
	for _, s := range Services {
		if s.Port == port {
			return s
		}
	}
	return nil
}

// Path returns the path here of a path of the service, both as they are in the request
// line. Its index and its health are /health. It is false for what the service never had.
func (s *Service) Path(path string) (ours string, known bool) {
	if path == "/api" || strings.HasPrefix(path, "/api/") {
		path = path[len("/api"):]
	}
	path = strings.TrimPrefix(path, "/")
	if path == "" || path == "health" {
		return "/health", true
	}
	first, rest, _ := strings.Cut(path, "/")
	if !slices.Contains(s.paths, first) {
		return "", false
	}
	if first == "ws" { // ws/{room} or ws/{room}/{user}, and the user is whose token it is
		room, user, _ := strings.Cut(rest, "/")
		return s.base + "ws/" + room, room != "" && !strings.Contains(user, "/")
	}
	return s.base + path, true
}
