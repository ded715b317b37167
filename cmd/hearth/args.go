package main

import (
	"fmt"
	"strings"
)

// option is a flag that one command takes. What all commands take are the settings.
type option struct {
	name  string // without dashes
	value string // what stands for its value in help; empty: it has none
	about string
}

// arguments are a command line, taken apart.
type arguments struct {
	words []string
	flags map[string]string // value by name; "true" for flags without one
}

// parseArgs takes a command line apart. Flags stand anywhere, as --name value,
// --name=value or with one dash; "--" ends them. takesValue knows every flag there is.
func parseArgs(args []string, takesValue map[string]bool) (arguments, error) {
	a := arguments{flags: make(map[string]string)}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			a.words = append(a.words, args[i+1:]...)
			break
		}
		name, isFlag := strings.CutPrefix(arg, "-")
		if !isFlag || name == "" {
			a.words = append(a.words, arg)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if name == "h" {
			name = "help"
		}
		wants, known := takesValue[name]
		switch {
		case !known:
			return a, usagef("there is no option --%s%s", name, didYouMean("--", name, takesValue))
		case !wants && hasValue:
			return a, usagef("--%s takes no value", name)
		case !wants:
			value = "true"
		case !hasValue:
			if i++; i == len(args) {
				return a, usagef("--%s needs a value: --%s=…", name, name)
			}
			value = args[i]
		}
		if _, twice := a.flags[name]; twice {
			return a, usagef("--%s is there twice", name)
		}
		a.flags[name] = value
	}
	return a, nil
}

// didYouMean suggests the known name nearest to a wrong one, or nothing.
func didYouMean[V any](prefix, wrong string, known map[string]V) string {
	best, distance := "", 1+max(2, len(wrong)/3)
	for name := range known {
		d := editDistance(wrong, name)
		if d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, best)
}

// editDistance is how many bytes must be changed, added or removed to make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
