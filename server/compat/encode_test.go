package compat

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/live"
	"github.com/hearthchat/hearth/store"
)

// decoded returns a JSON text as plain values.
func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// TestMessagesAsEncodingJSONHasThem fills messages at random and compares the two ways.
func TestMessagesAsEncodingJSONHasThem(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	texts := []string{"", "hello", `"quoted" \ back`, "a\nb\r\t\b\f\x01\x1f\x7f", "<script>&amp;</script>", "日本語 👍🏽 é", "\u2028\u2029", "a\xffb\xc0\xaf", "�"}
	text := func() string { return texts[random.IntN(len(texts))] + texts[random.IntN(len(texts))] }
	id := func() (id store.MessageID) {
		if random.IntN(3) > 0 {
			for i := range id {
				id[i] = byte(random.Uint32())
			}
		}
		return id
	}
	when := func() time.Time {
		if random.IntN(3) == 0 {
			return time.Time{}
		}
		return time.UnixMilli(random.Int64N(4e12)).In(time.FixedZone("", 3600))
	}
	for range 500 {
		m := store.Message{
			ID: id(), Room: store.RoomID(text()), Seq: store.Seq(random.Uint64()), Author: store.UserID(random.Int64()), Type: store.TypeFile, Content: text(),
			Parent: id(), Root: id(), At: when(), EditedAt: when(), Deleted: random.IntN(2) == 0, MentionsRoom: random.IntN(2) == 0,
			ClientID: text(), ReplyCount: random.IntN(9),
		}
		for range random.IntN(3) {
			m.Mentions = append(m.Mentions, store.UserID(random.IntN(99)))
			m.Reactions = append(m.Reactions, store.Reaction{Name: text(), Users: []store.UserID{1, store.UserID(random.IntN(99))}})
		}
		posted := NewPosted(NewMessage(live.NewMessage(m, text()), store.NewObjectID(time.UnixMilli(random.Int64N(4e12)), [4]byte{1, 2}, 7)))
		for _, pair := range []struct {
			name string
			ours []byte
			v    any
		}{
			{"Message", posted.Message.AppendJSON([]byte("left alone"))[len("left alone"):], posted.Message},
			{"Posted", posted.AppendJSON(nil), posted},
			{"page", AppendMessages(nil, []Message{posted.Message, posted.Message}), []Message{posted.Message, posted.Message}},
		} {
			theirs, err := json.Marshal(pair.v)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := decoded(t, pair.ours), decoded(t, theirs); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %s:\n%s\n%s", seed, pair.name, pair.ours, theirs)
			}
		}
	}
	if got := string(AppendMessages(nil, nil)); got != "[]" {
		t.Errorf("no messages are %s", got)
	}
}
