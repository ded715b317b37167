package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// badInput is a request that must be refused and change nothing. In paths and bodies
// {room}, {message}, {elsewhere}, {line}, {secret}, {hidden}, {me} and {bob} stand for
// what badInputWorld makes.
type badInput struct {
	name, call, body string
	status           int
	code             string // empty: only the status is promised
}

const unknownMessage = "01930000-0000-7000-8000-000000000000"

// Texts that are in no text field.
var brokenTexts = []struct{ name, json string }{
	{"NUL", `a\u0000b`},
	{"raw invalid UTF-8", "a\xffb"},
	{"overlong UTF-8", "a\xc0\xafb"},
	{"UTF-8 of a surrogate", "a\xed\xa0\x80b"},
	{"cut off UTF-8", "a\xe2\x82"},
	{"lone high surrogate", `a\ud800b`},
	{"lone low surrogate", `a\udc00b`},
	{"high surrogate at the end", `a\ud83d`},
	{"surrogates in the wrong order", `\ude00\ud83d`},
	{"two high surrogates", `\ud83d\ud83d\ude00`},
}

// textFields are the calls that take a text; %s is where it goes.
var textFields = []struct{ call, body string }{
	{"POST /api/chat/rooms/{room}/messages", `{"content":"%s"}`},
	{"POST /api/messages", `{"room_id":"{room}","content":"%s"}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":"hello","client_id":"%s"}`},
	{"PATCH /api/messages/{message}", `{"content":"%s"}`},
	{"POST /api/chat/reactions", `{"message_id":"{message}","reaction":"%s"}`},
	{"POST /api/chat/rooms", `{"name":"%s"}`},
	{"POST /api/chat/rooms", `{"name":"fine","description":"%s"}`},
	{"PATCH /api/chat/rooms/{room}", `{"name":"%s"}`},
	{"PATCH /api/chat/rooms/{room}", `{"description":"%s"}`},
	{"PUT /api/users/profile", `{"firstName":"%s"}`},
	{"PUT /api/users/profile", `{"lastName":"%s"}`},
	{"PUT /api/users/profile", `{"username":"%s"}`},
	{"PUT /api/users/profile", `{"avatar":"https://example.com/%s"}`},
	{"PUT /api/users/profile", `{"profile":{"display_name":"%s"}}`},
	{"PUT /api/users/profile", `{"profile":{"bio":"%s"}}`},
	{"PATCH /api/workspace", `{"name":"%s"}`},
	{"POST /api/auth/register", `{"username":"%s","email":"new@example.com","password":"password123"}`},
	{"POST /api/auth/register", `{"username":"newcomer","email":"%s@example.com","password":"password123"}`},
	{"POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"password%s"}`},
	{"POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"password123","firstName":"%s"}`},
}

// wrongTypes are fields that hold another kind of JSON value than the document says.
var wrongTypes = []struct{ call, body string }{
	{"POST /api/chat/rooms/{room}/messages", `{"content":1}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":["hello"]}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":{"text":"hello"}}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":"hello","parent_id":1}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":"hello","client_id":17}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":"hello","message_type":1}`},
	{"POST /api/chat/rooms/{room}/messages", `{"content":"hello","attachments":"photo.png"}`},
	{"POST /api/messages", `{"room_id":7,"content":"hello"}`},
	{"POST /api/chat/messages", `{"room_id":["{room}"],"content":"hello"}`},
	{"PATCH /api/messages/{message}", `{"content":true}`},
	{"POST /api/chat/reactions", `{"message_id":7,"reaction":"x"}`},
	{"POST /api/chat/reactions", `{"message_id":"{message}","reaction":1}`},
	{"POST /api/chat/typing", `{"room_id":"{room}","is_typing":"yes"}`},
	{"POST /api/chat/typing", `{"room_id":1,"is_typing":true}`},
	{"PUT /api/messages/room/{room}/read", `{"up_to":7}`},
	{"POST /api/chat/rooms", `{"name":7}`},
	{"POST /api/chat/rooms", `{"name":"fine","description":false}`},
	{"POST /api/chat/rooms", `{"name":"fine","is_private":"true"}`},
	{"POST /api/chat/rooms", `{"name":"fine","isPrivate":1}`},
	{"POST /api/chat/rooms", `{"name":"fine","invited_users":"{bob}"}`},
	{"POST /api/chat/rooms", `{"name":"fine","invited_users":[true]}`},
	{"POST /api/chat/rooms/{room}/members", `{"user_ids":2}`},
	{"POST /api/chat/rooms/{room}/members", `{"user_ids":{"0":2}}`},
	{"POST /api/chat/dms", `{"user_ids":"2"}`},
	{"PATCH /api/chat/rooms/{room}", `{"name":["x"]}`},
	{"PATCH /api/chat/rooms/{room}", `{"is_private":"no"}`},
	{"PUT /api/users/profile", `{"firstName":1}`},
	{"PUT /api/users/profile", `{"profile":"hello"}`},
	{"PUT /api/users/profile", `{"profile":{"bio":1}}`},
	{"PUT /api/users/email", `{"email":1,"password":"password123"}`},
	{"PUT /api/users/change-password", `{"currentPassword":1,"newPassword":"password456"}`},
	{"PATCH /api/workspace", `{"name":1}`},
	{"POST /api/auth/register", `{"username":1,"email":"new@example.com","password":"password123"}`},
	{"POST /api/auth/register", `{"username":"newcomer","email":["new@example.com"],"password":"password123"}`},
	{"POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":12345678}`},
	{"POST /api/auth/login", `{"username":"ann","password":123}`},
	{"POST /api/auth/login", `{"username":{"$ne":null},"password":"password123"}`},
	{"POST /api/auth/refresh-token", `{"refreshToken":1}`},
	{"POST /api/auth/reset-password", `{"token":1,"newPassword":"password456"}`},
	{"POST /api/auth/forgot-password", `{"email":7}`},
	{"POST /api/admin/invites", `{"room_id":7}`},
}

// wrongValues are of the right kind and against a rule.
var wrongValues = []badInput{
	{"content missing", "POST /api/chat/rooms/{room}/messages", `{}`, 400, "invalid_content"},
	{"content null", "POST /api/chat/rooms/{room}/messages", `{"content":null}`, 400, "invalid_content"},
	{"content empty", "POST /api/chat/rooms/{room}/messages", `{"content":""}`, 400, "invalid_content"},
	{"content white", "POST /api/chat/rooms/{room}/messages", `{"content":" \t\r\n\u00a0\u2003 "}`, 400, "invalid_content"},
	{"content long", "POST /api/chat/rooms/{room}/messages", `{"content":"` + strings.Repeat("é", 16385) + `"}`, 400, "invalid_content"},
	{"system type", "POST /api/chat/rooms/{room}/messages", `{"content":"x","message_type":"system"}`, 400, "invalid_message_type"},
	{"system type in camelCase", "POST /api/chat/rooms/{room}/messages", `{"content":"x","messageType":"system"}`, 400, "invalid_message_type"},
	{"unknown type", "POST /api/chat/rooms/{room}/messages", `{"content":"x","message_type":"video"}`, 400, "invalid_message_type"},
	{"parent no id", "POST /api/chat/rooms/{room}/messages", `{"content":"x","parent_id":"first"}`, 400, "invalid_parent_id"},
	{"parent unknown", "POST /api/chat/rooms/{room}/messages", `{"content":"x","parent_id":"` + unknownMessage + `"}`, 400, "invalid_parent_id"},
	{"parent elsewhere", "POST /api/chat/rooms/{room}/messages", `{"content":"x","parent_id":"{elsewhere}"}`, 400, "invalid_parent_id"},
	{"parent hidden", "POST /api/chat/rooms/{room}/messages", `{"content":"x","parent_id":"{hidden}"}`, 400, "invalid_parent_id"},
	{"client_id long", "POST /api/chat/rooms/{room}/messages", `{"content":"x","client_id":"` + strings.Repeat("c", 65) + `"}`, 400, "invalid_client_id"},
	{"client_id not ASCII", "POST /api/chat/rooms/{room}/messages", `{"content":"x","client_id":"é"}`, 400, "invalid_client_id"},
	{"client_id with a line", "POST /api/chat/rooms/{room}/messages", `{"content":"x","client_id":"a\nb"}`, 400, "invalid_client_id"},
	{"an attachment", "POST /api/chat/rooms/{room}/messages", `{"content":"x","attachments":[{"id":"1"}]}`, 400, "invalid_attachments"},
	{"room_id missing", "POST /api/messages", `{"content":"x"}`, 400, "invalid_room_id"},
	{"room_id empty", "POST /api/messages", `{"room_id":"","content":"x"}`, 400, "invalid_room_id"},
	{"room_id long", "POST /api/messages", `{"room_id":"` + strings.Repeat("r", 51) + `","content":"x"}`, 400, "invalid_room_id"},
	{"room_id with NUL", "POST /api/messages", `{"room_id":"a\u0000","content":"x"}`, 400, ""},
	{"room_id unknown", "POST /api/messages", `{"room_id":"nowhere","content":"x"}`, 404, "room_not_found"},
	{"room_id hidden", "POST /api/messages", `{"room_id":"{secret}","content":"x"}`, 404, "room_not_found"},

	{"edit to nothing", "PATCH /api/messages/{message}", `{"content":"  "}`, 400, "invalid_content"},
	{"edit without content", "PATCH /api/messages/{message}", `{}`, 400, "invalid_content"},
	{"edit of a system line", "PATCH /api/messages/{line}", `{"content":"x"}`, 403, ""},
	{"reaction to a system line", "POST /api/chat/reactions", `{"message_id":"{line}","reaction":"x"}`, 403, ""},

	{"reaction missing", "POST /api/chat/reactions", `{"message_id":"{message}"}`, 400, "invalid_reaction"},
	{"reaction empty", "POST /api/chat/reactions", `{"message_id":"{message}","reaction":""}`, 400, "invalid_reaction"},
	{"reaction long", "POST /api/chat/reactions", `{"message_id":"{message}","reaction":"` + strings.Repeat("é", 33) + `"}`, 400, "invalid_reaction"},
	{"reaction with a space", "POST /api/chat/reactions", `{"message_id":"{message}","reaction":"a b"}`, 400, "invalid_reaction"},
	{"reaction to no id", "POST /api/chat/reactions", `{"message_id":"x","reaction":"x"}`, 400, "invalid_message_id"},
	{"reaction to nothing", "POST /api/chat/reactions", `{"reaction":"x"}`, 400, "invalid_message_id"},
	{"reaction to an unknown message", "POST /api/chat/reactions", `{"message_id":"` + unknownMessage + `","reaction":"x"}`, 404, "message_not_found"},
	{"reaction to a hidden message", "POST /api/chat/reactions", `{"message_id":"{hidden}","reaction":"x"}`, 404, "message_not_found"},
	{"reaction taken back from no id", "DELETE /api/chat/reactions?message_id=x&reaction=x", ``, 400, "invalid_message_id"},
	{"reaction taken back from nothing", "DELETE /api/chat/reactions", ``, 400, ""},

	{"typing nowhere", "POST /api/chat/typing", `{"is_typing":true}`, 400, "invalid_room_id"},
	{"typing in a hidden room", "POST /api/chat/typing", `{"room_id":"{secret}","is_typing":true}`, 404, "room_not_found"},

	{"up_to missing", "PUT /api/messages/room/{room}/read", `{}`, 400, "invalid_up_to"},
	{"up_to no id", "PUT /api/messages/room/{room}/read", `{"up_to":"last"}`, 400, "invalid_up_to"},
	{"up_to elsewhere", "PUT /api/messages/room/{room}/read", `{"up_to":"{elsewhere}"}`, 400, "invalid_up_to"},
	{"up_to hidden", "PUT /api/messages/room/{room}/read", `{"up_to":"{hidden}"}`, 400, "invalid_up_to"},

	{"room without name", "POST /api/chat/rooms", `{}`, 400, "invalid_name"},
	{"room with an empty name", "POST /api/chat/rooms", `{"name":""}`, 400, "invalid_name"},
	{"room with a white name", "POST /api/chat/rooms", `{"name":"   "}`, 400, "invalid_name"},
	{"room with a long name", "POST /api/chat/rooms", `{"name":"` + strings.Repeat("é", 101) + `"}`, 400, "invalid_name"},
	{"room with a line break", "POST /api/chat/rooms", `{"name":"a\nb"}`, 400, "invalid_name"},
	{"room with an escape", "POST /api/chat/rooms", `{"name":"a\u001bb"}`, 400, "invalid_name"},
	{"room with a C1 control", "POST /api/chat/rooms", `{"name":"a\u0085b"}`, 400, "invalid_name"},
	{"room with a long description", "POST /api/chat/rooms", `{"name":"x","description":"` + strings.Repeat("d", 1001) + `"}`, 400, "invalid_description"},
	{"room inviting nobody known", "POST /api/chat/rooms", `{"name":"x","invited_users":[424242]}`, 400, "invalid_invited_users"},
	{"room inviting an unknown ObjectId", "POST /api/chat/rooms", `{"name":"x","invited_users":["65f0c0ffee65f0c0ffee65f0"]}`, 400, "invalid_invited_users"},
	{"room inviting a name", "POST /api/chat/rooms", `{"name":"x","invited_users":["bob"]}`, 400, "invalid_invited_users"},
	{"room inviting 0", "POST /api/chat/rooms", `{"name":"x","invited_users":[0]}`, 400, "invalid_invited_users"},
	{"room inviting a fraction", "POST /api/chat/rooms", `{"name":"x","invited_users":[1.5]}`, 400, "invalid_invited_users"},
	{"renaming to nothing", "PATCH /api/chat/rooms/{room}", `{"name":""}`, 400, "invalid_name"},
	{"renaming too long", "PATCH /api/chat/rooms/{room}", `{"name":"` + strings.Repeat("n", 101) + `"}`, 400, "invalid_name"},
	{"describing too long", "PATCH /api/chat/rooms/{room}", `{"description":"` + strings.Repeat("d", 1001) + `"}`, 400, "invalid_description"},

	{"members missing", "POST /api/chat/rooms/{room}/members", `{}`, 400, "invalid_user_ids"},
	{"a member who is not there", "POST /api/chat/rooms/{room}/members", `{"user_ids":[424242]}`, 400, "invalid_user_ids"},
	{"a negative member", "POST /api/chat/rooms/{room}/members", `{"user_ids":[-1]}`, 400, "invalid_user_ids"},
	{"a member beyond all numbers", "POST /api/chat/rooms/{room}/members", `{"user_ids":[123456789012345678901234567890]}`, 400, "invalid_user_ids"},
	{"a member of 23 digits", "POST /api/chat/rooms/{room}/members", `{"user_ids":["65f0c0ffee65f0c0ffee65f"]}`, 400, "invalid_user_ids"},
	{"direct with nobody known", "POST /api/chat/dms", `{"user_ids":[424242]}`, 400, "invalid_user_ids"},
	{"direct without people", "POST /api/chat/dms", `{}`, 400, "invalid_user_ids"},
	{"direct with null", "POST /api/chat/dms", `{"user_ids":null}`, 400, "invalid_user_ids"},

	{"workspace without name", "PATCH /api/workspace", `{}`, 400, "invalid_name"},
	{"workspace with an empty name", "PATCH /api/workspace", `{"name":""}`, 400, "invalid_name"},
	{"workspace with a long name", "PATCH /api/workspace", `{"name":"` + strings.Repeat("w", 101) + `"}`, 400, "invalid_name"},
	{"workspace with a control character", "PATCH /api/workspace", `{"name":"a\u0007b"}`, 400, "invalid_name"},
	{"invitation to a room that is not there", "POST /api/admin/invites", `{"room_id":"nowhere"}`, 404, "room_not_found"},
	{"invitation to no room id", "POST /api/admin/invites", `{"room_id":"` + strings.Repeat("r", 51) + `"}`, 400, "invalid_room_id"},

	{"profile with a long name", "PUT /api/users/profile", `{"firstName":"` + strings.Repeat("f", 51) + `"}`, 400, "invalid_first_name"},
	{"profile with a script", "PUT /api/users/profile", `{"avatar":"javascript:alert(1)"}`, 400, "invalid_avatar"},
	{"profile with data", "PUT /api/users/profile", `{"avatar":"data:image/png;base64,AAAA"}`, 400, "invalid_avatar"},
	{"profile over plain HTTP", "PUT /api/users/profile", `{"avatar":"http://example.com/a.png"}`, 400, "invalid_avatar"},
	{"profile with a long avatar", "PUT /api/users/profile", `{"avatar":"https://example.com/` + strings.Repeat("a", 500) + `"}`, 400, "invalid_avatar"},
	{"profile with a script in avatar_url", "PUT /api/users/profile", `{"profile":{"avatar_url":"javascript:alert(1)"}}`, 400, ""},
	{"profile with a taken username", "PUT /api/users/profile", `{"username":"BOB"}`, 409, "username_taken"},
	{"e-mail taken", "PUT /api/users/email", `{"email":"BOB@example.com","password":"password123"}`, 409, "email_taken"},
	{"e-mail that is none", "PUT /api/users/email", `{"email":"bob","password":"password123"}`, 400, "invalid_email"},
	{"e-mail without password", "PUT /api/users/email", `{"email":"new@example.com"}`, 403, "wrong_password"},
	{"short new password", "PUT /api/users/change-password", `{"currentPassword":"password123","newPassword":"short"}`, 400, "invalid_new_password"},
	{"long new password", "PUT /api/users/change-password", `{"currentPassword":"password123","newPassword":"` + strings.Repeat("é", 37) + `"}`, 400, "invalid_new_password"},

	{"unknown reset token", "POST /api/auth/reset-password", `{"token":"x","newPassword":"password456"}`, 400, "invalid_token"},
	{"reset token missing", "POST /api/auth/reset-password", `{"newPassword":"password456"}`, 400, "invalid_token"},
	{"unknown verification token", "POST /api/auth/verify-email", `{"token":"x"}`, 400, "invalid_token"},
	{"unknown refresh token", "POST /api/auth/refresh-token", `{"refreshToken":"x"}`, 401, "refresh_token_invalid"},
	{"login with nothing", "POST /api/auth/login", `{}`, 400, ""},
	{"wrong setup code", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"password123","setup_code":"x"}`, 403, "wrong_setup_code"},
	{"wrong invite", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"password123","invite":"x"}`, 403, "invite_invalid"},
	{"short password", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"seven77"}`, 400, "invalid_password"},
	{"long password", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"` + strings.Repeat("p", 73) + `"}`, 400, "invalid_password"},
	{"password missing", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com"}`, 400, "invalid_password"},
	{"e-mail missing", "POST /api/auth/register", `{"username":"newcomer","password":"password123"}`, 400, "invalid_email"},
	{"long first name", "POST /api/auth/register", `{"username":"newcomer","email":"new@example.com","password":"password123","firstName":"` + strings.Repeat("f", 51) + `"}`, 400, "invalid_first_name"},
}

// badUsernames cannot be chosen.
var badUsernames = []string{
	"", "ab", strings.Repeat("u", 31), ".dot", "dot.", "-dash", "dash-", "with space", "with/slash", "with@at", "umläut", "日本語",
	"a\u202eb", "zero\u200bwidth", "me", "Me", "system", "SYSTEM", "all", "All", "here", "HERE", "room", "Room",
	"deleted-7", "Deleted-7", "deleted-", "deleted-x",
}

// badEmails are none.
var badEmails = []string{
	"new", "@example.com", "new@", "new@@example.com", "new example@example.com", "new@example.com, bob@example.com",
	"new\\r\\nBcc: bob@example.com", "<new@example.com>", strings.Repeat("n", 250) + "@example.com",
}

// badPlaces are paths that name nothing, or what Ann may not know of.
var badPlaces = []string{
	"GET /api/chat/rooms/nowhere", "GET /api/chat/rooms/{secret}", "GET /api/chat/rooms/" + strings.Repeat("r", 51), "GET /api/chat/rooms/%00",
	"GET /api/chat/rooms/%ff", "GET /api/chat/rooms/%2e%2e", "GET /api/chat/rooms/{room}%2fmembers", "GET /api/chat/rooms/{room}%00", "GET /api/chat/rooms/%7Broom%7D",
	"DELETE /api/chat/rooms/{secret}", "DELETE /api/chat/rooms/nowhere",
	"POST /api/chat/rooms/{secret}/join", "POST /api/chat/rooms/nowhere/join", "POST /api/chat/rooms/{secret}/leave", "POST /api/chat/rooms/nowhere/leave",
	"GET /api/chat/rooms/{secret}/members", "GET /api/chat/rooms/nowhere/members", "DELETE /api/chat/rooms/{secret}/members/{bob}", "DELETE /api/chat/rooms/nowhere/members/{bob}",
	"GET /api/chat/rooms/{secret}/messages", "GET /api/chat/rooms/nowhere/messages", "GET /api/messages/room/{secret}", "GET /api/messages/room/nowhere",
	"GET /api/messages/rooms/{secret}/messages", "GET /api/messages/rooms/nowhere/messages",
	"GET /api/messages/{hidden}", "GET /api/messages/" + unknownMessage, "GET /api/messages/7", "GET /api/messages/%00", "GET /api/messages/" + strings.Repeat("f", 4000),
	"GET /api/messages/{hidden}/thread", "GET /api/messages/x/thread", "GET /api/messages/{hidden}/receipts", "GET /api/messages/x/receipts",
	"DELETE /api/messages/{hidden}", "DELETE /api/messages/" + unknownMessage, "DELETE /api/messages/x", "PUT /api/messages/{hidden}/read", "PUT /api/messages/" + unknownMessage + "/read",
	"PUT /api/messages/x/read", "POST /api/messages/{hidden}/unread", "POST /api/messages/x/unread",
	"GET /api/users/0", "GET /api/users/-1", "GET /api/users/424242", "GET /api/users/99999999999999999999", "GET /api/users/1.5", "GET /api/users/+1", "GET /api/users/bob",
	"GET /api/users/65f0c0ffee65f0c0ffee65f0", "GET /api/users/65f0c0ffee65f0c0ffee65f", "GET /api/users/zzf0c0ffee65f0c0ffee65f0", "GET /api/users/%00",
	"GET /api/messages/unread/x", "GET /api/messages/unread/0", "POST /api/admin/users/x/reset-link", "POST /api/admin/users/424242/reset-link",
	"GET /api", "GET /api/", "GET /api/nothing", "POST /api/chat", "GET /api/chat/rooms/{room}/nothing", "GET /API/nothing",
}

// badQueries are refused with 400.
var badQueries = []string{
	"/api/messages/room/{room}?limit=0", "/api/messages/room/{room}?limit=-1", "/api/messages/room/{room}?limit=ten", "/api/messages/room/{room}?limit=1.5",
	"/api/messages/room/{room}?limit=1e2", "/api/messages/room/{room}?limit=0x10", "/api/messages/room/{room}?limit=+5%20", "/api/messages/room/{room}?limit=%00",
	"/api/messages/room/{room}?before=x", "/api/messages/room/{room}?after=7", "/api/messages/room/{room}?around=-", "/api/messages/room/{room}?before=" + unknownMessage,
	"/api/messages/room/{room}?before={elsewhere}", "/api/messages/room/{room}?after={elsewhere}", "/api/messages/room/{room}?around={elsewhere}", "/api/messages/room/{room}?around={hidden}",
	"/api/messages/room/{room}?before={message}&after={message}", "/api/messages/room/{room}?before={message}&around={message}", "/api/messages/room/{room}?after={message}&around={message}",
	"/api/messages/rooms/{room}/messages?limit=0", "/api/messages/{message}/thread?limit=0", "/api/messages/{message}/thread?before={message}&after={message}", "/api/messages/{message}/thread?after=x",
	"/api/chat/rooms/{room}/messages?limit=x", "/api/chat/rooms/{room}/messages?offset=-1", "/api/chat/rooms/{room}/messages?offset=x", "/api/chat/rooms/{room}/messages?offset=1.5",
	"/api/chat/rooms?limit=0", "/api/chat/rooms?limit=many", "/api/chat/rooms/{room}/members?limit=0", "/api/chat/rooms/{room}/members?after=x", "/api/chat/rooms/{room}/members?after=-1",
	"/api/users?limit=0", "/api/users?limit=x", "/api/users?after=x", "/api/users/users?limit=-5",
}

// badBodies are no JSON object at all.
var badBodies = []struct{ name, body string }{
	{"cut off", `{"content":"x"`}, {"two values", `{"content":"x"}{"content":"y"}`}, {"something after it", `{"content":"x"} x`}, {"an array", `[{"content":"x"}]`},
	{"a string", `"content"`}, {"a number", `7`}, {"single quotes", `{'content':'x'}`}, {"a trailing comma", `{"content":"x",}`}, {"not JSON", `content=x`},
	{"a comment", `{"content":"x"/**/}`}, {"a bare control character", "{\"content\":\"a\nb\"}"}, {"a lone NUL", "\x00"},
	{"deep arrays", `{"content":"x","junk":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`},
	{"deep objects", strings.Repeat(`{"content":`, 50_000) + `1` + strings.Repeat(`}`, 50_000)},
	{"deep and never closed", strings.Repeat("[", 500_000)},
}

// badMedia are content types other than JSON.
var badMedia = []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "text/json", "application/octet-stream", "json"}

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	w := newBadInputWorld(t)
	before := w.snapshot()
	// unchanged runs after each group of refusals.
	unchanged := func(t *testing.T) {
		t.Helper()
		if after := w.snapshot(); after != before {
			t.Errorf("something changed\nbefore %s\nafter  %s", before, after)
			before = after
		}
	}
	group := func(name string, refuse func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			refuse(t)
			unchanged(t)
		})
	}

	group("values", func(t *testing.T) {
		for _, b := range wrongValues {
			w.refused(t, b, nil)
		}
	})
	for _, f := range textFields {
		group("text of "+f.call+" "+f.body, func(t *testing.T) {
			for _, b := range brokenTexts {
				w.refused(t, badInput{b.name, f.call, strings.Replace(f.body, "%s", b.json, 1), 400, ""}, nil)
			}
		})
	}
	group("types", func(t *testing.T) {
		for _, b := range wrongTypes {
			w.refused(t, badInput{"wrong type", b.call, b.body, 400, ""}, nil)
		}
	})
	group("names", func(t *testing.T) {
		for _, name := range badUsernames {
			register := fmt.Sprintf(`{"username":%q,"email":"new@example.com","password":"password123"}`, name)
			w.refused(t, badInput{"registered name", "POST /api/auth/register", register, 400, "invalid_username"}, nil)
			w.refused(t, badInput{"new name", "PUT /api/users/profile", fmt.Sprintf(`{"username":%q}`, name), 400, "invalid_username"}, nil)
		}
		for _, email := range badEmails {
			register := `{"username":"newcomer","email":"` + email + `","password":"password123"}`
			w.refused(t, badInput{"registered e-mail", "POST /api/auth/register", register, 400, "invalid_email"}, nil)
			w.refused(t, badInput{"new e-mail", "PUT /api/auth/email", `{"email":"` + email + `","password":"password123"}`, 400, "invalid_email"}, nil)
		}
	})
	group("places", func(t *testing.T) {
		for _, call := range badPlaces {
			w.refused(t, badInput{"place", call, "", 404, ""}, nil)
		}
	})
	group("queries", func(t *testing.T) {
		for _, path := range badQueries {
			w.refused(t, badInput{"query", "GET " + path, "", 400, ""}, nil)
		}
	})
	large := `{"content":"` + strings.Repeat("x", 10<<20) + `"}`
	for _, op := range theDocument().operations {
		if !op.HasBody {
			continue
		}
		call := op.Method + " " + w.place(op.Path)
		group("body of "+op.ID, func(t *testing.T) {
			for _, b := range badBodies {
				w.refused(t, badInput{b.name, call, b.body, 400, "invalid_body"}, nil)
			}
			for _, media := range badMedia {
				w.refused(t, badInput{media, call, `{"content":"x"}`, 415, "wrong_media_type"}, http.Header{"Content-Type": {media}})
			}
			w.refused(t, badInput{"gzip", call, `{"content":"x"}`, 415, "wrong_media_type"}, http.Header{"Content-Encoding": {"gzip"}})
			w.refused(t, badInput{"a byte over 1 MiB", call, `{"content":"` + strings.Repeat("x", 1<<20-13) + `"}`, 413, "body_too_large"}, nil)
			w.refused(t, badInput{"10 MB", call, large, 413, "body_too_large"}, nil)
		})
	}
}

// What looks odd and is fine.
func TestOddInputIsFine(t *testing.T) {
	t.Parallel()
	w := newBadInputWorld(t)
	posts := "POST /api/chat/rooms/{room}/messages"
	for _, tt := range []struct {
		name, call, body string
		status           int
	}{
		{"an escaped pair of surrogates", posts, `{"content":"\ud83d\ude00"}`, 201},
		{"an escaped backslash before a u", posts, `{"content":"\\ud800"}`, 201},
		{"the longest content", posts, `{"content":"` + strings.Repeat("😀", 16384) + `"}`, 201},
		{"white space around the longest content", posts, `{"content":"  ` + strings.Repeat("x", 16384) + `\n"}`, 201},
		{"fields that nobody knows", posts, `{"content":"x","extra":{"deep":[[[]]]},"user_id":{},"username":7,"sender_id":[]}`, 201},
		{"the longest client_id", posts, `{"content":"x","client_id":"` + strings.Repeat("~", 64) + `"}`, 201},
		{"a byte order of keys", posts, `{"client_id":"k","content":"x","parent_id":null,"attachments":[]}`, 201},
		{"white space around the body", posts, "\r\n\t {\"content\":\"x\"} \n", 201},
		{"the longest name", "POST /api/chat/rooms", `{"name":"` + strings.Repeat("é", 100) + `","description":"` + strings.Repeat("d", 1000) + `"}`, 201},
		{"people by every name they have", "POST /api/chat/rooms/{room}/members", `{"user_ids":[{bob},"{bob}"]}`, 200},
		{"a limit above the maximum", "GET /api/messages/room/{room}?limit=100000", ``, 200},
		{"a limit beyond all numbers", "GET /api/messages/room/{room}?limit=99999999999999999999999", ``, 200},
		{"an offset past the end", "GET /api/chat/rooms/{room}/messages?offset=1000000", ``, 200},
		{"a user beyond the end", "GET /api/users?after=1000000", ``, 200},
		{"a path that ends with a slash", "GET /api/users/", ``, 200},
		{"a percent-encoded id", "GET /api/chat/rooms/%{roomhex}", ``, 200},
	} {
		method, path, _ := strings.Cut(w.fill(tt.call), " ")
		r := request{Method: method, Path: path}
		if tt.body != "" {
			r.Body = w.fill(tt.body)
		}
		if got := w.ann.Send(r); got.Status != tt.status {
			t.Errorf("%s: %s = %d %.300s, want %d", tt.name, tt.call, got.Status, got.Body, tt.status)
		}
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	h := start(t, options{})
	ann := h.Arrives(t, "ann")
	head, rest, _ := strings.Cut(ann.Token, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	for name, header := range map[string]http.Header{
		"none":                 {},
		"empty":                {"Authorization": {"Bearer "}},
		"no scheme":            {"Authorization": {ann.Token}},
		"another scheme":       {"Authorization": {"Basic " + ann.Token}},
		"not a token":          {"Authorization": {"Bearer x"}},
		"without a signature":  {"Authorization": {"Bearer " + head + "." + claims + "."}},
		"signed by nobody":     {"Authorization": {"Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + claims + "."}},
		"of another signature": {"Authorization": {"Bearer " + head + "." + claims + "." + strings.ToUpper(signature)}},
		"a refresh token":      {"Authorization": {"Bearer " + ann.Refresh}},
		"very long":            {"Authorization": {"Bearer " + strings.Repeat("x", 5000)}},
	} {
		h.Nobody(t).Send(request{Method: "GET", Path: "/api/users/me", Header: header}).Must(401)
		if conn, got := h.Nobody(t).Handshake("/api/chat/ws", header); got.Status != 401 {
			t.Errorf("a socket with a token that is %s = %d, want 401", name, got.Status)
			if conn != nil {
				conn.Close()
			}
		}
	}
	for _, protocol := range []string{"bearer", "bearer, ", "bearer, x", "chat, " + ann.Token, ann.Token} {
		header := http.Header{"Sec-Websocket-Protocol": {protocol}, "Origin": {h.URL}}
		if conn, got := h.Nobody(t).Handshake("/api/chat/ws", header); got.Status != 401 {
			t.Errorf("a socket with the protocols %.20q = %d, want 401", protocol, got.Status)
			if conn != nil {
				conn.Close()
			}
		}
	}
	h.Nobody(t).Do("GET", "/api/users/me?token="+ann.Token+"&access_token="+ann.Token, nil).Must(401)
	if conn, got := h.Nobody(t).Handshake("/api/chat/ws?token="+ann.Token, nil); got.Status != 401 {
		t.Errorf("a socket with the token in its URL = %d, want 401", got.Status)
		if conn != nil {
			conn.Close()
		}
	}
}

// badInputWorld is what the cases name: Ann, an administrator, in a public room with Bob
// and a message; a message elsewhere; and what Carla keeps from them.
type badInputWorld struct {
	ann, bob *actor
	replacer *strings.Replacer
	room     string
}

func newBadInputWorld(t *testing.T) *badInputWorld {
	h := start(t, options{})
	ann, bob, carla := h.SetsUp(t, "ann"), h.Arrives(t, "bob"), h.Arrives(t, "carla")
	room, other, secret := ann.Makes("General", bob), ann.Makes("Other"), carla.MakesPrivate("Secret")
	line := ann.Do("GET", "/api/messages/room/"+room, nil).Must(200).String("0.id")
	var hex strings.Builder
	for _, b := range []byte(room) {
		fmt.Fprintf(&hex, "%%%02x", b)
	}
	return &badInputWorld{ann: ann, bob: bob, room: room, replacer: strings.NewReplacer(
		"{room}", room, "{message}", ann.Post(room, "hello"), "{elsewhere}", ann.Post(other, "elsewhere"), "{line}", line,
		"{secret}", secret, "{hidden}", carla.Post(secret, "hidden"), "{me}", fmt.Sprint(ann.Number), "{bob}", fmt.Sprint(bob.Number),
		"%{roomhex}", hex.String(),
	)}
}

// refused sends a case as Ann and expects the documented error.
func (w *badInputWorld) refused(t *testing.T, b badInput, header http.Header) {
	t.Helper()
	method, path, _ := strings.Cut(w.fill(b.call), " ")
	r := request{Method: method, Path: path, Header: header}
	if b.body != "" {
		r.Body = w.fill(b.body)
	}
	got := w.ann.Send(r)
	if got.Status != b.status {
		t.Errorf("%s: %s %.200q = %d %.300s, want %d", b.name, b.call, b.body, got.Status, got.Body, b.status)
		return
	}
	if code := got.String("code"); b.code != "" && code != b.code {
		t.Errorf("%s: %s %.200q has the code %q, want %q", b.name, b.call, b.body, code, b.code)
	}
}

func (w *badInputWorld) fill(s string) string { return w.replacer.Replace(s) }

// place fills the parameters of a path of the document.
func (w *badInputWorld) place(path string) string {
	switch {
	case strings.HasPrefix(path, "/api/messages/{id}"):
		path = strings.Replace(path, "{id}", "{message}", 1)
	case strings.HasPrefix(path, "/api/admin/users/"):
		path = strings.Replace(path, "{id}", "{bob}", 1)
	}
	return strings.NewReplacer("{id}", "{room}", "{user}", "{bob}").Replace(path)
}

// snapshot is all that Ann and Bob can see, except when they were last seen.
func (w *badInputWorld) snapshot() string {
	var all strings.Builder
	for _, path := range []string{
		"/api/chat/rooms", "/api/messages/room/" + w.room, "/api/chat/rooms/" + w.room + "/members", "/api/users/profile", "/api/workspace",
		"/api/messages/unread/me", "/api/users?q=" + url.QueryEscape("newcomer"), "/api/users?limit=200",
	} {
		for _, who := range []*actor{w.ann, w.bob} {
			all.Write(who.Do("GET", path, nil).Must(200).Body)
		}
	}
	return all.String()
}
