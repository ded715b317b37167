package compat

import "testing"

func TestServicePaths(t *testing.T) {
	for _, tt := range []struct {
		port       int
		path, ours string // "" for none
	}{
		{3001, "/", "/health"}, {3001, "", "/health"}, {3001, "/health", "/health"}, {3001, "/api", "/health"}, {3001, "/api/", "/health"},
		{3001, "/api/register", "/api/auth/register"}, {3001, "/register", "/api/auth/register"}, {3001, "/api/change-password/", "/api/auth/change-password/"},
		{3001, "/api/users/7", "/api/auth/users/7"}, {3001, "/users", "/api/auth/users"},
		{3001, "/api/me", ""}, {3001, "/api/registered", ""}, {3001, "/api/api/register", ""}, {3001, "/apiregister", ""}, {3001, "/api/chat/rooms", ""}, {3001, "//register", ""},
		{3001, "/metrics", ""}, {3001, "/api/admin/invites", ""}, {3001, "/API/register", ""}, {3001, "/index.html", ""},
		{3002, "/api/rooms", "/api/chat/rooms"}, {3002, "/rooms/a%2Fb/join", "/api/chat/rooms/a%2Fb/join"}, {3002, "/api/messages", "/api/chat/messages"},
		{3002, "/ws/general", "/api/chat/ws/general"}, {3002, "/ws/general/7", "/api/chat/ws/general"}, {3002, "/api/ws/a%2Fb", "/api/chat/ws/a%2Fb"},
		{3002, "/ws", ""}, {3002, "/ws/", ""}, {3002, "/ws/general/7/8", ""}, {3002, "/api/chat/rooms", ""}, {3002, "/api/dms", ""},
		{3003, "/api/messages", "/api/messages"}, {3003, "/messages/unread/7", "/api/messages/unread/7"}, {3003, "/api/rooms", ""}, {3003, "/api/chat/rooms", ""},
	} {
		ours, known := At(tt.port).Path(tt.path)
		if known != (tt.ours != "") || known && ours != tt.ours {
			t.Errorf(":%d%s = %q, %t; want %q", tt.port, tt.path, ours, known, tt.ours)
		}
	}
	for _, port := range []int{WebPort, 8000, 0} {
		if s := At(port); s != nil {
			t.Errorf("port %d is the %s", port, s.Name)
		}
	}
}
