// Package testbroker runs real brokers for tests.
package testbroker

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Broker is a real one, in a process of its own.
type Broker struct {
	t        testing.TB
	dir      string
	cmd      *exec.Cmd
	Endpoint string
}

// Start runs one for as long as the test.
func Start(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{t: t, dir: t.TempDir(), Endpoint: "127.0.0.1:0"}
	t.Cleanup(b.Kill)
	b.Restart()
	return b
}

// Restart runs it again after a Kill, with its data and at its endpoint.
func (b *Broker) Restart() {
	b.t.Helper()
	binary, err := find()
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd = exec.Command(binary, "serve", "--data-dir", filepath.Join(b.dir, "data"), "--listen", b.Endpoint, "--http", "127.0.0.1:0")
	b.cmd.Stderr = os.Stderr
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SPILLWAY_") { // a broker takes each of these for a setting
			b.cmd.Env = append(b.cmd.Env, variable)
		}
	}
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		b.t.Fatalf("cannot start a broker: %v; next: make build", err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n') // an empty line says that it ended
	for _, field := range strings.Fields(line) {
		if wire, ok := strings.CutPrefix(field, "wire="); ok {
			b.Endpoint = wire
			return
		}
	}
	b.t.Fatalf("the broker says %q; next: make build", line)
}

// find is $SPILLWAY_BROKER_BIN, or the one of this checkout.
func find() (string, error) {
	if binary := os.Getenv("SPILLWAY_BROKER_BIN"); binary != "" {
		return binary, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		binary := filepath.Join(dir, "bin", "spillway")
		if _, err := os.Stat(binary); err == nil {
			return binary, nil
		}
	}
	return "", fmt.Errorf("there is no bin/spillway above %s, and SPILLWAY_BROKER_BIN is not set", dir)
}

// Process of the broker.
func (b *Broker) Process() *os.Process { return b.cmd.Process }

// Kill ends it without warning.
func (b *Broker) Kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait() // it says that it was killed
		b.cmd = nil
	}
}
