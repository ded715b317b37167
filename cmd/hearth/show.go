package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/hearthchat/hearth/server/auth"
)

var configCommand = &command{
	name: "config", about: "print the settings in force and where each came from",
	more: "Secrets are masked.", run: printConfig,
	examples: []string{"hearth config", "hearth config --data /srv/hearth"},
}

// whyUnused says why a secret that was set is not in force, if so.
func whyUnused(name, value string) string {
	if strings.HasPrefix(name, "jwt-secret") {
		if why := auth.Unfit(value); why != "" {
			return ", not used: " + why
		}
	}
	return ""
}

func printConfig(_ context.Context, c *call) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
	for _, s := range settings {
		o := c.origins[s.name]
		value := o.value
		switch {
		case value == "":
			value = "–"
		case s.secret:
			value = fmt.Sprintf("•••••• (%d bytes%s)", len(value), whyUnused(s.name, value))
		}
		if s.name == "config" && c.File != "" {
			value = c.File
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, value, o.from)
	}
	_ = w.Flush() // to memory
	for _, u := range unused {
		var set []string
		for _, name := range slices.Sorted(maps.Keys(c.ignored)) {
			if slices.Contains(u.names, name) {
				set = append(set, name+" ("+c.ignored[name]+")")
			}
		}
		if len(set) > 0 {
			fmt.Fprintf(&b, "\nAccepted and not used, because %s:\n  %s\n", u.why, strings.Join(set, ", "))
		}
	}
	_, err := io.WriteString(c.stdout, b.String())
	return err
}
