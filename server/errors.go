package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// failure is the body of every error.
type failure struct {
	Error     string    `json:"error"`
	Message   string    `json:"message"` // the same words: clients read one or the other
	Details   string    `json:"details"`
	Code      string    `json:"code"`
	Timestamp live.Time `json:"timestamp"`
}

// retryLater is how long clients are asked to wait when nobody knows better.
const retryLater = 5 * time.Second

// kinds says which status each kind of error has, and in which words it is told when the
// error brings none of its own. The order matters only for errors that wrap several.
var kinds = []struct {
	kind   error
	status int
	code   string
	text   string
}{
	{store.ErrInvalid, fiber.StatusBadRequest, "invalid", "Invalid request"},
	{store.ErrUnauthorized, fiber.StatusUnauthorized, "unauthorized", "Sign in first"},
	{store.ErrForbidden, fiber.StatusForbidden, "forbidden", "Not allowed"},
	{store.ErrNotFound, fiber.StatusNotFound, "not_found", "Not found"},
	{store.ErrExists, fiber.StatusConflict, "exists", "Already exists"},
	{store.ErrBusy, fiber.StatusConflict, "busy", "Something else is in the way"},
	{store.ErrExpired, fiber.StatusBadRequest, "expired", "Expired"},
	{store.ErrLimited, fiber.StatusTooManyRequests, "rate_limited", "Too many requests"},
	{store.ErrUnavailable, fiber.StatusServiceUnavailable, "unavailable", "Not available now"},
	{store.ErrClosed, fiber.StatusServiceUnavailable, "stopping", "The server is stopping"},
	{context.DeadlineExceeded, fiber.StatusServiceUnavailable, "timeout", "This took too long"},
	{context.Canceled, fiber.StatusServiceUnavailable, "stopping", "The server is stopping"},
}

// refusals are the errors that are found before a handler is, or while a request is read.
var refusals = map[int]store.Fault{
	fiber.StatusBadRequest:                  {Code: "bad_request", Text: "Malformed request", Details: "this is not HTTP as we know it"},
	fiber.StatusNotFound:                    {Code: "not_found", Text: "Not found", Details: "there is nothing at this address"},
	fiber.StatusMethodNotAllowed:            {Code: "method_not_allowed", Text: "Method not allowed", Details: "the Allow header names those that are"},
	fiber.StatusRequestTimeout:              {Code: "request_timeout", Text: "The request took too long to arrive"},
	fiber.StatusRequestEntityTooLarge:       {Code: "body_too_large", Text: "Body too large", Details: "body: at most 1048576 bytes"},
	fiber.StatusUnsupportedMediaType:        {Code: "wrong_media_type", Text: "Wrong media type", Details: "send the body as application/json"},
	fiber.StatusUpgradeRequired:             {Code: "upgrade_required", Text: "This address speaks WebSocket"},
	fiber.StatusRequestHeaderFieldsTooLarge: {Code: "headers_too_large", Text: "Header fields too large", Details: "all of them together: at most 8192 bytes"},
}

// judge turns an error into a status and the words for it. An error that nobody named is
// 500, and its words stay inside.
func judge(err error) (status int, f store.Fault) {
	if router := (*fiber.Error)(nil); errors.As(err, &router) {
		if f, ok := refusals[router.Code]; ok {
			return router.Code, f
		}
		return fiber.StatusInternalServerError, store.Fault{}
	}
	status = fiber.StatusInternalServerError
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			status, f = k.status, store.Fault{Code: k.code, Text: k.text}
			break
		}
	}
	if known := (*store.Fault)(nil); status != fiber.StatusInternalServerError && errors.As(err, &known) {
		f = *known
	}
	return status, f
}

// fail writes the answer for an error.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	status, f := judge(err)
	if status == fiber.StatusInternalServerError {
		f = store.Fault{Code: "internal", Text: "Internal error", Details: "the log has it under the request id " + requestID(c)}
		s.log.LogAttrs(c.UserContext(), slog.LevelError, "request failed",
			slog.String("request_id", requestID(c)), slog.String("error", err.Error()))
	}
	if status == fiber.StatusTooManyRequests || status == fiber.StatusServiceUnavailable {
		wait := cmp.Or(f.RetryAfter, retryLater)
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second))))
	}
	if status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	return c.Status(status).JSON(failure{
		Error: f.Text, Message: f.Text, Details: f.Details, Code: snake(f.Code), Timestamp: live.Time(s.now()),
	})
}

// snake writes a code the way all codes are: invalid_firstName becomes invalid_first_name.
func snake(code string) string {
	var b strings.Builder
	for _, r := range code {
		switch {
		case r >= 'A' && r <= 'Z':
			b.WriteByte('_')
			b.WriteRune(r - 'A' + 'a')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}
