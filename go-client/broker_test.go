package spillway_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	spillway "github.com/spillway-io/spillway/go-client"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker is a real one, in a process of its own.
type broker struct {
	t        testing.TB
	dir      string
	endpoint string
	cmd      *exec.Cmd
}

// brokerBinary is $SPILLWAY_BROKER_BIN, or the one of this checkout when it is built.
func brokerBinary(tb testing.TB) string {
	if bin := os.Getenv("SPILLWAY_BROKER_BIN"); bin != "" {
		return bin
	}
	if jars, err := filepath.Glob("../broker/target/dist/*.jar"); err != nil || len(jars) == 0 {
		tb.Skip("SKIPPED: no broker is built in this checkout and SPILLWAY_BROKER_BIN is not set; make build, then run again")
	}
	return "../bin/spillway"
}

func startBroker(tb testing.TB) *broker {
	tb.Helper()
	b := &broker{t: tb, dir: tb.TempDir(), endpoint: "127.0.0.1:0"}
	b.start()
	tb.Cleanup(b.kill)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	b.cmd = exec.Command(brokerBinary(b.t), "serve", "--data-dir", filepath.Join(b.dir, "data"), "--listen", b.endpoint,
		"--http", "127.0.0.1:0")
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd.Stderr = os.Stderr
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SPILLWAY_") { // a broker takes each of these for a setting
			b.cmd.Env = append(b.cmd.Env, variable)
		}
	}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatalf("cannot start a broker: %v", err)
	}
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // an empty line says that it ended
		ready <- line
	}()
	select {
	case line := <-ready:
		for _, field := range strings.Fields(line) {
			if wire, ok := strings.CutPrefix(field, "wire="); ok {
				b.endpoint = wire
				return
			}
		}
		b.t.Fatalf("the broker says %q, not that it is ready", line)
	case <-time.After(patience):
		b.t.Fatal("the broker is not ready in time")
	}
}

// kill ends it without warning.
func (b *broker) kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Signal(syscall.SIGKILL)
		_ = b.cmd.Wait() // it says that it was killed
		b.cmd = nil
	}
}

func (b *broker) client(opts ...spillway.Option) *spillway.Client {
	b.t.Helper()
	client, err := spillway.Connect(soon(b.t), append([]spillway.Option{spillway.WithEndpoints(b.endpoint)}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = client.Close(ctx) // a test that cares closes it itself
	})
	return client
}

// topic creates a topic that no other test has.
func (b *broker) topic(client *spillway.Client, partitions int) string {
	b.t.Helper()
	name := fmt.Sprintf("t%d", topics.Add(1))
	if _, err := client.Admin().CreateTopic(soon(b.t), name, partitions, nil); err != nil {
		b.t.Fatal(err)
	}
	return name
}

var topics atomic.Int32

// soon is a context that ends the test's waiting.
func soon(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

func open[T any](tb testing.TB) func(T, error) T {
	return func(opened T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return opened
	}
}
