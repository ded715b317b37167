package main

import (
	"errors"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/hearthchat/hearth/server/mail"
)

func setMailPort(c *Config, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 65535 {
		return errors.New("a port is a number from 1 to 65535")
	}
	c.Mail.Port = n
	return nil
}

func setMailSecurity(c *Config, v string) error {
	c.Mail.Security = mail.Security(v)
	return oneOf(v, string(mail.SecurityAuto), string(mail.SecurityStartTLS), string(mail.SecurityTLS), string(mail.SecurityNone))
}

func setMailFrom(c *Config, v string) (err error) {
	if c.Mail.From, err = netmail.ParseAddress(v); err != nil {
		return errors.New("must look like hearth@example.org, or Hearth <hearth@example.org>")
	}
	return nil
}

// settleMail checks what the settings about mail say together.
func (s *settled) settleMail() error {
	if s.Mail.Host == "" {
		return nil
	}
	if s.PublicURL == "" {
		return usagef("smtp-host is set, and public-url (FRONTEND_URL) is not: links in e-mails need it, such as https://chat.example.org")
	}
	if s.Mail.From == nil {
		u, err := url.Parse(s.PublicURL)
		if err != nil {
			return usagef("public-url: %w", err)
		}
		_, noName := netip.ParseAddr(u.Hostname())
		switch own, err := netmail.ParseAddress(s.Mail.User); {
		case err == nil:
			s.Mail.From = &netmail.Address{Address: own.Address}
		case noName == nil:
			return usagef("smtp-host is set, and smtp-from is not: e-mails have to come from an address, such as hearth@example.org")
		default:
			s.Mail.From = &netmail.Address{Address: "hearth@" + u.Hostname()}
		}
	}
	if err := s.Mail.Check(); err != nil {
		return usagef("smtp-tls: %w", err)
	}
	return nil
}
