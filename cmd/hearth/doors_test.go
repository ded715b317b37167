package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// loopback is an address of this computer that only this test process uses, so that fixed
// ports are free there. Systems other than Linux may know just the usual one.
func loopback(t *testing.T) string {
	t.Helper()
	pid := os.Getpid()
	address := fmt.Sprintf("127.%d.%d.%d", 1+pid>>16&0x7f, pid>>8&0xff, 1+pid&0x7f)
	ln, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return "127.0.0.1"
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func TestServicePorts(t *testing.T) {
	address := loopback(t)
	s := serving(t, t.TempDir(), "--service-ports", "--service-address", address)
	if out := s.out.String(); !strings.Contains(out, "3000 to 3003 on "+address) {
		t.Errorf("it prints\n%s", out)
	}
	base := func(port int) string { return fmt.Sprintf("http://%s:%d", address, port) }
	for port, name := range map[int]string{3001: "User Service", 3002: "Chat Service", 3003: "Message Service"} {
		var health struct{ Status, Message string }
		if status := fetch(t, "GET", base(port)+"/", "", nil, &health); status != 200 || health.Status != "healthy" || health.Message != name+" is running" {
			t.Errorf("port %d: %d %+v", port, status, health)
		}
	}
	var made struct{ Token string }
	body := map[string]string{"username": "ann", "email": "ann@example.org", "password": testPassword}
	if status := fetch(t, "POST", base(3001)+"/api/register", "", body, &made); status != 201 {
		t.Fatalf("register at the user service: %d", status)
	}
	for url, want := range map[string]int{base(3002) + "/api/rooms": 200, base(3000) + "/api/chat/rooms": 200, s.url + "/api/chat/rooms": 200, base(3003) + "/api/rooms": 404} {
		if status := fetch(t, "GET", url, made.Token, nil, nil); status != want {
			t.Errorf("%s: %d, want %d", url, status, want)
		}
	}
	if status := fetch(t, "GET", base(3002)+"/api/rooms", "", nil, nil); status != 401 {
		t.Errorf("without a token: %d, want 401", status)
	}
	r := cli(t, "", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--service-ports", "--service-address", address)
	if r.code != exitBusy || !strings.Contains(r.err, address+":3000 is in use by another program, and --service-ports needs it") {
		t.Errorf("a second one with the same ports: exit code %d, %q", r.code, r.err)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("stopped with exit code %d\n%s", code, s.log)
	}
	if conn, err := net.Dial("tcp", address+":3001"); err == nil {
		_ = conn.Close()
		t.Error("port 3001 is open after the stop")
	}
}

func TestServicePortsAreOffByDefault(t *testing.T) {
	c, err := settle(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.ServicePorts || c.ServiceAddress != "127.0.0.1" || c.Pprof != "" || c.MetricsToken != "" {
		t.Errorf("settled on %+v", c.Config)
	}
	for value, on := range map[string]bool{"on": true, "true": true, "1": true, "off": false, "false": false, "0": false} {
		c, err := settle(nil, words("HEARTH_SERVICE_PORTS", value))
		if err != nil || c.ServicePorts != on {
			t.Errorf("HEARTH_SERVICE_PORTS=%s: %t, %v", value, c.ServicePorts, err)
		}
	}
}

func TestMetricsOfTheProgram(t *testing.T) {
	s := serving(t, t.TempDir())
	var made struct{ Token string }
	body := map[string]string{"username": "ann", "email": "ann@example.org", "password": testPassword}
	fetch(t, "POST", s.url+"/api/auth/register", "", body, &made)
	if status := fetch(t, "POST", s.url+"/api/chat/rooms", made.Token, map[string]string{"name": "General"}, nil); status != 201 {
		t.Fatalf("make a room: %d", status)
	}
	text := read(t, s.url+"/metrics", "")
	for _, want := range []string{"\nhearth_disk_free_bytes ", `hearth_store_bytes{store="rooms"} `, `hearth_store_bytes{store="people.db"} `, "\nhearth_store_writable 1\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	if strings.Contains(text, "\nhearth_store_batch_operations_count 0\n") {
		t.Error("the store's commits are not counted")
	}
	if text := read(t, s.url+"/metrics", "chat.example.org"); strings.Contains(text, "hearth_") {
		t.Errorf("by another name it answers %s", text)
	}
}

func TestPprof(t *testing.T) {
	for _, address := range []string{"0.0.0.0:6060", ":6060", "192.168.1.5:6060", "example.org:6060", "127.0.0.1", "127.0.0.1:x", "[::]:6060"} {
		if _, err := settle(words("pprof", address), nil); err == nil || exitCode(err) != exitUsage {
			t.Errorf("--pprof %s: %v", address, err)
		}
	}
	address := net.JoinHostPort(loopback(t), "6061")
	s := serving(t, t.TempDir(), "--pprof", address)
	if text := read(t, "http://"+address+"/debug/pprof/goroutine?debug=1", ""); !strings.HasPrefix(text, "goroutine profile:") {
		t.Errorf("the profiler answers %.200s", text)
	}
	if text := read(t, "http://"+address+"/debug/pprof/goroutine?debug=1", "evil.example"); strings.Contains(text, "goroutine profile") {
		t.Error("a page by another name may read profiles")
	}
	if text := read(t, s.url+"/debug/pprof/goroutine?debug=1", ""); strings.Contains(text, "goroutine profile") {
		t.Error("the one port has profiles")
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("stopped with exit code %d\n%s", code, s.log)
	}
}

// read returns what is at an address that is asked for by a name of its own, if one is given.
func read(t *testing.T, url, host string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	in, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
