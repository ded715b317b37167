package server

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/store"
)

// tokenPair is what a client keeps of a sign-in. RefreshToken is empty, and then absent,
// when it travels in the cookie.
type tokenPair struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty"`
}

// tokensAnswer names the two tokens in both ways that documented clients know.
type tokensAnswer struct {
	Token        string    `json:"token"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	Tokens       tokenPair `json:"tokens"`
}

type signedInAnswer struct {
	Message string `json:"message"`
	User    any    `json:"user"`
	tokensAnswer
}

// tokens answers with a pair of tokens, or keeps the refresh token in the cookie.
func (s *Server) tokens(c *fiber.Ctx, in auth.SignIn) tokensAnswer {
	refresh := in.Refresh
	if in.Session.Cookie {
		s.setCookie(c, refresh, in.Session.ExpiresAt)
		refresh = ""
	}
	return tokensAnswer{in.Access, refresh, tokenPair{in.Access, refresh}}
}

func (s *Server) register(c *fiber.Ctx) error {
	in := decode(c)
	n := auth.NewAccount{
		Username: in.string("username"), Email: in.string("email"), Password: in.string("password"),
		FirstName: in.string("firstName"), LastName: in.string("lastName"),
		SetupCode: in.string("setup_code"), Invite: in.string("invite"), Cookie: in.bool("cookie"),
	}
	if in.err != nil {
		return in.err
	}
	r, err := s.auth.Register(c.UserContext(), n, s.address(c))
	if err != nil {
		return err
	}
	if r.Room != "" {
		// The account is made: a room that cannot be joined now must not say otherwise.
		if err := s.chat.Admit(c.UserContext(), r.User, r.Room); err != nil && !errors.Is(err, store.ErrNotFound) {
			s.log.LogAttrs(c.UserContext(), slog.LevelWarn, "invited person could not join",
				slog.String("request_id", requestID(c)), slog.String("room", string(r.Room)), slog.String("error", err.Error()))
		}
	}
	c.Status(fiber.StatusCreated)
	if r.Waits {
		return c.JSON(selfAnswer{"Registered. Open the link in the mail that is on its way to you, then sign in", s.userAnswer(r.User, r.User)})
	}
	return c.JSON(signedInAnswer{"User registered successfully", s.userAnswer(r.User, r.User), s.tokens(c, r.SignIn)})
}

func (s *Server) login(c *fiber.Ctx) error {
	in := decode(c)
	email, username, password, cookie := in.string("email"), in.string("username"), in.string("password"), in.bool("cookie")
	if email == "" {
		email = username
	}
	if email == "" {
		in.wrong("email", "give an email or a username")
	}
	if password == "" {
		in.wrong("password", "must not be empty")
	}
	if in.err != nil {
		return in.err
	}
	signIn, err := s.auth.Login(c.UserContext(), email, password, cookie, s.address(c))
	if err != nil {
		return err
	}
	return c.JSON(signedInAnswer{"Login successful", s.userAnswer(signIn.User, signIn.User), s.tokens(c, signIn)})
}

// refreshGiven returns the refresh token of the body, else of the cookie; it may be empty.
// It takes one from the address's allowance.
func (s *Server) refreshGiven(c *fiber.Ctx) (string, error) {
	in := decodeOptional(c)
	refresh := in.string("refreshToken")
	if in.err != nil {
		return "", in.err
	}
	if refresh == "" {
		refresh = s.cookie(c)
	}
	return refresh, s.limits.take(s.address(c))
}

func (s *Server) refreshToken(c *fiber.Ctx) error {
	refresh, err := s.refreshGiven(c)
	if err != nil {
		return err
	}
	signIn, err := s.auth.Refresh(c.UserContext(), refresh)
	if err != nil {
		return err
	}
	return c.JSON(s.tokens(c, signIn))
}

func (s *Server) logout(c *fiber.Ctx) error {
	refresh, err := s.refreshGiven(c)
	if err != nil {
		return err
	}
	if err = s.auth.Logout(c.UserContext(), bearer(c), refresh); err != nil {
		return err
	}
	s.forgetCookie(c)
	return c.JSON(done{"Logged out"})
}

func (s *Server) verifyEmail(c *fiber.Ctx) error {
	in := decode(c)
	token := in.string("token")
	if in.err != nil {
		return in.err
	}
	return s.verify(c, token)
}

// verifyEmailByLink gives a browser a page with a button: programs that look at the links
// in a mail before its reader does would otherwise spend the token.
func (s *Server) verifyEmailByLink(c *fiber.Ctx) error {
	if prefersHTML(c) {
		return sendPage(c, verifyPage)
	}
	token, _ := query(c, "token")
	return s.verify(c, token)
}

func (s *Server) verify(c *fiber.Ctx, token string) error {
	if err := s.auth.VerifyEmail(c.UserContext(), token, s.address(c)); err != nil {
		return err
	}
	return c.JSON(done{"Email verified"})
}

func (s *Server) forgotPassword(c *fiber.Ctx) error {
	in := decode(c)
	email := in.text("email")
	if email == nil {
		in.wrong("email", "must be a string")
	}
	if in.err != nil {
		return in.err
	}
	if err := s.auth.ForgotPassword(c.UserContext(), *email, s.address(c)); err != nil {
		return err
	}
	return c.JSON(done{"If this address has an account, a message is on its way"})
}

func (s *Server) resetPassword(c *fiber.Ctx) error {
	in := decode(c)
	token, next := in.string("token"), in.string("newPassword")
	if in.err != nil {
		return in.err
	}
	if err := s.auth.ResetPassword(c.UserContext(), token, next, s.address(c)); err != nil {
		return err
	}
	return c.JSON(done{"Password reset"})
}

func (s *Server) changePassword(c *fiber.Ctx) error {
	in := decode(c)
	current, next := in.string("currentPassword"), in.string("newPassword")
	if in.err != nil {
		return in.err
	}
	if err := s.auth.ChangePassword(c.UserContext(), viewer(c), current, next, s.address(c)); err != nil {
		return err
	}
	return c.JSON(done{"Password changed"})
}

func (s *Server) changeEmail(c *fiber.Ctx) error {
	in := decode(c)
	email, password := in.string("email"), in.string("password")
	if in.err != nil {
		return in.err
	}
	u, waits, err := s.auth.ChangeEmail(c.UserContext(), viewer(c), email, password, s.address(c))
	if err != nil {
		return err
	}
	message := "Email changed"
	if waits {
		message = "Open the link in the mail that is on its way to the new address"
	}
	return c.JSON(selfAnswer{message, s.userAnswer(u, u)})
}

// bearer returns the token of the Authorization header; "" if there is none.
func bearer(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(strings.Clone(c.Get(fiber.HeaderAuthorization)), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
