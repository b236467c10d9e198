package spillway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	spillway "github.com/spillway-io/spillway/go-client"
)

// startCluster starts three brokers in zones z1, z2 and z3 and waits until all of them vote; the first one leads at first.
func startCluster(t *testing.T) []*broker {
	t.Helper()
	var nodes []*broker
	var seed string
	for i := 1; i <= 3; i++ {
		listener := open[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
		own := listener.Addr().String() // chosen a moment ago, so that it is free unless somebody is very quick
		_ = listener.Close()
		flags := []string{"--node-id", fmt.Sprintf("n%d", i), "--zone", fmt.Sprintf("z%d", i), "--cluster-listen", own}
		if seed == "" {
			seed = own
		} else {
			flags = append(flags, "--seed", seed)
		}
		b := &broker{t: t, binary: brokerBinary(t), dir: t.TempDir(), endpoint: "127.0.0.1:0", flags: flags}
		t.Cleanup(b.kill)
		b.restart()
		nodes = append(nodes, b)
	}
	t.Cleanup(func() { sayWhereTheyStand(t, nodes) })
	until(t, "three nodes to vote", func() bool { return strings.Count(nodes[0].cluster(), `"role":"VOTER"`) == 3 })
	return nodes
}

// sayWhereTheyStand has the nodes of a test that failed print what their threads wait for.
func sayWhereTheyStand(t *testing.T, nodes []*broker) {
	if !t.Failed() {
		return
	}
	for _, b := range nodes {
		if b.cmd != nil {
			threads, err := exec.CommandContext(soon(t), "jcmd", strconv.Itoa(b.cmd.Process.Pid), "Thread.print").CombinedOutput()
			t.Logf("the threads of %s: %s, %v", b.endpoint, threads, err)
		}
	}
}

// cluster is what the node says of its cluster.
func (b *broker) cluster() string {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + b.http + "/cluster")
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// seenEndpoints hears where clients are connected.
type seenEndpoints struct {
	spillway.NoMetrics
	mu  sync.Mutex
	all []string
}

func (s *seenEndpoints) OnConnected(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, endpoint)
}

func (s *seenEndpoints) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return ""
	}
	return s.all[len(s.all)-1]
}

func TestAReaderReadsNearAndGoesOnWhenItsNodeOrTheLeaderDies(t *testing.T) {
	nodes := startCluster(t)
	seen := &seenEndpoints{}
	client := nodes[0].client(spillway.WithZone("z2"), spillway.WithWaitForBroker(patience), spillway.WithMetrics(seen))
	topic := nodes[0].topic(client, 1)
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), topic))
	next := 0
	publish := func(n int) {
		t.Helper()
		for range n {
			if _, err := producer.Publish(soon(t), spillway.Record{Value: []byte(strconv.Itoa(next))}); err != nil {
				t.Fatal(err)
			}
			next++
		}
	}
	read := 0
	catchUp := func(reader *spillway.Subscription) {
		t.Helper()
		for read < next {
			messages, err := reader.Fetch(soon(t), 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if string(m.Value) != strconv.Itoa(read) {
					t.Fatalf("%s came, %d was next", m.Value, read)
				}
				read++
			}
		}
	}
	publish(100)
	reader := open[*spillway.Subscription](t)(client.Subscribe(soon(t), topic, spillway.WithStart(spillway.StartEarliest()),
		spillway.WithReadFrom(spillway.Nearest)))
	catchUp(reader)
	until(t, "the reader to be near", func() bool { return seen.last() == nodes[1].endpoint })

	nodes[1].kill()
	publish(100)
	catchUp(reader)
	until(t, "the reader to be elsewhere", func() bool { return slices.Contains([]string{nodes[0].endpoint, nodes[2].endpoint}, seen.last()) })
	nodes[1].restart()
	until(t, "the reader to be near again", func() bool { return seen.last() == nodes[1].endpoint })
	publish(100)
	catchUp(reader)

	nodes[0].kill()
	publish(100)
	catchUp(reader)
	if err := reader.Close(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestAGroupIsNotReadNear(t *testing.T) {
	b := startBroker(t)
	client := b.client()
	_, err := client.Subscribe(context.Background(), b.topic(client, 1), spillway.WithGroup("g"), spillway.WithReadFrom(spillway.Nearest))
	if err == nil {
		t.Error("it was opened")
	}
}
