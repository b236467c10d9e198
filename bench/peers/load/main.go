// Command load puts the same work on Spillway and on its peers through a client for Go, and prints one line of JSON.
//
//	load publish --peer nats --endpoint 127.0.0.1:4222 --size 128 --producers 8 --seconds 5
//	load group   --peer redis --endpoint 127.0.0.1:6379 --size 1024      publish, and a group that acks at the same time
//	load latency --peer spillway --endpoint 127.0.0.1:7400 --rate 10000  an open loop; latency counts from when a record was due
//	load drain   --peer rabbit-stream --endpoint 127.0.0.1:5552 --records 500000
//	load first   --peer nats --endpoint 127.0.0.1:4222                   says when the first record was acked, and keeps trying until then
//	load echo-server --endpoint 127.0.0.1:7000                           the limit: what comes in goes out again
//
// bench/peers/java has the same for clients for Java. What each client is set to stands in the file that is named after its peer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// plan is what the flags say.
type plan struct {
	load       string
	peer       string
	endpoint   string
	authority  string
	run        string
	synced     bool
	keyed      bool
	idempotent bool
	size       int
	producers  int
	topics     int
	replicas   int
	rate       int
	records    int
	seconds    float64
	warmUp     float64
}

var errUnable = errors.New("not able to")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := start(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		if errors.Is(err, errUnable) {
			os.Exit(3) // what the peer does not have is no failure of the run
		}
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	p, err := parse(args)
	if err != nil {
		return err
	}
	if p.load == "echo-server" {
		return serveEcho(ctx, p.endpoint)
	}
	result, err := loads[p.load](ctx, p)
	if err != nil {
		return err
	}
	result["peer"], result["load"], result["language"] = p.peer, p.load, "go"
	result["client_cpu_s"] = cpuTime().Seconds()
	return json.NewEncoder(os.Stdout).Encode(result)
}

func parse(args []string) (*plan, error) {
	if len(args) == 0 || loads[args[0]] == nil && args[0] != "echo-server" {
		return nil, errors.New("what to do is missing; next: load publish|group|latency|drain|first|echo-server --help")
	}
	p := &plan{load: args[0]}
	flags := flag.NewFlagSet("load "+p.load, flag.ContinueOnError)
	flags.StringVar(&p.peer, "peer", "", "whose server it is: spillway, nats, redis, rabbit-quorum, rabbit-stream or echo")
	flags.StringVar(&p.endpoint, "endpoint", "", "`host:port`, of several nodes with commas between")
	flags.StringVar(&p.authority, "tls-authority", "", "speak TLS, and trust what this `file` has signed")
	flags.StringVar(&p.run, "run", "run", "makes the names of topics and groups unique")
	durability := flags.String("durability", "default", "default, or synced: on disk before the ack")
	flags.BoolVar(&p.keyed, "keyed", false, "each record has one of 10,000 keys")
	flags.BoolVar(&p.idempotent, "idempotent", false, "each record has an idempotency key of its own")
	flags.IntVar(&p.size, "size", 256, "bytes of a value, at least 8")
	flags.IntVar(&p.producers, "producers", 1, "producers, each on a connection of its own")
	flags.IntVar(&p.topics, "topics", 1, "topics, to which records go in turn")
	flags.IntVar(&p.replicas, "replicas", 1, "copies of each topic, in a cluster")
	flags.IntVar(&p.rate, "rate", 10_000, "records a second, for latency")
	flags.IntVar(&p.records, "records", 500_000, "records, for drain")
	flags.Float64Var(&p.seconds, "seconds", 5, "how long it is measured")
	flags.Float64Var(&p.warmUp, "warm-up", 2, "seconds before that")
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	p.synced = *durability == "synced"
	if (!p.synced && *durability != "default") || p.size < 8 || min(p.producers, p.topics, p.rate, p.records) < 1 || flags.NArg() > 0 {
		return nil, fmt.Errorf("a flag is wrong: %v; next: load %s --help", args[1:], p.load)
	}
	return p, nil
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
