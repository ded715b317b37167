package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/server/compat"
	"github.com/hearthchat/hearth/store"
)

// requestTimeout is how long the work of one request may take.
const requestTimeout = 30 * time.Second

// local names what a request carries from one handler to the next. Keys of a type of our
// own are not copied to sockets.
type local int

const (
	localID local = iota
	localViewer
)

// traceRule is the form of W3C Trace Context, which names what a request is part of.
var traceRule = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

var requestIDRule = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// requestID returns the name of a request: the client's own, or one made here.
func requestID(c *fiber.Ctx) string {
	if id, ok := c.Locals(localID).(string); ok {
		return id
	}
	id := strings.Clone(c.Get(fiber.HeaderXRequestID))
	if !requestIDRule.MatchString(id) {
		var b [10]byte
		_, _ = rand.Read(b[:]) // never fails
		id = hex.EncodeToString(b[:])
	}
	c.Locals(localID, id)
	return id
}

// viewer returns who is asking; only behind a route that needs a token is there anybody.
func viewer(c *fiber.Ctx) auth.Viewer {
	v, _ := c.Locals(localViewer).(auth.Viewer)
	return v
}

// around is about every request: its name, headers, time limit, error and line in the log.
func (s *Server) around(c *fiber.Ctx) error {
	start := time.Now()
	s.prepare(c)
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	if !s.cors(c) {
		if err := s.next(c); err != nil {
			if err := s.fail(c, err); err != nil {
				return err
			}
		}
	}
	s.finish(c, c.Method(), c.Route().Path, time.Since(start))
	return nil
}

// next runs the route. What no route matches is the web app's, except under /api.
func (s *Server) next(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.LogAttrs(c.UserContext(), slog.LevelError, "panic", slog.String("request_id", requestID(c)),
				slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			c.Response().Reset()
			s.prepare(c)
			err = errPanic
		}
	}()
	if service := serviceOf(c); service != nil {
		path, known := service.Path(c.Path())
		if !known {
			return fiber.ErrNotFound
		}
		c.Path(path)
	}
	err = c.Next()
	if router := (*fiber.Error)(nil); errors.As(err, &router) && router.Code == fiber.StatusNotFound && !underAPI(c) {
		if method := c.Method(); method == fiber.MethodGet || method == fiber.MethodHead {
			return s.serveApp(c)
		}
	}
	return err
}

// serviceOf returns the documented service at whose port a request came in; nil where
// everything answers.
func serviceOf(c *fiber.Ctx) *compat.Service {
	if conn, ok := c.Context().Conn().(*conn); ok {
		return conn.service
	}
	return nil
}

var errPanic = errors.New("panic")

// underAPI reports whether a path belongs to the API, whatever the case: /API/x is a
// mistake and no page of the web app.
func underAPI(c *fiber.Ctx) bool {
	path := c.Path()
	return len(path) >= 4 && strings.EqualFold(path[:4], "/api") && (len(path) == 4 || path[4] == '/')
}

// prepare sets what every answer has. Nothing of the API may be kept, framed or guessed at.
func (s *Server) prepare(c *fiber.Ctx) {
	for _, h := range [...][2]string{
		{fiber.HeaderXRequestID, requestID(c)},
		{fiber.HeaderXContentTypeOptions, "nosniff"},
		{fiber.HeaderXFrameOptions, "DENY"},
		{fiber.HeaderReferrerPolicy, "no-referrer"},
		{fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{fiber.HeaderPermissionsPolicy, "camera=(), microphone=(), geolocation=()"},
		{fiber.HeaderCacheControl, "no-store"},
	} {
		c.Set(h[0], h[1])
	}
	if s.secure(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// refuse answers a request that could not even be read. A connection that was opened for
// later and never used is no request, and gets no line in the log.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	s.prepare(c)
	s.cors(c)
	conn, ok := c.Context().Conn().(*conn)
	if ok {
		conn.linger.Store(true)
	}
	if err := s.fail(c, err); err != nil {
		return err
	}
	if !ok || conn.heard.Load() {
		s.finish(c, "other", "", 0)
	}
	return nil
}

// finish counts a request and writes one line for it. Neither its path, which may carry
// secrets, nor anything else that was sent is in it, but for the names that tell it from
// others. The route "/" is also that of what no route matched. method is one of those
// there are, or "other".
func (s *Server) finish(c *fiber.Ctx, method, route string, took time.Duration) {
	status := c.Response().StatusCode()
	s.metrics.answered(method, route, status, took)
	line := []slog.Attr{
		slog.String("method", strings.Clone(c.Method())), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.String("request_id", requestID(c)), slog.Int64("user_id", int64(viewer(c).User.ID)),
	}
	if trace := c.Get("traceparent"); traceRule.MatchString(trace) {
		line = append(line, slog.String("traceparent", strings.Clone(trace)))
	}
	s.log.LogAttrs(c.UserContext(), slog.LevelInfo, "request", line...)
}

// admit lets a request pass to its route, or says why not: without a token that is good
// only routes for anybody are open, guests and ordinary members stop where the table says.
func (s *Server) admit(c *fiber.Ctx, r Route) error {
	if r.Who == anybody {
		return nil
	}
	token := bearer(c)
	if token == "" && r.socket() {
		token = socketToken(c)
	}
	v, err := s.auth.Authenticate(c.UserContext(), token)
	if err != nil {
		return err
	}
	c.Locals(localViewer, v)
	switch {
	case r.Who == account && v.User.Role == store.RoleGuest:
		return store.Forbidden("guest", "Guests may not do this")
	case r.Who == admin && !v.User.IsAdmin():
		return store.Forbidden("not_admin", "Only administrators may do this")
	}
	return nil
}
