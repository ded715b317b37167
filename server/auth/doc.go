// Package auth says who is asking: passwords, access tokens, sessions, and the sign-in
// business around them. It knows nothing of HTTP.
//
// A signed-in person holds an access token, a JSON Web Token that lives for minutes, and
// a refresh token, a random secret that works once and brings the next pair. Both belong
// to a session, which is looked up on every request, so that ending it takes effect at once.
//
// No secret is ever stored or logged: of refresh tokens and codes only the SHA-256 is
// kept, of passwords only bcrypt's hash.
package auth
