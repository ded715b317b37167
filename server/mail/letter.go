package mail

import (
	"fmt"
	"html"
	"strings"

	"github.com/hearthchat/hearth/store"
)

// letter is a mail in words.
type letter struct {
	to, place           string
	subject, text, html string
}

// words of a letter; %s is the workspace's name.
type words struct {
	subject string
	path    string // of the web app's page; what follows the # never reaches a log
	why     string
	button  string
	until   string
}

var letters = map[store.Purpose]words{
	store.PurposeVerify: {
		"Confirm your e-mail address for %s", "/verify#", "Somebody made an account at %s with this e-mail address. If it was you, confirm the address, and you can sign in.",
		"Confirm the address", "The link works once, for 24 hours. If it was not you, leave it alone: without it nobody can sign in to that account.",
	},
	store.PurposeReset: {
		"Choose a new password for %s", "/reset#", "Somebody asked for a new password for your account at %s. If it was you, choose one.",
		"Choose a password", "The link works once, for an hour. If it was not you, there is nothing to do: your password stays as it is.",
	},
	store.PurposeChange: {
		"Confirm your new e-mail address for %s", "/verify#", "Somebody wants to use this e-mail address for their account at %s. If it was you, confirm the address.",
		"Confirm the address", "The link works once, for 24 hours. If it was not you, leave it alone: nothing changes.",
	},
}

// compose writes the letter of a purpose. base is where people reach the web app.
func compose(p store.Purpose, to store.User, token, place, base string) letter {
	w := letters[p]
	place = strings.Join(strings.Fields(place), " ") // of one line, whatever it was
	link := base + w.path + token
	why, greeting := fmt.Sprintf(w.why, place), "Hello "+to.Username+","
	l := letter{to: to.Email, place: place, subject: fmt.Sprintf(w.subject, place)}
	l.text = strings.Join([]string{greeting, why, link, w.until, "Hearth, for " + place + "\n" + base}, "\n\n") + "\n"
	l.html = fmt.Sprintf(page, html.EscapeString(l.subject), html.EscapeString(greeting), html.EscapeString(why), html.EscapeString(link),
		html.EscapeString(w.button), html.EscapeString(link), html.EscapeString(w.until), html.EscapeString(place), html.EscapeString(base))
	return l
}

// page loads nothing from anywhere: who opens it tells nobody.
const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>%s</title></head>
<body style="margin:0;padding:24px;background:#f6f1ea;color:#2b2320;font:16px/1.5 sans-serif">
<div style="max-width:480px;margin:0 auto;padding:24px;background:#ffffff;border-radius:12px">
<p>%s</p>
<p>%s</p>
<p><a href="%s" style="display:inline-block;padding:12px 20px;background:#b4431c;color:#ffffff;border-radius:8px;text-decoration:none">%s</a></p>
<p style="font-size:14px;word-break:break-all">Or open this address: %s</p>
<p style="font-size:14px">%s</p>
<p style="font-size:14px">Hearth, for %s<br>%s</p>
</div>
</body>
</html>
`
