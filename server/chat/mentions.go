package chat

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/hearthchat/hearth/store"
)

// maxMentions is how many different names of one message are looked up.
const maxMentions = 50

var (
	mentionRule = regexp.MustCompile("(?:^|[^\\pL\\pN_@`/.])@([A-Za-z0-9_][A-Za-z0-9_.-]{1,99})")
	codeRule    = regexp.MustCompile("(?s)```.*?(?:```|$)|`[^`\n]*`")
)

// mentions returns the members that a text names, ascending, and whether it names
// everybody. What stands in code names nobody.
func (s *Service) mentions(ctx context.Context, room store.RoomID, content string) (people []store.UserID, everybody bool, err error) {
	if !strings.Contains(content, "@") {
		return nil, false, nil
	}
	content = codeRule.ReplaceAllString(content, " ")
	seen := map[string]bool{}
	for _, match := range mentionRule.FindAllStringSubmatch(content, -1) {
		name := store.Fold(match[1])
		if seen[name] || len(seen) >= maxMentions {
			continue
		}
		seen[name] = true
		if name = strings.TrimRight(name, ".-"); name == "room" || name == "all" || name == "here" {
			everybody = true
			continue
		}
		id, err := s.namedMember(ctx, room, name)
		if err != nil {
			return nil, false, err
		}
		if id != 0 && !slices.Contains(people, id) {
			people = append(people, id)
		}
	}
	slices.Sort(people)
	return people, everybody, nil
}

// namedMember returns the member of a room with a name, or 0.
func (s *Service) namedMember(ctx context.Context, room store.RoomID, name string) (store.UserID, error) {
	u, err := s.users.UserByName(ctx, name)
	if err == nil {
		_, err = s.rooms.Member(ctx, room, u.ID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return u.ID, err
}
