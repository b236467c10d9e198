// Command spillway-go-bench puts load on a broker through the Go client and prints one line of JSON. The topic must exist, but for
// topics, which makes t-0 and so on.
//
//	spillway-go-bench produce --topic t --seconds 5 --size 128 --durability mapped
//	spillway-go-bench consume --topic t --count 1000000 [--group g]
//	spillway-go-bench latency --topic t --seconds 5 --rate 10000 --size 256
//	spillway-go-bench idle --count 10000 --seconds 30
//	spillway-go-bench topics --topic t --count 5000 [--group g]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// plan is what the flags say.
type plan struct {
	endpoint   string
	topic      string
	group      string
	count      int
	seconds    float64
	size       int
	rate       int
	durability spillway.Durability
}

// isOver tells whether that many records after so long are enough.
func (p *plan) isOver(records int, since time.Time) bool {
	return p.count > 0 && records >= p.count || p.count == 0 && time.Since(since).Seconds() >= p.seconds
}

type load func(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error)

var loads = map[string]load{"produce": produce, "consume": consume, "latency": latency, "idle": idle, "topics": topics}

var levels = map[string]spillway.Durability{"topic": spillway.TopicDurability, "mapped": spillway.Mapped, "synced": spillway.Synced}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	result, err := run(ctx, os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (map[string]any, error) {
	if len(args) == 0 || loads[args[0]] == nil {
		return nil, fmt.Errorf("what to do is missing; next: spillway-go-bench produce|consume|latency|idle|topics --topic NAME")
	}
	p := &plan{}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&p.endpoint, "endpoint", "127.0.0.1:7400", "where the broker listens, `host:port`")
	flags.StringVar(&p.topic, "topic", "", "the topic")
	flags.StringVar(&p.group, "group", "", "consume as a member of this group and ack each record; empty: as a reader; of topics: made in each")
	flags.IntVar(&p.count, "count", 0, "records, connections or topics; 0: as many records as the seconds allow")
	flags.Float64Var(&p.seconds, "seconds", 5, "how long, when there is no count; of idle: for how long they stay")
	flags.IntVar(&p.size, "size", 128, "bytes of a value, at least 8")
	flags.IntVar(&p.rate, "rate", 10_000, "records a second, for latency")
	durability := flags.String("durability", "topic", "what an ack stands for: topic, mapped or synced")
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	var known bool
	if p.durability, known = levels[*durability]; !known || p.size < 8 || p.rate < 1 || flags.NArg() > 0 {
		return nil, fmt.Errorf("a flag is wrong: %v; next: spillway-go-bench %s --help", args[1:], args[0])
	}
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(p.endpoint), spillway.WithClientName("spillway-go-bench"))
	if err != nil {
		return nil, err
	}
	cpu := cpuTime()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	result, err := loads[args[0]](ctx, client, p)
	if err != nil {
		_ = client.Close(context.Background()) // the first error says more
		return nil, err
	}
	runtime.ReadMemStats(&after)
	records := float64(max(1, result["records"].(int)))
	result["client"], result["load"], result["size"] = "go", args[0], p.size
	result["client_cpu_ns_per_record"] = int(float64((cpuTime() - cpu).Nanoseconds()) / records)
	result["client_bytes_per_record"] = int(float64(after.TotalAlloc-before.TotalAlloc) / records)
	return result, client.Close(context.Background())
}

// cpuTime of this process so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func perSecond(records int, took time.Duration) int { return int(float64(records) / took.Seconds()) }
