package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/hearthchat/hearth/server/auth"
	"github.com/hearthchat/hearth/store"
)

const whichUser = "NAME is a username, an e-mail address or a user_id."

var userAddCommand = &command{
	name: "user add", args: "NAME", min: 1, max: 1, about: "make an account", fresh: true,
	more: "The password is asked for on a terminal, else it is the first line of standard input.",
	options: []option{
		{"email", "ADDRESS", "e-mail address; without one the account signs in by name"},
		{"role", "ROLE", "admin, member or guest (default member)"},
	},
	prepare: takePassword, work: addUser,
	examples: []string{"hearth user add ann --email ann@example.org --role admin", "hearth user add bob < password.txt"},
}

func takePassword(ctx context.Context, c *call, j *job) (err error) {
	j.Password, err = askPassword(ctx, c.stdin, c.stderr)
	return err
}

func addUser(ctx context.Context, s *system, j *job) error {
	role := store.Role(cmp.Or(j.Flags["role"], string(store.RoleMember)))
	u, err := s.auth.AddUser(ctx, auth.NewAccount{Username: j.Args[0], Email: j.Flags["email"], Password: j.Password}, role)
	if err != nil {
		return err
	}
	j.say(fmt.Sprintf("made %s, user_id %d, role %s", u.Username, u.ID, u.Role))
	return nil
}

var userListCommand = &command{
	name: "user list", args: "[PREFIX]", max: 1, about: "list accounts, or those whose name starts with PREFIX", work: listUsers,
	options:  []option{{"imported", "", "also those that came with an import"}},
	examples: []string{"hearth user list", "hearth user list an"},
}

func listUsers(ctx context.Context, s *system, j *job) error {
	var prefix string
	if len(j.Args) > 0 {
		prefix = j.Args[0]
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USER_ID\tUSERNAME\tEMAIL\tROLE\tSTATE\tLAST SIGN-IN")
	imported := 0
	var last store.UserID
	err := eachOf(func(limit int) ([]store.User, error) { return s.people.ListUsers(ctx, prefix, last, limit) }, func(u store.User) error {
		last = u.ID
		if u.Alias != "" && !u.CanSignIn() && j.Flags["imported"] == "" {
			imported++
			return nil
		}
		_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", u.ID, printable(u.Username), cmp.Or(u.Email, "–"), u.Role, state(u), lastLogin(u))
		return err
	})
	if err != nil {
		return err
	}
	_ = w.Flush() // to memory
	for line := range strings.Lines(b.String()) {
		j.say(strings.TrimRight(line, " \n"))
	}
	if imported > 0 {
		j.say(fmt.Sprintf("and %d imported people, shown with --imported", imported))
	}
	return nil
}

// printable keeps imported names, which may hold anything, from steering the terminal.
func printable(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

func state(u store.User) string {
	switch {
	case !u.Active:
		return "deactivated"
	case u.PasswordHash == "":
		return "no password"
	case u.Email != "" && !u.EmailVerified:
		return "unconfirmed"
	}
	return "active"
}

func lastLogin(u store.User) string {
	if u.LastLogin.IsZero() {
		return "never"
	}
	return u.LastLogin.Local().Format("2006-01-02 15:04")
}

var userPasswdCommand = &command{
	name: "user passwd", args: "NAME", min: 1, max: 1, about: "set an account's password and end its sessions",
	more:    whichUser + " The password is asked for as by hearth user add.",
	prepare: takePassword, work: setPassword,
	examples: []string{"hearth user passwd ann"},
}

func setPassword(ctx context.Context, s *system, j *job) error {
	u, err := s.findUser(ctx, j.Args[0])
	if err != nil {
		return err
	}
	if err := s.auth.SetPassword(ctx, u.ID, j.Password); err != nil {
		return err
	}
	j.say(u.Username + " has a new password, and signs in again everywhere")
	return nil
}

var userRoleCommand = &command{
	name: "user role", args: "NAME ROLE", min: 2, max: 2, about: "make an account an admin, member or guest", more: whichUser, work: setRole,
	examples: []string{"hearth user role ann admin"},
}

func setRole(ctx context.Context, s *system, j *job) error {
	u, err := s.findUser(ctx, j.Args[0])
	if err != nil {
		return err
	}
	if u, err = s.chat.SetRole(ctx, u.ID, store.Role(j.Args[1])); err != nil {
		return err
	}
	j.say(u.Username + " is now " + string(u.Role))
	return nil
}

var userDeactivateCommand = &command{
	name: "user deactivate", args: "NAME", min: 1, max: 1, about: "close an account for sign-in and end its sessions", more: whichUser,
	work: func(ctx context.Context, s *system, j *job) error {
		return setActive(ctx, s, j, false, " cannot sign in any more; hearth user activate takes it back")
	},
	examples: []string{"hearth user deactivate bob"},
}

var userActivateCommand = &command{
	name: "user activate", args: "NAME", min: 1, max: 1, about: "open an account again", more: whichUser,
	work: func(ctx context.Context, s *system, j *job) error {
		return setActive(ctx, s, j, true, " can sign in again")
	},
	examples: []string{"hearth user activate bob"},
}

func setActive(ctx context.Context, s *system, j *job, active bool, done string) error {
	u, err := s.findUser(ctx, j.Args[0])
	if err != nil {
		return err
	}
	if u, err = s.chat.SetActive(ctx, u.ID, active); err != nil {
		return err
	}
	j.say(u.Username + done)
	return nil
}

// findUser returns the account that a person at the command line means.
func (y *system) findUser(ctx context.Context, name string) (store.User, error) {
	u, err := y.people.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		u, err = y.people.UserByEmail(ctx, name)
	}
	if n, parseErr := strconv.ParseInt(name, 10, 64); errors.Is(err, store.ErrNotFound) && parseErr == nil {
		u, err = y.people.User(ctx, store.UserID(n))
	}
	if errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("there is no account %q: hearth user list shows them", name)
	}
	return u, err
}
