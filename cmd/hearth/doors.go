package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"syscall"
	"time"

	"github.com/hearthchat/hearth/server"
	"github.com/hearthchat/hearth/server/compat"
)

// doors are where the program listens.
type doors struct {
	front    net.Listener // the one port for everything
	services []server.ServicePort
	profiler net.Listener // nil: none
}

// openDoors listens where the settings say. Of c.Listen it fills in a port that is 0.
func openDoors(c *Config) (d doors, err error) {
	if d.front, err = listen(c.Listen); err != nil {
		return doors{}, err
	}
	host, _, _ := net.SplitHostPort(c.Listen) // checked when it was set
	c.Listen = net.JoinHostPort(host, strconv.Itoa(d.front.Addr().(*net.TCPAddr).Port))
	if c.ServicePorts {
		ports := []int{compat.WebPort}
		for _, s := range compat.Services {
			ports = append(ports, s.Port)
		}
		for _, port := range ports {
			ln, err := listenBeside(net.JoinHostPort(c.ServiceAddress, strconv.Itoa(port)), "service-ports")
			if err != nil {
				return doors{}, errors.Join(err, d.Close())
			}
			d.services = append(d.services, server.ServicePort{Listener: ln, Port: port})
		}
	}
	if c.Pprof != "" {
		if d.profiler, err = listenBeside(c.Pprof, "pprof"); err != nil {
			return doors{}, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

func listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &failure{exitBusy, fmt.Errorf("%s is in use by another program: stop that one, or choose another port, such as --listen :8001", address)}
	case errors.Is(err, syscall.EACCES):
		return nil, &failure{exitFailed, fmt.Errorf("this user may not listen on %s: choose a port of 1024 or more, such as --listen :8000", address)}
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}

// listenBeside listens at an address that a setting asks for.
func listenBeside(address, setting string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &failure{exitBusy, fmt.Errorf("%s is in use by another program, and --%s needs it: stop that one, or leave --%s out", address, setting, setting)}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for --%s: %w", setting, err)
	}
	return ln, nil
}

// Close ends listening at all of them.
func (d doors) Close() error {
	errs := []error{d.front.Close()}
	for _, s := range d.services {
		errs = append(errs, s.Close())
	}
	if d.profiler != nil {
		errs = append(errs, d.profiler.Close())
	}
	return errors.Join(errs...)
}

// serveProfiles answers /debug/pprof/ until ctx ends, which is no error. Pages in a
// browser on this computer cannot ask by a name of their own.
func serveProfiles(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !server.IsLoopbackHost(r.Host) {
				http.NotFound(w, r)
				return
			}
			mux.ServeHTTP(w, r)
		}),
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve profiles: %w", err)
	}
	return nil
}
