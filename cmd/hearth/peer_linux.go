package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// checkPeer requires the other end of a local socket to be our own user or root.
func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, peerErr); err != nil {
		return fmt.Errorf("who calls: %w", err)
	}
	return admitUser(int(peer.Uid), os.Getuid())
}

// admitUser lets our own user and root in.
func admitUser(caller, own int) error {
	if caller != own && caller != 0 {
		return fmt.Errorf("user %d is not the user of this server, %d", caller, own)
	}
	return nil
}
