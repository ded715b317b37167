package main

import (
	"context"
	"errors"
)

var setupLinkCommand = &command{
	name: "setup-link", about: "print the link that makes the first administrator", work: printSetupLink, fresh: true,
	examples: []string{"hearth setup-link", "hearth setup-link --data /srv/hearth --public-url https://chat.example.org"},
}

func printSetupLink(ctx context.Context, s *system, j *job) error {
	link, err := s.setupLink(ctx)
	if err != nil {
		return err
	}
	if link == "" {
		return errors.New("there is an administrator already; hearth user add NAME --role admin makes another")
	}
	j.say(link)
	return nil
}

// setupLink returns the link that makes the first administrator; "" once there is one.
func (y *system) setupLink(ctx context.Context) (string, error) {
	code, err := y.people.SetupCode(ctx)
	if err != nil || code == "" {
		return "", err
	}
	return y.address() + "/setup#" + code, nil
}
