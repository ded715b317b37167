package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// asset is one file of the web app, ready to be sent.
type asset struct {
	media   string
	etag    string
	plain   []byte
	zipped  []byte // the .gz beside it, or nil
	forever bool   // its name changes with its content
}

// appPolicy lets the web app use its own files and this server, and nothing else. For some
// browsers 'self' has no sockets in it, so those of the host are spelled out.
func appPolicy(host string) string {
	sockets := ""
	if hostRule.MatchString(host) {
		sockets = " ws://" + host + " wss://" + host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'" + sockets +
		"; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

var hostRule = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]{1,255}$`)

// media types that the machine's own table may lack or spell differently.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}

// loadApp reads the built web app, once. Without an index.html there is a page instead
// that says how to build it.
func loadApp(web fs.FS) (map[string]asset, error) {
	unbuilt := map[string]asset{"index.html": {media: mediaTypes[".html"], plain: []byte(unbuiltPage), etag: "unbuilt"}}
	if web == nil {
		return unbuilt, nil
	}
	assets := map[string]asset{}
	err := fs.WalkDir(web, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasSuffix(name, ".gz") {
			assets[name], err = loadAsset(web, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the web interface: %w", err)
	}
	if _, built := assets["index.html"]; !built {
		return unbuilt, nil
	}
	return assets, nil
}

func loadAsset(web fs.FS, name string) (a asset, err error) {
	if a.plain, err = fs.ReadFile(web, name); err != nil {
		return a, err
	}
	if a.zipped, err = fs.ReadFile(web, name+".gz"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	sum := sha256.Sum256(a.plain)
	a.etag, a.forever = hex.EncodeToString(sum[:8]), strings.HasPrefix(name, "assets/")
	if a.media = mediaTypes[path.Ext(name)]; a.media == "" {
		a.media = mime.TypeByExtension(path.Ext(name))
	}
	return a, nil
}

// indexAnswer is what the gateway tells programs about itself.
type indexAnswer struct {
	Message     string            `json:"message"`
	Version     string            `json:"version"`
	Description string            `json:"description"`
	Endpoints   map[string]string `json:"endpoints"`
}

// index gives the web app to browsers and an overview to everything else.
func (s *Server) index(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	if prefersHTML(c) {
		return s.serveApp(c)
	}
	return c.JSON(indexAnswer{
		Message: "Hearth is running", Version: s.version, Description: "Team chat in one binary",
		Endpoints: map[string]string{
			"health": "/health", "auth": "/api/auth", "users": "/api/users", "chat": "/api/chat", "messages": "/api/messages",
		},
	})
}

// prefersHTML reports whether a client would rather have a page than JSON.
func prefersHTML(c *fiber.Ctx) bool {
	return c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) == fiber.MIMETextHTML
}

// serveApp sends a file of the web app, or its one page for everything that is no file:
// which page that is, the app reads from the address.
func (s *Server) serveApp(c *fiber.Ctx) error {
	name := strings.TrimPrefix(c.Path(), "/")
	a, ok := s.app[name]
	if !ok {
		if strings.HasPrefix(name, "assets/") {
			return fiber.ErrNotFound // of a build that is gone: a page would not help
		}
		a = s.app["index.html"]
	}
	c.Set(fiber.HeaderContentSecurityPolicy, appPolicy(string(c.Context().Host())))
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if a.forever {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	etag := `"` + a.etag + `"`
	if a.zipped != nil {
		c.Vary(fiber.HeaderAcceptEncoding)
		if acceptsGzip(c.Get(fiber.HeaderAcceptEncoding)) {
			etag = `"` + a.etag + `-gz"`
		}
	}
	c.Set(fiber.HeaderETag, etag)
	if matches(c.Get(fiber.HeaderIfNoneMatch), etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, a.media)
	if strings.HasSuffix(etag, `-gz"`) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Status(fiber.StatusOK).Send(a.zipped)
	}
	return c.Status(fiber.StatusOK).Send(a.plain)
}

// acceptsGzip reads Accept-Encoding.
func acceptsGzip(header string) bool {
	for _, item := range strings.Split(header, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if coding = strings.TrimSpace(coding); strings.EqualFold(coding, "gzip") || coding == "*" {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && strings.Trim(weight, "0.") != "q="
		}
	}
	return false
}

// matches reads If-None-Match.
func matches(header, etag string) bool {
	for _, item := range strings.Split(header, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == etag || item == "*" {
			return true
		}
	}
	return false
}

const unbuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hearth</title>
<h1>Hearth is running</h1>
<p>This program was built without its web interface. To build both, run <code>make build</code> (or <code>make run</code>) in the source folder.</p>
<p>The API works: <a href="/health">/health</a>, <a href="/api/openapi.json">/api/openapi.json</a>.</p>
</html>
`

// verifyScript spends a token only when somebody presses the button.
const verifyScript = `
const say = (text) => { document.querySelector("p").textContent = text; };
document.querySelector("button").addEventListener("click", async (event) => {
  event.target.remove();
  const token = new URLSearchParams(location.search).get("token");
  try {
    const answer = await fetch(location.pathname, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
    const body = await answer.json();
    say(body.message);
  } catch {
    say("The server could not be reached. Open the link again.");
  }
});
`

// page is HTML with one script of its own.
type page struct{ html, policy string }

var verifyPage = newPage(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm your e-mail address</title>
<h1>Confirm your e-mail address</h1>
<p>One more step: press the button.</p>
<button type="button">Confirm</button>
`, verifyScript)

// newPage allows the script by its hash, so that nothing else can run.
func newPage(html, script string) page {
	sum := sha256.Sum256([]byte(script))
	return page{
		html:   html + "<script>" + script + "</script>\n</html>\n",
		policy: "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

func sendPage(c *fiber.Ctx, p page) error {
	c.Set(fiber.HeaderContentSecurityPolicy, p.policy)
	c.Set(fiber.HeaderContentType, mediaTypes[".html"])
	return c.SendStream(bytes.NewReader([]byte(p.html)), len(p.html))
}
