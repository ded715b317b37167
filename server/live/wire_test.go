package live_test

import (
	"testing"
	"time"

	"github.com/hearthchat/hearth/server/live"
)

func TestTimesAreWrittenAsTheirFormatSays(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 23, 9, 8, 7, 6_999_999, time.UTC), time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 23, 30, 0, 50_000_000, time.FixedZone("west", -3600)), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-44, 3, 15, 12, 0, 0, 0, time.UTC),
	} {
		got, err := live.Time(at).MarshalJSON()
		if want := `"` + at.UTC().Format(live.TimeFormat) + `"`; err != nil || string(got) != want {
			t.Errorf("%s, %v, not %s", got, err, want)
		}
	}
	if got := live.Time(time.Time{}).AppendJSON([]byte("x")); string(got) != "xnull" {
		t.Errorf("no time is %s", got)
	}
}
