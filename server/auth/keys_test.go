package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hearthchat/hearth/store"
)

var (
	testStart     = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	testWorkspace = store.ObjectID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	testUser      = store.User{ID: 7, Object: store.ObjectID{0xaa, 0xbb}, Username: "ann"}
)

const goodSecret = "kT4cVq9w7ZsXbN2mLr8yHf3uJd6gPa1e"

func openKeys(t *testing.T, o KeyOptions) *Keys {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return testStart }
	}
	k, warnings, err := OpenKeys(t.TempDir(), testWorkspace, o)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("OpenKeys: %v %q", err, warnings)
	}
	return k
}

func issue(t *testing.T, k *Keys) string {
	t.Helper()
	token, err := k.Issue(testUser, "5e55")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// part decodes the header (0) or the claims (1) of a token.
func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestTokenSaysWhatTheContractPromises(t *testing.T) {
	k := openKeys(t, KeyOptions{})
	token := issue(t, k)
	header, claims := part(t, token, 0), part(t, token, 1)
	if header["alg"] != "HS256" || header["kid"] != k.kid || k.kid == "" {
		t.Errorf("header = %v", header)
	}
	if jti, ok := claims["jti"].(string); !ok || len(jti) != 32 {
		t.Errorf("jti = %v", claims["jti"])
	}
	delete(claims, "jti")
	want := map[string]any{
		"iss": "hearth", "aud": testWorkspace.String(), "sub": testUser.Object.String(), "userId": testUser.Object.String(),
		"user_id": 7.0, "username": "ann", "type": "access", "sid": "5e55",
		"iat": float64(testStart.Unix()), "exp": float64(testStart.Add(15 * time.Minute).Unix()),
	}
	if !maps.Equal(claims, want) {
		t.Errorf("claims = %v, want %v", claims, want)
	}
	got, err := k.Parse(token)
	if err != nil || got.User != 7 || got.Object != testUser.Object || got.Username != "ann" || got.Session != "5e55" ||
		!got.IssuedAt.Equal(testStart) || !got.ExpiresAt.Equal(testStart.Add(15*time.Minute)) {
		t.Errorf("Parse = %+v, %v", got, err)
	}
	if issue(t, k) == token {
		t.Error("two tokens are the same")
	}
}

func TestParseRefuses(t *testing.T) {
	now := testStart
	k := openKeys(t, KeyOptions{Now: func() time.Time { return now }})
	good := func() (map[string]any, jwt.MapClaims) {
		token := issue(t, k)
		return map[string]any{"kid": k.kid}, jwt.MapClaims(part(t, token, 1))
	}
	// forge signs with our own key, so that nothing but the case's own change is wrong.
	forge := func(method jwt.SigningMethod, key any, change func(header map[string]any, claims jwt.MapClaims)) string {
		header, claims := good()
		change(header, claims)
		token := jwt.NewWithClaims(method, claims)
		maps.Copy(token.Header, header)
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	own := k.keys[k.kid]
	claim := func(name string, value any) string {
		return forge(jwt.SigningMethodHS256, own, func(_ map[string]any, claims jwt.MapClaims) {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		})
	}
	header := func(name string, value any) string {
		return forge(jwt.SigningMethodHS256, own, func(header map[string]any, _ jwt.MapClaims) { header[name] = value })
	}
	asIs := func(map[string]any, jwt.MapClaims) {}
	stranger := []byte(strings.Repeat("k", 32))
	if _, err := k.Parse(forge(jwt.SigningMethodHS256, own, asIs)); err != nil {
		t.Fatalf("a token that nothing is wrong with: %v", err)
	}
	valid := issue(t, k)
	tests := []struct{ name, token, code string }{
		{"nothing", "", "token_missing"},
		{"no token", "hello", "token_invalid"},
		{"a cut token", valid[:len(valid)-4], "token_invalid"},
		{"another signature", valid[:strings.LastIndex(valid, ".")+1] + strings.Repeat("A", 43), "token_invalid"},
		{"white space", " " + valid, "token_invalid"},
		{"a huge token", valid + strings.Repeat("A", maxTokenBytes), "token_invalid"},
		{"no signature", forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, asIs), "token_invalid"},
		{"another method", forge(jwt.SigningMethodHS512, own, asIs), "token_invalid"},
		{"another key under our name", forge(jwt.SigningMethodHS256, stranger, asIs), "token_invalid"},
		{"an unknown key", header("kid", "0123456789ab"), "token_invalid"},
		{"no key", header("kid", nil), "token_invalid"},
		{"a key that is no text", header("kid", 7), "token_invalid"},
		{"a key of its own", forge(jwt.SigningMethodHS256, stranger, func(h map[string]any, _ jwt.MapClaims) {
			h["jwk"] = map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(stranger)}
		}), "token_invalid"},
		{"another issuer", claim("iss", "somebody"), "token_invalid"},
		{"no issuer", claim("iss", nil), "token_invalid"},
		{"another workspace", claim("aud", "0a0b0c"), "token_invalid"},
		{"no workspace", claim("aud", nil), "token_invalid"},
		{"another type", claim("type", "refresh"), "token_invalid"},
		{"no end", claim("exp", nil), "token_invalid"},
		{"no beginning", claim("iat", nil), "token_invalid"},
		{"from the future", claim("iat", testStart.Add(time.Hour).Unix()), "token_invalid"},
		{"two people", claim("userId", store.ObjectID{9}.String()), "token_invalid"},
		{"nobody", claim("user_id", 0), "token_invalid"},
		{"a person that is no number", claim("user_id", "7"), "token_invalid"},
		{"no session", claim("sid", nil), "token_invalid"},
		{"expired", claim("exp", testStart.Add(-2*time.Second).Unix()), "token_expired"},
		{"expired and forged", forge(jwt.SigningMethodHS256, stranger, func(_ map[string]any, c jwt.MapClaims) {
			c["exp"] = testStart.Add(-time.Hour).Unix()
		}), "token_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims, err := k.Parse(tt.token)
			var f *store.Fault
			if !errors.Is(err, store.ErrUnauthorized) || !errors.As(err, &f) || f.Code != tt.code {
				t.Errorf("Parse = %+v, %v, want %s", claims, err, tt.code)
			}
		})
	}
	now = now.Add(15*time.Minute + 2*time.Second)
	if _, err := k.Parse(valid); err != errTokenExpired {
		t.Errorf("after its life: %v, want it expired", err)
	}
}

func TestKeysRotate(t *testing.T) {
	const next = "q8Jw2Yx6Tn4Rb0Vm7Kc3Zh9Ls5Df1GpA"
	old := openKeys(t, KeyOptions{Secret: goodSecret})
	token := issue(t, old)
	rotated := openKeys(t, KeyOptions{Secret: next, Previous: goodSecret})
	if _, err := rotated.Parse(token); err != nil {
		t.Errorf("a token of the previous key: %v", err)
	}
	if _, err := old.Parse(issue(t, rotated)); !errors.Is(err, store.ErrUnauthorized) {
		t.Errorf("the new key signs as the old one: %v", err)
	}
	if _, err := openKeys(t, KeyOptions{Secret: next}).Parse(token); !errors.Is(err, store.ErrUnauthorized) {
		t.Errorf("a token of a key that is gone: %v", err)
	}
}

func TestUnfitSecretsAreNotUsed(t *testing.T) {
	tests := []struct {
		secret string
		says   string // "" when it is fit
	}{
		{goodSecret, ""},
		{"3f8a1c9e7b2d604f5a8e1c3b9d7f2046e8a1b3c5d7f90246813579bdf02468ac", ""},
		{"Kd83+/vnQz0ePq1Xs7WmYt5LrAc2HbGu9JfNoZiVw4E=", ""},
		{"correct horse battery staple and a few more", ""},
		{"tiny", "shorter than 32 bytes"},
		{goodSecret[:31], "shorter than 32 bytes"},
		{"your-jwt-secret", "shorter than 32 bytes"},
		{"super-secret-gateway-key", "shorter than 32 bytes"},
		{"your-jwt-secretyour-jwt-secretyour-jwt-secret", "public examples"},
		{"super-secret-gateway-key-super-secret-gateway-key", "public examples"},
		{"your-super-secret-jwt-key-change-this-in-production", "public examples"},
		{"Your_Super_Secret_JWT_Key_12345!@#", "public examples"},
		{"a-string-secret-at-least-256-bits-long", "public examples"},
		{"CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME", "public examples"},
		{strings.Repeat("a", 64), "repeats"},
		{strings.Repeat("kT4cVq9w", 5), "repeats"},
		{strings.Repeat("x7Kq9w2Zp", 4)[:33], "repeats"},
		{"0101101001011010010110100101101101", "repeats"},
	}
	for _, tt := range tests {
		t.Run(tt.secret, func(t *testing.T) {
			folder := t.TempDir()
			_, warnings, err := OpenKeys(folder, testWorkspace, KeyOptions{Secret: tt.secret, Previous: tt.secret})
			if err != nil {
				t.Fatal(err)
			}
			_, missing := os.Stat(filepath.Join(folder, KeyFile))
			all := strings.Join(warnings, "\n")
			if tt.says == "" {
				if all != "" || missing == nil {
					t.Errorf("warnings %q, key file made: %t", all, missing == nil)
				}
				return
			}
			if len(warnings) != 2 || strings.Count(all, tt.says) != 2 || missing != nil {
				t.Errorf("warnings %q, want %q for both; key file: %v", all, tt.says, missing)
			}
			if strings.Contains(all, tt.secret) {
				t.Error("a warning tells the secret")
			}
		})
	}
}

func TestKeyFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, KeyFile)
	first, _, err := OpenKeys(folder, testWorkspace, KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	second, _, err := OpenKeys(folder, testWorkspace, KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Parse(issue(t, first)); err != nil {
		t.Errorf("a token from before a restart: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info.Mode(), err)
	}
	if other := openKeys(t, KeyOptions{}); other.kid == first.kid {
		t.Error("two folders have the same key")
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("the folder holds %d files, want the key alone", len(left))
	}
	if err := os.WriteFile(path, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenKeys(folder, testWorkspace, KeyOptions{}); err == nil || !strings.Contains(err.Error(), "remove it") || strings.Contains(err.Error(), "not a key") {
		t.Errorf("a broken key file: %v, want what to do", err)
	}
}

func FuzzParse(f *testing.F) {
	k, _, err := OpenKeys(f.TempDir(), testWorkspace, KeyOptions{Now: func() time.Time { return testStart }})
	if err != nil {
		f.Fatal(err)
	}
	good, err := k.Issue(testUser, "5e55")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if claims, err := k.Parse(token); err == nil && token != good {
			t.Errorf("Parse(%q) = %+v", token, claims)
		}
	})
}
