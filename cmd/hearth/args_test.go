package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestParseArgs(t *testing.T) {
	takesValue := map[string]bool{"data": true, "listen": true, "dry-run": false, "help": false}
	tests := []struct {
		name  string
		args  string
		words string
		flags map[string]string
		says  string // of the error
	}{
		{name: "nothing"},
		{name: "flags after the words", args: "import irc f --data d --dry-run", words: "import irc f", flags: map[string]string{"data": "d", "dry-run": "true"}},
		{name: "flags before and between", args: "--data=d import -dry-run irc f", words: "import irc f", flags: map[string]string{"data": "d", "dry-run": "true"}},
		{name: "an empty value", args: "--data=", flags: map[string]string{"data": ""}},
		{name: "a value that looks like a flag", args: "--data --listen", flags: map[string]string{"data": "--listen"}},
		{name: "two dashes end the flags", args: "import irc -- --data", words: "import irc --data", flags: map[string]string{}},
		{name: "one dash is a word", args: "-", words: "-"},
		{name: "-h is help", args: "-h", flags: map[string]string{"help": "true"}},
		{name: "an unknown flag with a neighbour", args: "--lisen :1", says: "no option --lisen; did you mean --listen?"},
		{name: "an unknown flag without one", args: "--zzzzzzzz", says: "no option --zzzzzzzz"},
		{name: "a value too many", args: "--dry-run=yes", says: "--dry-run takes no value"},
		{name: "a value too few", args: "--data", says: "--data needs a value"},
		{name: "twice", args: "--data a --data b", says: "--data is there twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseArgs(strings.Fields(tt.args), takesValue)
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) || exitCode(err) != exitUsage {
					t.Errorf("error = %v, want one that says %q", err, tt.says)
				}
				return
			}
			if err != nil || !slices.Equal(got.words, strings.Fields(tt.words)) || !maps.Equal(got.flags, tt.flags) {
				t.Errorf("parseArgs = %+v, %v", got, err)
			}
		})
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"listen", "listen", 0}, {"lisen", "listen", 1}, {"abc", "", 3}, {"kitten", "sitting", 3}} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := editDistance(tt.b, tt.a); got != tt.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
