package server

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// The cookie that keeps a refresh token where no script can read it. Its name says whether
// it may travel over plain HTTP.
const (
	secureCookie = "__Host-hearth"
	plainCookie  = "hearth"
	plainPath    = "/api/auth"
)

// secure reports whether the client speaks HTTPS to us, or to a proxy we trust.
func (s *Server) secure(c *fiber.Ctx) bool {
	if s.frontend != "" {
		return strings.HasPrefix(s.frontend, "https://")
	}
	return s.trusts(c) && strings.EqualFold(c.Get(fiber.HeaderXForwardedProto), "https")
}

// cookie returns the refresh token in the cookie, if the page that sent it is ours.
func (s *Server) cookie(c *fiber.Ctx) string {
	if !s.ours(c, c.Get(fiber.HeaderOrigin)) {
		return ""
	}
	name := plainCookie
	if s.secure(c) {
		name = secureCookie
	}
	return strings.Clone(c.Cookies(name))
}

func (s *Server) setCookie(c *fiber.Ctx, refresh string, expires time.Time) {
	cookie := &fiber.Cookie{Name: plainCookie, Value: refresh, Path: plainPath, Expires: expires, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode}
	if s.secure(c) {
		cookie.Name, cookie.Path, cookie.Secure = secureCookie, "/", true
	}
	c.Cookie(cookie)
}

// forgetCookie makes the browser drop the cookie, if it sent one.
func (s *Server) forgetCookie(c *fiber.Ctx) {
	if c.Cookies(plainCookie) != "" || c.Cookies(secureCookie) != "" {
		s.setCookie(c, "", time.Unix(1, 0))
	}
}
