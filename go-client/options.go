package spillway

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Version of this client.
const Version = "0.1.0"

// Option of Connect.
type Option func(*options) error

type options struct {
	endpoints       []string
	name            string
	zone            string
	failureDomain   string
	connectTimeout  time.Duration
	waitForBroker   time.Duration
	heartbeat       time.Duration
	requestTimeout  time.Duration
	metadataRefresh time.Duration
	metrics         Metrics
	healthInterval  time.Duration
	healthRoot      string
	appHealth       func() AppHealth
	onPressure      func(Pressure)
	onToggles       func()
	tls             *tls.Config
	mechanism       string // of logging in; empty = by certificate or not at all
	user            string
	secret          func() (string, error)
}

func defaults() options {
	return options{
		endpoints:       []string{"127.0.0.1:7400"},
		failureDomain:   "go",
		connectTimeout:  3 * time.Second,
		heartbeat:       5 * time.Second,
		requestTimeout:  10 * time.Second,
		metadataRefresh: time.Minute,
		healthInterval:  time.Second,
		healthRoot:      "/",
	}
}

func between(what string, value, low, high time.Duration) error {
	if value < low || value > high {
		return invalid(fmt.Sprintf("%s is %v", what, value), fmt.Sprintf("it must be from %v to %v", low, high))
	}
	return nil
}

// WithEndpoints says where brokers listen, each host:port ([v6]:port), in order of preference. Of a cluster, those nodes that may be
// expected to be up: they say where its leader is, and that which others there are. Default 127.0.0.1:7400.
func WithEndpoints(hostPorts ...string) Option {
	return func(o *options) error {
		if len(hostPorts) == 0 {
			return invalid("no endpoint is given", "a client needs at least one host:port")
		}
		for _, endpoint := range hostPorts {
			host, port, err := net.SplitHostPort(endpoint)
			number, bad := strconv.Atoi(port)
			if err != nil || host == "" || bad != nil || number < 1 || number > 65535 {
				why := "it must be host:port with a port from 1 to 65535"
				if strings.Contains(endpoint, "://") {
					why = "it has a scheme; " + why
				}
				return invalid("the endpoint \""+endpoint+"\" is wrong", why)
			}
		}
		o.endpoints = append([]string(nil), hostPorts...)
		return nil
	}
}

// WithClientName sets what the broker's views and logs call this client. Default: empty.
func WithClientName(name string) Option {
	return func(o *options) error { o.name = name; return nil }
}

// WithZone sets the zone this client runs in; brokers of the same zone are preferred. Default: empty, no preference.
func WithZone(zone string) Option {
	return func(o *options) error { o.zone = zone; return nil }
}

// WithFailureDomain: clients of one failure domain share one fate when the broker must shed load. Default: "go".
func WithFailureDomain(name string) Option {
	return func(o *options) error { o.failureDomain = name; return nil }
}

// WithConnectTimeout limits one attempt to connect over TCP; the handshake after it has 5 s. 10 ms to 1 min, default 3 s.
func WithConnectTimeout(timeout time.Duration) Option {
	return func(o *options) error {
		o.connectTimeout = timeout
		return between("the connect timeout", timeout, 10*time.Millisecond, time.Minute)
	}
}

// WithWaitForBroker says how long Connect goes on trying when no endpoint answers. Default zero: each endpoint is tried
// once. Once connected, the client reconnects for as long as it is open.
func WithWaitForBroker(patience time.Duration) Option {
	return func(o *options) error {
		o.waitForBroker = patience
		return between("the wait for a broker", patience, 0, 24*time.Hour)
	}
}

// WithHeartbeat: a connection without a byte for three of these is dead. 1 s to 60 s, default 5 s; the broker may ask for
// another.
func WithHeartbeat(interval time.Duration) Option {
	return func(o *options) error {
		o.heartbeat = interval
		return between("the heartbeat", interval, time.Second, time.Minute)
	}
}

// WithRequestTimeout is the deadline of an admin call and of opening a producer or subscription, unless the context's is
// earlier. 1 ms to 10 min, default 10 s.
func WithRequestTimeout(timeout time.Duration) Option {
	return func(o *options) error {
		o.requestTimeout = timeout
		return between("the request timeout", timeout, time.Millisecond, 10*time.Minute)
	}
}

// WithMetadataRefresh says how often, at the latest, the client asks its broker for the nodes of the cluster, so that it knows others
// once those that it was started with have left. Zero turns it off. 1 s to 1 day, default 1 min.
func WithMetadataRefresh(interval time.Duration) Option {
	return func(o *options) error {
		o.metadataRefresh = interval
		if interval == 0 {
			return nil
		}
		return between("the metadata refresh", interval, time.Second, 24*time.Hour)
	}
}

// WithMetrics sets who sees what the client does. Default: nobody.
func WithMetrics(metrics Metrics) Option {
	return func(o *options) error { o.metrics = metrics; return nil }
}
