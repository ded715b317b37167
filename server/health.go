package server

import (
	_ "embed"
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

// health reads from both stores. It is unhealthy only when that fails.
func (s *Server) health(c *fiber.Ctx) error {
	accounts, rooms := s.chat.Ping(c.UserContext())
	now, status := live.Time(s.now()), healthy(nil)
	for _, err := range []error{accounts, rooms} {
		if err != nil {
			status = healthy(err)
			s.log.LogAttrs(c.UserContext(), slog.LevelError, "health", slog.String("request_id", requestID(c)), slog.String("error", err.Error()))
			c.Status(fiber.StatusServiceUnavailable)
		}
	}
	url := s.public(c)
	return c.JSON(struct {
		Status    string          `json:"status"`
		Version   string          `json:"version"`
		Services  []serviceHealth `json:"services"`
		Timestamp live.Time       `json:"timestamp"`
	}{status, s.version, []serviceHealth{
		{"User Service", url, healthy(accounts), now},
		{"Chat Service", url, healthy(rooms), now},
		{"Message Service", url, healthy(rooms), now},
	}, now})
}

func healthy(err error) string {
	if err != nil {
		return "unhealthy"
	}
	return "healthy"
}
