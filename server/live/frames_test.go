package live

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearthchat/hearth/store"
)

var update = flag.Bool("update", false, "write the golden files")

// TestWire holds every frame to a golden file. The web application's tests read the same
// files, so neither side changes alone.
func TestWire(t *testing.T) {
	for name, v := range wireFrames() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := json.Indent(&got, payload(encode(v)), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			file := filepath.Join("testdata", "wire", name+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s is\n%swant\n%s", name, got.String(), want)
			}
		})
	}
}

// wireFrames is one of each frame, and more where one does not show everything.
func wireFrames() map[string]any {
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	cursor := store.Position{Epoch: 1, Seq: 41}.String()
	root, _ := store.ParseMessageID("0195600d-5f9f-7000-8000-000000000001")
	reply, _ := store.ParseMessageID("0195600d-5f9f-7000-8000-000000000002")
	user := store.User{
		ID: 7, Object: store.NewObjectID(at, [4]byte{1, 2, 3, 4}, 7), Username: "ann", Email: "ann@example.org",
		FirstName: "Ann", LastName: "Lee", DisplayName: "Ann L.", Bio: "Hi <b>", Role: store.RoleMember, Active: true,
		CreatedAt: at, UpdatedAt: at.Add(time.Hour),
	}
	room := store.Room{
		ID: "0195600d-0000-7000-8000-000000000009", Kind: store.KindOpen, Name: "Lobby", Description: "For all",
		Creator: 7, CreatedAt: at, Head: 12, LastAt: at.Add(time.Minute), Members: 3,
	}
	direct := room
	direct.Kind, direct.Name, direct.LastAt = store.KindDirect, "", time.Time{}
	unread, mentions, joined := 2, 1, true
	own := NewRoom(room, room.Name, 2)
	own.UnreadCount, own.MentionCount, own.Joined = &unread, &mentions, &joined
	m := store.Message{ID: root, Room: room.ID, Seq: 11, Author: 7, Type: store.TypeText, Content: "Hello & <welcome> 👋", At: at}
	edited := m
	edited.Content, edited.EditedAt, edited.ReplyCount = "Hello", at.Add(time.Second), 1
	edited.Reactions = []store.Reaction{{Name: "👍", Users: []store.UserID{7, 1}}}
	deleted := m
	deleted.Content, deleted.Deleted = "", true
	answer := store.Message{
		ID: reply, Room: room.ID, Seq: 12, Author: 8, Type: store.TypeText, Content: "@ann @room look", Parent: root, Root: root,
		At: at, Mentions: []store.UserID{7}, MentionsRoom: true, ClientID: "c-17",
	}
	system := store.Message{ID: root, Room: room.ID, Seq: 1, Author: 7, Type: store.TypeSystem, Content: store.LineCreated, At: at}
	h := &Hub{options: Options{Now: func() time.Time { return at }}.withDefaults()}
	return map[string]any{
		"hello":            helloFrame{"hello", cursor, NewUser(user, Online), 25, map[store.RoomID]roomState{room.ID: {12, 2, 1}, "general": {}}},
		"ack":              ackFrame{"ack", "c-17", NewMessage(answer, "bob"), cursor},
		"message":          messageFrame{"message", NewMessage(m, "ann"), cursor},
		"message_reply":    messageFrame{"message", NewMessage(answer, "bob"), cursor},
		"message_system":   messageFrame{"message", NewMessage(system, "ann"), cursor},
		"message_updated":  messageFrame{"message_updated", NewMessage(edited, "ann"), cursor},
		"message_deleted":  messageFrame{"message_deleted", NewMessage(deleted, "ann"), cursor},
		"reaction_added":   reactionFrame{"reaction_added", room.ID, ID(root), "👍", 7, NewReactions(edited.Reactions), cursor},
		"reaction_removed": reactionFrame{"reaction_removed", room.ID, ID(root), "👍", 7, NewReactions(nil), cursor},
		"read_receipt":     receiptFrame{"read_receipt", room.ID, 8, ID(reply), 12, Time(at), cursor},
		"typing_update":    typingFrame{"typing_update", room.ID, []store.UserID{7, 8}, Time(at)},
		"typing_nobody":    typingFrame{"typing_update", room.ID, []store.UserID{}, Time(at)},
		"presence_change":  presenceFrame{"presence_change", 7, "ann", Away, Time(at)},
		"user_joined":      memberFrame{"user_joined", room.ID, 7, "ann", Time(at), cursor},
		"user_left":        memberFrame{"user_left", room.ID, 7, "ann", Time(at), cursor},
		"room_created":     roomFrame{"room_created", own, room.ID, cursor},
		"room_updated":     roomFrame{"room_updated", NewRoom(room, room.Name, 2), room.ID, cursor},
		"room_direct":      roomFrame{"room_created", NewRoom(direct, "bob, cyd", 0), room.ID, cursor},
		"room_deleted":     roomDeletedFrame{"room_deleted", room.ID, cursor},
		"unread_update":    unreadFrame{"unread_update", room.ID, 1, 0, ID(root), ID(reply)},
		"unread_nothing":   unreadFrame{"unread_update", room.ID, 0, 0, ID{}, ID{}},
		"user_updated":     userFrame{"user_updated", NewUser(user, Busy), 7, cursor},
		"live":             liveFrame{"live", cursor},
		"resync":           bareFrame{"resync"},
		"pong":             bareFrame{"pong"},
		"error":            h.errorFrame(store.Invalid("content", "must be given"), "c-17"),
		"error_limited":    h.errorFrame(&store.Fault{Kind: store.ErrLimited, Code: "rate_limited", Text: "Too many requests", RetryAfter: 1500 * time.Millisecond}, ""),
		"error_internal":   h.errorFrame(os.ErrPermission, ""),
	}
}

func TestFrameHeaders(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 200_000} {
		p := make([]byte, maxHeader+size)
		from := header(p, maxHeader, opText, size)
		if got := payload(p[from:]); p[from] != 0x81 || len(got) != size {
			t.Errorf("a frame of %d bytes begins %x and holds %d", size, p[from:maxHeader], len(got))
		}
	}
	long := closeFrame(CloseRestart, strings.Repeat("x", 200))
	if len(long) != 127 || long[1] != 125 {
		t.Errorf("a close frame has %d bytes and says %d", len(long), long[1])
	}
}
