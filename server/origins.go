package server

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/auth"
)

// originOf returns the origin of an address, "https://chat.example.org:8443", in the form
// browsers send; "" if it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, usual) {
		host = strings.TrimSuffix(host, usual)
	}
	return u.Scheme + "://" + host
}

// ours reports whether a page of an origin is our own: it came from FRONTEND_URL, or from
// the very host and port this request was sent to, which is how a LAN address works.
func (s *Server) ours(c *fiber.Ctx, origin string) bool {
	origin = originOf(origin)
	if origin == "" {
		return false
	}
	_, host, _ := strings.Cut(origin, "://")
	return origin == originOf(s.frontend) || host == strings.ToLower(string(c.Context().Host())) ||
		origin == originOf("http://"+string(c.Context().Host())) || origin == originOf("https://"+string(c.Context().Host()))
}

// shared reports whether other pages than ours may read answers: those of FRONTEND_URL and
// CORS_ORIGINS, character for character.
func (s *Server) shared(origin string) bool {
	return origin != "" && slices.Contains(s.origins, origin)
}

// cors lets pages of shared origins read answers. It never allows credentials: those
// pages bring a token. A preflight ends here, and done says so.
func (s *Server) cors(c *fiber.Ctx) (done bool) {
	origin := c.Get(fiber.HeaderOrigin)
	c.Vary(fiber.HeaderOrigin)
	preflight := c.Method() == fiber.MethodOptions && c.Get(fiber.HeaderAccessControlRequestMethod) != ""
	if s.shared(origin) {
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
		c.Set(fiber.HeaderAccessControlExposeHeaders, "X-Request-Id, Retry-After")
		if preflight {
			c.Set(fiber.HeaderAccessControlAllowMethods, "GET, POST, PUT, PATCH, DELETE")
			c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Content-Type")
			c.Set(fiber.HeaderAccessControlMaxAge, "600")
		}
	}
	if preflight {
		c.Status(fiber.StatusNoContent)
	}
	return preflight
}

// trusts reports whether the connection comes from a proxy whose headers count.
func (s *Server) trusts(c *fiber.Ctx) bool {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	return ok && s.trusted(peer.Unmap())
}

func (s *Server) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// address returns where a request came from, past the proxies we trust.
func (s *Server) address(c *fiber.Ctx) netip.Addr {
	var forwarded []string
	for _, value := range c.Context().Request.Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, string(value))
	}
	return auth.ClientAddr(c.Context().RemoteAddr().String(), forwarded, s.proxies)
}

// public returns how people reach this server: FRONTEND_URL, or else as this request did.
func (s *Server) public(c *fiber.Ctx) string {
	if s.frontend != "" {
		return s.frontend
	}
	scheme := "http"
	if s.secure(c) {
		scheme = "https"
	}
	return scheme + "://" + string(c.Context().Host())
}
