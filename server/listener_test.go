package server

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestConnectionsPerAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	loopback := netip.MustParsePrefix("127.0.0.1/32")
	l := &listener{ln, nil, newConnections(func(netip.Addr) bool { return false })}
	l.open[loopback] = maxPerAddress - 1
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	accept := func() net.Conn {
		t.Helper()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	last := dial()
	inside := accept()
	refused := dial()
	done := make(chan net.Conn)
	go func() { done <- accept() }()
	if _, err := refused.Read(make([]byte, 1)); err == nil {
		t.Error("one connection too many is served")
	}
	if err := errors.Join(inside.Close(), last.Close(), refused.Close()); err != nil {
		t.Error(err)
	}
	if err := inside.Close(); err == nil {
		t.Error("closing twice is no error")
	}
	next := dial()
	after := <-done
	if l.open[loopback] != maxPerAddress {
		t.Errorf("%d connections are counted, want %d", l.open[loopback], maxPerAddress)
	}
	if err := errors.Join(next.Close(), after.Close()); err != nil {
		t.Error(err)
	}
}
