package spillway_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
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

func TestMain(m *testing.M) {
	if findBroker() == "" { // examples cannot say what is missing; the tests do
		if err := flag.Set("test.skip", "^Example"); err != nil {
			log.Fatal(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// broker is a real one, in a process of its own.
type broker struct {
	t        testing.TB
	binary   string
	dir      string
	endpoint string
	http     string
	flags    []string // of serve, beside those that every one has
	cmd      *exec.Cmd
}

// findBroker is $SPILLWAY_BROKER_BIN, or the one of this checkout when it is built, or nothing.
func findBroker() string {
	if bin := os.Getenv("SPILLWAY_BROKER_BIN"); bin != "" {
		return bin
	}
	if jars, err := filepath.Glob("../broker/target/dist/*.jar"); err != nil || len(jars) == 0 {
		return ""
	}
	return "../bin/spillway"
}

func brokerBinary(tb testing.TB) string {
	tb.Helper()
	bin := findBroker()
	if bin == "" {
		tb.Fatal(noBroker)
	}
	return bin
}

const noBroker = "no broker is built in this checkout and SPILLWAY_BROKER_BIN is not set; next: make build, then run again"

func startBroker(tb testing.TB) *broker {
	tb.Helper()
	b := &broker{t: tb, binary: brokerBinary(tb), dir: tb.TempDir(), endpoint: "127.0.0.1:0"}
	tb.Cleanup(b.kill)
	b.restart()
	return b
}

func (b *broker) restart() {
	b.t.Helper()
	if err := b.start(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *broker) start() error {
	flags := append([]string{"serve", "--data-dir", filepath.Join(b.dir, "data"), "--listen", b.endpoint,
		"--http", "127.0.0.1:0"}, b.flags...)
	b.cmd = exec.Command(b.binary, flags...)
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	b.cmd.Stderr = os.Stderr
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SPILLWAY_") { // a broker takes each of these for a setting
			b.cmd.Env = append(b.cmd.Env, variable)
		}
	}
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("cannot start a broker: %w", err)
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
			} else if http, ok := strings.CutPrefix(field, "http="); ok {
				b.http = http
				return nil
			}
		}
		return fmt.Errorf("the broker says %q, not that it is ready", line)
	case <-time.After(patience):
		return errors.New("the broker is not ready in time")
	}
}

// exampleBroker is one for an example, which has no test to belong to.
func exampleBroker() (endpoint string, stop func()) {
	dir, err := os.MkdirTemp("", "spillway-example")
	if err != nil {
		log.Fatal(err)
	}
	b := &broker{binary: findBroker(), dir: dir, endpoint: "127.0.0.1:0"}
	if err := b.start(); err != nil {
		b.kill()
		log.Fatal(err)
	}
	return b.endpoint, func() {
		b.kill()
		os.RemoveAll(dir)
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

// after is a context that ends after that long.
func after(tb testing.TB, wait time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	tb.Cleanup(cancel)
	return ctx
}
