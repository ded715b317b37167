package server

import (
	_ "embed"
	"errors"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/live"
)

// document is the OpenAPI description of everything under /api.
//
//go:embed openapi.json
var document []byte

func (s *Server) openapi(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(document)
}

// serviceHealth is how one of the documented services would say it is.
type serviceHealth struct {
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Status  string    `json:"status"`
	Checked live.Time `json:"last_checked"`
}

// health reads from both stores. It is unhealthy only when that fails, and degraded while
// they take no writes. At a service port it is that service's own.
func (s *Server) health(c *fiber.Ctx) error {
	accounts, rooms := s.chat.Ping(c.UserContext())
	failed := errors.Join(accounts, rooms)
	status := s.healthy(failed)
	if failed != nil {
		s.log.LogAttrs(c.UserContext(), slog.LevelError, "health", slog.String("request_id", requestID(c)), slog.String("error", failed.Error()))
		c.Status(fiber.StatusServiceUnavailable)
	}
	if service := serviceOf(c); service != nil {
		return c.JSON(struct {
			Status  string `json:"status"`
			Message string `json:"message"`
			Version string `json:"version"`
		}{status, service.Name + " is running", s.version})
	}
	now, url := live.Time(s.now()), s.public(c)
	return c.JSON(struct {
		Status    string          `json:"status"`
		Version   string          `json:"version"`
		Services  []serviceHealth `json:"services"`
		Timestamp live.Time       `json:"timestamp"`
	}{status, s.version, []serviceHealth{
		{"User Service", url, s.healthy(accounts), now},
		{"Chat Service", url, s.healthy(rooms), now},
		{"Message Service", url, s.healthy(rooms), now},
	}, now})
}

// healthy says how a service is from which reading ended with failed.
func (s *Server) healthy(failed error) string {
	switch {
	case failed != nil:
		return "unhealthy"
	case s.writable != nil && s.writable() != nil:
		return "degraded"
	}
	return "healthy"
}
