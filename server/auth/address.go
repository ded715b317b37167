package auth

import (
	"net/netip"
	"strings"
)

// maxHops is how many entries of X-Forwarded-For are looked at, from the right.
const maxHops = 32

// ClientAddr returns the address a request came from. remote is the connection's peer,
// with or without a port; xff are the values of X-Forwarded-For in the order received.
//
// The header counts only when the peer is in trusted, and then the client is the
// rightmost hop that is not: whatever stands left of it was written by the client itself.
// Entries that are no addresses end the search at the hop that passed them on. The zero
// Addr means that remote is no address either.
func ClientAddr(remote string, xff []string, trusted []netip.Prefix) netip.Addr {
	client := parseHop(remote)
	if !isTrusted(client, trusted) {
		return client
	}
	hops := 0
	for i := len(xff) - 1; i >= 0; i-- {
		for rest, more := xff[i], true; more; hops++ {
			var hop string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				hop, more = rest, false
			}
			addr := parseHop(strings.TrimSpace(hop))
			if !addr.IsValid() || hops == maxHops {
				return client
			}
			if client = addr; !isTrusted(addr, trusted) {
				return client
			}
		}
	}
	return client
}

// parseHop reads an address with or without a port, IPv6 with or without brackets.
func parseHop(s string) netip.Addr {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone("")
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// network is what throttles count by: an IPv4 address, or the /64 that one subscriber of
// IPv6 has to choose addresses from.
func network(addr netip.Addr) string {
	if addr = addr.Unmap(); addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
