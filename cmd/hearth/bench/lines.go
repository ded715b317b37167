package bench

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// sample is what people say when no file is given: short lines and long ones, about as
// long as in a real room.
var sample = []string{
	"good morning",
	"does anybody know why the build on the second machine is so slow today?",
	"it is the disk, I think. It was at 97 % yesterday evening and nobody cleaned up the old images",
	"ok",
	"I removed the ones from last month, that should give us about 40 GB. If somebody still needs one of them, it is on the other server in /srv/old for a week",
	"thanks!",
	"meeting moved to 14:30, same room",
	"can you send me the link to the document again? I closed the window and cannot find it in the history",
	"https://wiki.example.org/pages/planning/2026/november#open-questions",
	"yes",
	"I get “permission denied” when I try to write to the shared folder, but reading works. My account is in the right group as far as I can tell – any idea what else to look at?",
	"log out and in again, groups are only read at sign-in",
	"that was it :)",
	"try sudo apt update && sudo apt install --reinstall linux-firmware, then reboot and look at dmesg | grep -i wifi",
	"who is on call this weekend?",
	"me, but I am travelling on Saturday until about noon, so please call and do not write if it is urgent",
	"lunch?",
	"in five minutes, I just want to finish this",
	"the customer says that the second invoice never arrived. Could somebody look whether it was sent, and to which address? They moved in September, and I am not sure that we noticed.",
	"it went to the old one. I will send it again today",
}

// ReadLines returns the messages in a file of JSON lines, compressed with gzip or not, such
// as hearth import takes: the "text" of those whose "kind" is "message".
func ReadLines(path string) (lines []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read what people say: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := bufio.NewReader(f)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("read what people say: %w", err)
		}
		in = bufio.NewReader(unpacked)
	}
	for d := json.NewDecoder(in); d.More(); {
		var l struct{ Kind, Text string }
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("read what people say: %w", err)
		}
		if text := strings.TrimSpace(l.Text); l.Kind == "message" && text != "" {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("read what people say: there is no message in %s", path)
	}
	return lines, nil
}
