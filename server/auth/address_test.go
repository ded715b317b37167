package auth

import (
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddr(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	tests := []struct {
		name    string
		remote  string
		xff     []string
		trusted []netip.Prefix
		want    string
	}{
		{"no proxy configured: the header is the client's own words", "203.0.113.9:1000", []string{"198.51.100.1"}, nil, "203.0.113.9"},
		{"nor does it count from loopback or a private network", "127.0.0.1:1000", []string{"198.51.100.1"}, nil, "127.0.0.1"},
		{"a peer that is no proxy is the client", "203.0.113.9:1000", []string{"198.51.100.1"}, proxies, "203.0.113.9"},
		{"a proxy names the client", "10.0.0.1:1000", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"what the client wrote stands left of what the proxy added", "10.0.0.1:1000", []string{"1.2.3.4, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"a client cannot pretend to be a proxy further out", "10.0.0.1:1000", []string{"1.2.3.4, 10.9.9.9, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"chains of proxies are passed over", "10.0.0.1:1000", []string{"1.2.3.4, 198.51.100.1, 10.0.0.3", "10.0.0.2"}, proxies, "198.51.100.1"},
		{"several headers are one list", "10.0.0.1:1000", []string{"1.2.3.4", "198.51.100.1"}, proxies, "198.51.100.1"},
		{"everybody is a proxy: the outermost", "10.0.0.1:1000", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		{"no header", "10.0.0.1:1000", nil, proxies, "10.0.0.1"},
		{"an empty header", "10.0.0.1:1000", []string{""}, proxies, "10.0.0.1"},
		{"rubbish ends the search", "10.0.0.1:1000", []string{"198.51.100.1, unknown"}, proxies, "10.0.0.1"},
		{"rubbish left of the client does not matter", "10.0.0.1:1000", []string{"<script>, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"entries with ports", "10.0.0.1:1000", []string{"198.51.100.1:4711"}, proxies, "198.51.100.1"},
		{"IPv6 with brackets and port", "[::1]:1000", []string{"[2001:db8::7]:4711"}, proxies, "2001:db8::7"},
		{"IPv6 without", "::1", []string{"2001:db8::7"}, proxies, "2001:db8::7"},
		{"IPv4 inside IPv6 is IPv4", "[::ffff:10.0.0.1]:1000", []string{"::ffff:198.51.100.1"}, proxies, "198.51.100.1"},
		{"zones are local to the server", "[fe80::1%eth0]:1000", nil, proxies, "fe80::1"},
		{"no address at all", "somewhere", []string{"198.51.100.1"}, proxies, "invalid IP"},
		{"no more than so many hops", "10.0.0.1:1000", []string{"198.51.100.1" + strings.Repeat(", 10.0.0.2", maxHops)}, proxies, "10.0.0.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ClientAddr(tt.remote, tt.xff, tt.trusted); got.String() != tt.want {
				t.Errorf("ClientAddr(%q, %q) = %s, want %s", tt.remote, tt.xff, got, tt.want)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1",
		"::ffff:192.0.2.1":    "192.0.2.1",
		"2001:db8:1:2::3":     "2001:db8:1:2::/64",
		"2001:db8:1:2:9::3%1": "2001:db8:1:2::/64",
	} {
		if got := network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("network(%s) = %s, want %s", addr, got, want)
		}
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:1000", "198.51.100.1, 10.0.0.2")
	f.Add("[::1]:80", "[2001:db8::7]:4711,")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	f.Fuzz(func(t *testing.T, remote, xff string) {
		peer := ClientAddr(remote, nil, nil)
		if got := ClientAddr(remote, []string{xff}, trusted); got != peer && !isTrusted(peer, trusted) {
			t.Errorf("ClientAddr(%q, %q) = %s, but the peer is no proxy", remote, xff, got)
		}
	})
}
