package store

import (
	"errors"
	"math"
	"testing"
)

func TestPosition(t *testing.T) {
	for _, p := range []Position{{}, {1, 0}, {0, 1}, {35, 36}, {math.MaxUint64, math.MaxUint64}, {1 << 40, 7}} {
		if got, err := ParsePosition(p.String()); err != nil || got != p {
			t.Errorf("ParsePosition(%q) = %v, %v, want %v", p.String(), got, err, p)
		}
	}
	if a, b := (Position{1, 11}).String(), (Position{11, 1}).String(); a == b {
		t.Errorf("two positions are both %q", a)
	}
	for _, s := range []string{
		"", "-", "1", "1-", "-1", "1-2-3", "01-2", "1-02", "A-1", "1-Z", "+1-2", "1-+2", " 1-2", "1-2 ", "1--2", "0x1-2", "1_0-2",
		"3w5e11264sgsg-0", "0-3w5e11264sgsg",
	} {
		if p, err := ParsePosition(s); !errors.Is(err, ErrInvalid) || p != (Position{}) {
			t.Errorf("ParsePosition(%q) = %v, %v, want ErrInvalid", s, p, err)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"", "0-0", "1-zz", "3w5e11264sgsf-3w5e11264sgsf", "1-2-3", "01-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err == nil && p.String() != s {
			t.Errorf("ParsePosition(%q) = %v, which is written %q", s, p, p.String())
		}
		if err != nil && (p != Position{} || !errors.Is(err, ErrInvalid)) {
			t.Errorf("ParsePosition(%q) = %v, %v, want the zero position and ErrInvalid", s, p, err)
		}
	})
}

func TestChangeKindNames(t *testing.T) {
	seen := map[string]ChangeKind{}
	for kind := MessagePosted; kind <= SessionsEnded; kind++ {
		name := kind.String()
		if other, twice := seen[name]; twice || name == "" || name[0] == 'c' {
			t.Errorf("change %d is called %q, as is %d", kind, name, other)
		}
		seen[name] = kind
	}
	for _, kind := range []ChangeKind{0, SessionsEnded + 1, 255} {
		if name := kind.String(); name[:7] != "change " {
			t.Errorf("unknown change %d is called %q", kind, name)
		}
	}
}
