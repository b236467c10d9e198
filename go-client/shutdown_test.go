package spillway_test

import (
	"bytes"
	"encoding/json"
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
	for end := time.Now().Add(patience); place().Members == 0 || place().Partitions[0].Cursor == 0; {
		if time.Now().After(end) {
			t.Fatal("the example reads nothing")
		}
		time.Sleep(10 * time.Millisecond)
	}

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
