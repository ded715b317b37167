package server

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// tokenProtocol is the subprotocol that carries a token: browsers cannot set headers.
const tokenProtocol = "bearer"

// socketBuffer is the size of a socket's read buffer: an idle one should weigh little.
const socketBuffer = 256

// watch is what a socket takes along of the request that opened it, all of it copied.
type watch struct {
	who     *live.Viewer
	want    live.Want
	request string
	release func()
	ctx     *fasthttp.RequestCtx // of the handshake: the HTTP server keeps it as long as the socket is open
}

// localWatch is the name under which a watch travels through the adapter, which copies
// only what has a string for a name.
const localWatch = "watch"

func (s *Server) watchAll(c *fiber.Ctx) error { return s.open(c, "") }

// watchRoom opens a socket also on a room that is not there: the hub tells so by the code
// with which it closes, which scripts in browsers can see and a status they cannot.
func (s *Server) watchRoom(c *fiber.Ctx) error {
	room := segment(c, "room_id")
	if room == "" {
		room = strings.Clone(c.Params("room_id"))
	}
	return s.open(c, store.RoomID(room))
}

// open checks a handshake and hands the connection to the hub.
func (s *Server) open(c *fiber.Ctx, room store.RoomID) error {
	if err := s.checkHandshake(c); err != nil {
		return err
	}
	v := viewer(c)
	w := &watch{&live.Viewer{User: v.User, Session: v.Session}, live.Want{Room: room, Service: serviceOf(c) != nil}, requestID(c), func() {}, c.Context()}
	if since, ok := query(c, "since"); ok {
		if _, err := store.ParsePosition(since); err != nil {
			return err
		}
		w.want.Since = since
	}
	if s.sockets != nil {
		release, err := s.sockets.Admit(v.User.ID, network(s.address(c)).String())
		if err != nil {
			return err
		}
		w.release = release
	}
	c.Locals(localWatch, w)
	c.SetUserContext(context.Background()) // that of the request ends with it
	dropHeaders(c)
	if err := s.upgrade(c); err != nil {
		w.release()
		c.Response().Reset()
		s.prepare(c)
		return store.Invalid("handshake", "this is no WebSocket handshake")
	}
	return nil
}

// checkHandshake looks at what the adapter would answer in its own words, and at the
// page that asks: any page may open a socket to us from somebody's browser.
func (s *Server) checkHandshake(c *fiber.Ctx) error {
	if !websocket.IsWebSocketUpgrade(c) || c.Get("Sec-WebSocket-Version") != "13" {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set("Sec-WebSocket-Version", "13")
		return fiber.ErrUpgradeRequired
	}
	if key, err := base64.StdEncoding.DecodeString(c.Get("Sec-WebSocket-Key")); err != nil || len(key) != 16 {
		return store.Invalid("handshake", "Sec-WebSocket-Key must be 16 bytes in base64")
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" && bearer(c) != "" {
		return nil // no browser: those always name the page, and never set this header
	}
	if !s.ours(c, origin) && !s.shared(origin) {
		return store.Forbidden("foreign_origin", "This page may not open a socket here")
	}
	return nil
}

// socketToken returns the token in Sec-WebSocket-Protocol: "bearer, <token>"; "" if there is none.
func socketToken(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(strings.Clone(c.Get(fiber.HeaderSecWebSocketProtocol)), ",")
	if strings.TrimSpace(scheme) != tokenProtocol {
		return ""
	}
	return strings.TrimSpace(token)
}

// dropHeaders removes what the handshake does not need: the adapter keeps a copy of every
// header, a token among them, for as long as the socket is open.
func dropHeaders(c *fiber.Ctx) {
	header := &c.Request().Header
	bearer := socketToken(c) != ""
	var names []string
	for key := range header.All() {
		names = append(names, string(key))
	}
	for _, name := range names {
		switch name {
		case fiber.HeaderConnection, fiber.HeaderUpgrade, fiber.HeaderHost, "Sec-Websocket-Key", "Sec-Websocket-Version":
		default:
			header.Del(name)
		}
	}
	if bearer {
		header.Set(fiber.HeaderSecWebSocketProtocol, tokenProtocol)
	}
}

// newUpgrade returns the adapter between fiber and the hub. It checks no origins, because
// open has done that before.
func (s *Server) newUpgrade() fiber.Handler {
	return websocket.New(s.serveSocket, websocket.Config{
		Origins: []string{"*"}, Subprotocols: []string{tokenProtocol},
		ReadBufferSize: socketBuffer, WriteBufferSize: socketBuffer, WriteBufferPool: &sync.Pool{},
		RecoverHandler: s.recoverSocket,
	})
}

// serveSocket gives the hub the connection inside ws, never ws itself, which the adapter
// hands to somebody else as soon as this returns. Its frame stands on the stack of every
// idle socket, which must stay below a quarter of 16 KiB for the collector to halve it: so
// nothing large is in it.
func (s *Server) serveSocket(ws *websocket.Conn) {
	w := ws.Locals(localWatch).(*watch)
	defer w.release()
	start, who := time.Now(), w.who
	w.forget()
	user := who.User.ID
	err := s.hub.Serve(context.Background(), live.NewConn(ws.Conn), who, w.want)
	s.logSocket(w.request, user, time.Since(start), err)
}

func (s *Server) logSocket(request string, user store.UserID, open time.Duration, err error) {
	line := []slog.Attr{
		slog.String("request_id", request), slog.Int64("user_id", int64(user)), slog.Duration("open", open),
	}
	if err != nil {
		line = append(line, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "socket closed", line...)
}

// forget lets go of all that the handshake brought: an idle socket should weigh little.
// The answer has been sent, so nobody reads it any more.
func (w *watch) forget() {
	w.ctx.Request, w.ctx.Response = fasthttp.Request{}, fasthttp.Response{}
	w.ctx, w.who = nil, nil
}

// recoverSocket keeps a panic to itself: the client learns only that something went wrong.
func (s *Server) recoverSocket(ws *websocket.Conn) {
	if p := recover(); p != nil {
		request := ""
		if w, ok := ws.Locals(localWatch).(*watch); ok {
			request = w.request
		}
		s.log.LogAttrs(context.Background(), slog.LevelError, "panic", slog.String("request_id", request),
			slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseInternalServerErr, ""), time.Now().Add(time.Second))
	}
}
