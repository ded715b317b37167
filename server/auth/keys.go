package auth

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hearthchat/hearth/store"
)

const (
	// KeyFile is the name, in the data folder, of the key Hearth made for itself.
	KeyFile = "jwt-key"

	keySize       = 32   // bytes of a key of our own, and the least of a configured one
	maxTokenBytes = 4096 // a longer token is not looked at
	leeway        = time.Second
	issuer        = "hearth"
	accessType    = "access"
)

// KeyOptions adjust Keys. The zero value uses a key of our own.
type KeyOptions struct {
	Secret   string           // JWT_SECRET: signs; empty or unfit: the key file is used
	Previous string           // JWT_SECRET_PREVIOUS: still verifies during a rotation
	TTL      time.Duration    // life of an access token; 0 means 15 minutes
	Now      func() time.Time // nil means time.Now
	Rand     io.Reader        // nil means crypto/rand
}

// Keys makes and checks access tokens: JSON Web Tokens signed with HS256.
type Keys struct {
	workspace string
	kid       string
	keys      map[string][]byte // by kid
	ttl       time.Duration
	now       func() time.Time
	rand      io.Reader
	parser    *jwt.Parser
}

// Claims is what a valid access token says.
type Claims struct {
	User      store.UserID
	Object    store.ObjectID
	Username  string // at the time of issue
	Session   store.SessionID
	ID        string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// OpenKeys returns the keys of a workspace. A secret that is too short or was printed in
// public examples is not used, which a sentence in warnings says; then the key file in
// folder signs, and is made (mode 0600) if it is not there.
func OpenKeys(folder string, workspace store.ObjectID, o KeyOptions) (k *Keys, warnings []string, err error) {
	k = &Keys{
		workspace: workspace.String(),
		keys:      make(map[string][]byte),
		ttl:       cmp.Or(o.TTL, 15*time.Minute),
		now:       o.Now,
		rand:      o.Rand,
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.rand == nil {
		k.rand = rand.Reader
	}
	if o.Previous != "" {
		if why := Unfit(o.Previous); why != "" {
			warnings = append(warnings, "JWT_SECRET_PREVIOUS is not used: "+why)
		} else {
			k.add([]byte(o.Previous))
		}
	}
	secret := []byte(o.Secret)
	if why := Unfit(o.Secret); why != "" {
		if o.Secret != "" {
			warnings = append(warnings, "JWT_SECRET is not used: "+why+"; Hearth signs with its own key in the data folder")
		}
		if secret, err = openKeyFile(filepath.Join(folder, KeyFile), k.rand); err != nil {
			return nil, nil, err
		}
	}
	k.kid = k.add(secret)
	k.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(k.workspace),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(k.now), jwt.WithStrictDecoding(),
	)
	return k, warnings, nil
}

// add remembers a key under a name that says nothing about it.
func (k *Keys) add(key []byte) (kid string) {
	sum := sha256.Sum256(append([]byte("hearth kid\x00"), key...))
	kid = hex.EncodeToString(sum[:6])
	k.keys[kid] = key
	return kid
}

// wireClaims are the claims as they are written. The audience is one string, which every
// client reads; RegisteredClaims would write a list.
type wireClaims struct {
	jwt.RegisteredClaims
	Audience string `json:"aud"`
	Object   string `json:"userId"`
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
	Type     string `json:"type"`
	Session  string `json:"sid"`
}

// GetAudience is what the parser compares with the workspace.
func (w wireClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{w.Audience}, nil
}

// Issue returns an access token for a session of user.
func (k *Keys) Issue(user store.User, session store.SessionID) (string, error) {
	id, err := randomHex(k.rand, 16)
	if err != nil {
		return "", err
	}
	now := k.now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, wireClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: user.Object.String(), ID: id,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(k.ttl)),
		},
		Audience: k.workspace,
		Object:   user.Object.String(), UserID: int64(user.ID), Username: user.Username, Type: accessType, Session: string(session),
	})
	token.Header["kid"] = k.kid
	signed, err := token.SignedString(k.keys[k.kid])
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	return signed, nil
}

// Parse checks an access token. ErrUnauthorized with the Code "token_missing",
// "token_expired" or "token_invalid"; whether its session still lives is not asked here.
func (k *Keys) Parse(token string) (Claims, error) {
	if token == "" {
		return Claims{}, errTokenMissing
	}
	if len(token) > maxTokenBytes {
		return Claims{}, errTokenInvalid
	}
	var w wireClaims
	if _, err := k.parser.ParseWithClaims(token, &w, k.key); err != nil {
		if errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
			return Claims{}, errTokenExpired
		}
		return Claims{}, errTokenInvalid
	}
	object, ok := store.ParseObjectID(w.Subject)
	if !ok || w.Object != w.Subject || w.Type != accessType || w.UserID <= 0 || w.Session == "" || w.IssuedAt == nil {
		return Claims{}, errTokenInvalid
	}
	return Claims{
		User: store.UserID(w.UserID), Object: object, Username: w.Username, Session: store.SessionID(w.Session),
		ID: w.ID, IssuedAt: w.IssuedAt.UTC(), ExpiresAt: w.ExpiresAt.UTC(),
	}, nil
}

// key finds the key a token names. Only the kid counts: addresses of keys in the header
// (jku, x5u) and keys themselves (jwk) are what forgers send.
func (k *Keys) key(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	if key, ok := k.keys[kid]; ok {
		return key, nil
	}
	return nil, errTokenInvalid
}

// openKeyFile reads the key in path, making it if there is none.
func openKeyFile(path string, random io.Reader) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKeyFile(path, random)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key for access tokens: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%s does not hold %d bytes in hexadecimal: remove it and Hearth makes a new one (everybody signs in again)", path, keySize)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("protect the key for access tokens: %w", err)
	}
	return key, nil
}

// makeKeyFile writes a new key, whole or not at all.
func makeKeyFile(path string, random io.Reader) (key []byte, err error) {
	text, err := randomHex(random, keySize)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".jwt-key-*") // made with mode 0600
	if err != nil {
		return nil, fmt.Errorf("make the key for access tokens: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return nil, fmt.Errorf("make the key for access tokens: %w", err)
	}
	return hex.DecodeString(text)
}

// examples are phrases of secrets that were printed in documentation, without case and
// without anything but letters and digits. A random secret holds none of them.
var examples = []string{
	"yourjwtsecret", "yoursecret", "yoursupersecret", "supersecret", "jwtsecret", "secretkey", "mysecret", "topsecret",
	"changeme", "changethis", "changeit", "changein", "replaceme", "replacethis", "replacewith", "pleasechange", "placeholder",
	"256bitsecret", "256bitslong", "examplesecret", "examplekey", "password", "12345678", "abcdefgh",
}

// Unfit says why a secret cannot be used; "" when it can.
func Unfit(secret string) string {
	if len(secret) < keySize {
		return fmt.Sprintf("it is shorter than %d bytes", keySize)
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(secret))
	for _, example := range examples {
		if strings.Contains(plain, example) {
			return "it was printed in public examples"
		}
	}
	if repeats(secret) {
		return "it repeats itself"
	}
	return ""
}

// repeats reports whether s is a shorter text written at least twice, or has fewer than
// eight different bytes.
func repeats(s string) bool {
	different := make(map[byte]bool)
	for i := range len(s) {
		different[s[i]] = true
	}
	if len(different) < 8 {
		return true
	}
	for period := 1; period <= len(s)/2; period++ {
		if s[period:] == s[:len(s)-period] {
			return true
		}
	}
	return false
}

// randomHex returns n random bytes as hexadecimal digits.
func randomHex(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}
