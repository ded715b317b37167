package auth

import "github.com/hearthchat/hearth/store"

// What people are told. The codes are part of the API.
var (
	errTokenMissing = unauthorized("token_missing", "Sign in first")
	errTokenInvalid = unauthorized("token_invalid", "Invalid token")
	errTokenExpired = unauthorized("token_expired", "Token expired")
	errSessionEnded = unauthorized("session_ended", "This session has ended")
	errRefresh      = unauthorized("refresh_token_invalid", "Invalid refresh token")

	errUnverified     = &store.Fault{Kind: store.ErrForbidden, Code: "email_unverified", Text: "Confirm your e-mail address first", Details: "a link was sent to it"}
	errWrongPassword  = store.Forbidden("wrong_password", "The current password is wrong")
	errWrongSetupCode = store.Forbidden("wrong_setup_code", "This setup code is wrong or was used already")
	errClosed         = store.Forbidden("registration_closed", "Registration is closed")
	errInviteRequired = store.Forbidden("invite_required", "Registration needs an invite")
	errInviteInvalid  = store.Forbidden("invite_invalid", "This invite is unknown or has expired")

	errUsernameTaken = store.Conflict("username_taken", "This username is taken", "username: choose another")
	errEmailTaken    = store.Conflict("email_taken", "This e-mail address is taken", "email: somebody has an account with it")

	errCodeInvalid = &store.Fault{Kind: store.ErrInvalid, Code: "invalid_token", Text: "Invalid or expired token", Details: "token: ask for a new one"}
)

func unauthorized(code, text string) *store.Fault {
	return &store.Fault{Kind: store.ErrUnauthorized, Code: code, Text: text}
}

// errCredentials does not say which part was wrong. hint says how many tries are left.
func errCredentials(hint string) *store.Fault {
	return &store.Fault{Kind: store.ErrUnauthorized, Code: "invalid_credentials", Text: "Invalid credentials", Details: hint}
}
