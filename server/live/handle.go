package live

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hearthchat/hearth/store"
)

// handle does what one frame of the client asks and answers it.
func (s *session) handle(ctx context.Context, p []byte) {
	in, err := decode(p)
	if err == nil {
		err = s.do(ctx, in)
	}
	if err != nil {
		s.answer(s.hub.errorFrame(err, in.ClientID))
	}
}

func (s *session) answer(v any) { s.flusher.send(s, encode(v)) }

func (s *session) do(ctx context.Context, in request) error {
	if in.Type == "ping" {
		s.flusher.send(s, pongText)
		return nil
	}
	if in.Type == "presence" {
		s.hub.do(func() { s.hub.loop.saysPresence(s.person, in.Status) })
		return nil
	}
	s.acted()
	room, err := s.place(in)
	if err != nil {
		return err
	}
	by, chat := *s.user.Load(), s.hub.chat
	switch in.Type {
	case "message":
		return s.post(ctx, by, store.Draft{
			Room: room, Type: in.Kind, Content: in.Content, Parent: in.Parent, ClientID: in.ClientID,
		})
	case "typing":
		if err := chat.Typing(ctx, by, room); err != nil {
			return err
		}
		s.hub.Typing(by.ID, room, in.On)
		return nil
	}
	if err := s.inRoom(ctx, by, in.Message, room); err != nil {
		return err
	}
	switch in.Type {
	case "read":
		_, _, err = chat.ReadThrough(ctx, by, room, in.Message)
	case "edit":
		_, err = chat.Edit(ctx, by, in.Message, in.Content)
	case "delete":
		_, err = chat.Delete(ctx, by, in.Message)
	case "reaction":
		_, _, err = chat.React(ctx, by, in.Message, in.Reaction, in.On)
	}
	return err
}

// place returns the room that a frame is about.
func (s *session) place(in request) (store.RoomID, error) {
	switch {
	case s.room == "" && in.Room == "":
		return "", store.Invalid("room_id", "must be given on a socket of all rooms")
	case s.room == "" || in.Room == s.room:
		return in.Room, nil
	case in.Room == "":
		return s.room, nil
	}
	return "", store.Invalid("room_id", "must be the room of this socket")
}

// inRoom refuses a message of another room as if it were not there.
func (s *session) inRoom(ctx context.Context, by store.User, id store.MessageID, room store.RoomID) error {
	m, err := s.hub.chat.Message(ctx, by, id)
	if err == nil && m.Room != room {
		err = store.NotFound("message", id.String())
	}
	return err
}

// post stores a message and acknowledges it. The cursor is read before the answer is
// queued: everything up to it is on its way to this socket already.
func (s *session) post(ctx context.Context, by store.User, d store.Draft) error {
	m, _, err := s.hub.chat.Post(ctx, by, d)
	if err != nil {
		return err
	}
	s.answer(ackFrame{"ack", d.ClientID, NewMessage(m, by.Username), s.hub.position().String()})
	return nil
}

// actedEvery is how often, at most, the loop hears that a session's person did something.
const actedEvery = time.Second

func (s *session) acted() {
	if now := time.Now(); now.Sub(s.input) >= actedEvery {
		s.input = now
		s.hub.do(func() { s.hub.loop.acted(s.person) })
	}
}

// errorFrame says what was refused. What is not the client's business goes to the log.
func (h *Hub) errorFrame(err error, clientID string) errorFrame {
	w := errorFrame{Type: "error", Timestamp: Time(h.options.Now()), ClientID: clientID}
	var fault *store.Fault
	switch {
	case errors.As(err, &fault):
		w.Error, w.Details, w.Code = fault.Text, fault.Details, fault.Code
		if errors.Is(err, store.ErrLimited) || errors.Is(err, store.ErrUnavailable) {
			w.RetryAfter = max(1, int(math.Ceil(fault.RetryAfter.Seconds())))
		}
	case errors.Is(err, store.ErrUnavailable):
		w.Error, w.Code, w.RetryAfter = "Writes are not possible now", "unavailable", 1
	default:
		h.options.Log.Error("answer a frame", "error", err)
		w.Error, w.Code = "Something went wrong", "internal"
	}
	return w
}
