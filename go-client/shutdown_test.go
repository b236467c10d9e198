package spillway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// The example is what users copy: what it has handled by the time of a SIGTERM is acked, and the rest is nobody's.
func TestTheExampleConsumerLeavesInOrderAtSIGTERM(t *testing.T) {
	const n = 2_000
	b := startBroker(t)
	c := b.client()
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for range n {
		p.PublishAsync(soon(t), spillway.Record{Value: []byte("x")})
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "consumer")
	if out, err := exec.Command("go", "build", "-o", binary, "./examples/consumer").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out bytes.Buffer
	example := exec.Command(binary, "-endpoint", b.endpoint, "-topic", topic, "-group", "g")
	example.Stdout = &out
	if err := example.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- example.Wait() }()
	place := func() spillway.Group {
		g, err := c.Admin().DescribeGroup(soon(t), topic, "g")
		if err != nil {
			return spillway.Group{} // it is not there yet
		}
		return *g
	}
	until(t, "the example to read", func() bool {
		g := place()
		return g.Members > 0 && g.Partitions[0].Cursor > 0
	})

	if err := example.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		_ = example.Process.Kill()
		t.Fatal("it does not end")
	}
	var said struct{ Distinct int64 }
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if g := place(); g.Members != 0 || g.Partitions[0].Cursor != said.Distinct || said.Distinct == 0 {
		t.Errorf("it says %d, and the group is %+v", said.Distinct, g)
	}
}

// What it has read by the time of a SIGTERM has its outcome, and it reads no more. Its file is a pipe that never ends.
func TestTheExampleProducerLeavesInOrderAtSIGTERM(t *testing.T) {
	b := startBroker(t)
	c := b.client()
	topic := b.topic(c, 1)
	binary, file := filepath.Join(t.TempDir(), "producer"), filepath.Join(t.TempDir(), "paragraphs")
	if out, err := exec.Command("go", "build", "-o", binary, "./examples/producer").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	example := exec.Command(binary, "-endpoint", b.endpoint, "-topic", topic, "-file", file)
	example.Stdout = &out
	if err := example.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- example.Wait() }()
	pipe, err := os.OpenFile(file, os.O_RDWR, 0) // for reading, too, so that opening does not wait for the example
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(pipe, "Package: p%d\nX: y\n\n", i); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { pipe.Close(); <-written })
	stored := func() int64 {
		return open[*spillway.Topic](t)(c.Admin().DescribeTopic(soon(t), topic)).Partitions[0].EndOffset
	}
	until(t, "the example publishes", func() bool { return stored() > 0 })

	if err := example.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		_ = example.Process.Kill()
		t.Fatal("it does not end")
	}
	var said struct {
		Read, Acked int64
		Failed      map[string]int
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if said.Read == 0 || said.Acked != said.Read || len(said.Failed) > 0 || stored() != said.Read {
		t.Errorf("it says %+v, and the topic has %d", said, stored())
	}
}
