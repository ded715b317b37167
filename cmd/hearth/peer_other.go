//go:build !linux

package main

import "net"

// checkPeer relies on the socket's mode, 0600, where the system does not tell who calls.
func checkPeer(*net.UnixConn) error { return nil }
