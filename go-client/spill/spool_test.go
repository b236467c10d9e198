//go:build unix

package spill_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/testbroker"
	"github.com/spillway-io/spillway/go-client/spill"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv("SPILL_CHILD") != "" {
		if err := child(); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func connect(t *testing.T, b *testbroker.Broker) *spillway.Client {
	t.Helper()
	client := must[*spillway.Client](t)(spillway.Connect(soon(t), spillway.WithEndpoints(b.Endpoint)))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = client.Close(ctx) // the broker may be gone
	})
	return client
}

var quick = []spill.Option{spill.WithPatience(300 * time.Millisecond), spill.WithCalm(50 * time.Millisecond)}

func openSpool(t *testing.T, dir string, opts ...spill.Option) *spill.Spool {
	t.Helper()
	spool := must[*spill.Spool](t)(spill.Open(dir, "t", append(quick, opts...)...))
	t.Cleanup(func() {
		if err := spool.Close(); err != nil {
			t.Error(err)
		}
	})
	return spool
}

// attach a producer of the topic, which is created when it is missing.
func attach(t *testing.T, spool *spill.Spool, client *spillway.Client) {
	t.Helper()
	if _, err := client.Admin().CreateTopic(soon(t), "t", 2, nil); err != nil && !errors.Is(err, spillway.ErrAlreadyExists) {
		t.Fatal(err)
	}
	if err := spool.Attach(must[*spillway.Producer](t)(client.Producer(soon(t), "t"))); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, spool *spill.Spool, value string) spill.Outcome {
	t.Helper()
	return must[spill.Outcome](t)(spool.Publish(soon(t), spillway.Record{Value: []byte(value)}))
}

// stored values of the topic, each with how often it is there.
func stored(t *testing.T, client *spillway.Client) map[string]int {
	t.Helper()
	topic := must[*spillway.Topic](t)(client.Admin().DescribeTopic(soon(t), "t"))
	want := int64(0)
	for _, p := range topic.Partitions {
		want += p.EndOffset - p.StartOffset
	}
	reader := must[*spillway.Subscription](t)(client.Subscribe(soon(t), "t", spillway.WithStart(spillway.StartEarliest())))
	values := map[string]int{}
	for got := int64(0); got < want; {
		for _, message := range must[[]*spillway.Message](t)(reader.Fetch(soon(t), 1_000)) {
			values[string(message.Value)]++
			got++
		}
	}
	return values
}

func storedOnce(t *testing.T, client *spillway.Client, records int) {
	t.Helper()
	values := stored(t, client)
	for i := range records {
		if n := values[fmt.Sprint(i)]; n != 1 {
			t.Errorf("record %d is stored %d times", i, n)
		}
	}
	if len(values) != records {
		t.Errorf("%d different records are stored, and %d were published", len(values), records)
	}
}

func TestWhatTheBrokerDoesNotTakeIsSpilledAndDrainedLater(t *testing.T) {
	b := testbroker.Start(t)
	client := connect(t, b)
	spool := openSpool(t, t.TempDir())
	attach(t, spool, client)
	if o := publish(t, spool, "0"); o.Spilled || o.Ack == nil {
		t.Fatalf("the broker is there, and the outcome is %+v", o)
	}

	b.Kill()
	for i := 1; i <= 200; i++ {
		if o := publish(t, spool, fmt.Sprint(i)); !o.Spilled || o.Ack != nil || o.Cause == nil {
			t.Fatalf("the broker is not there, and the outcome is %+v", o)
		}
	}
	if stats := spool.Stats(); stats.Waiting != 200 || stats.Spilled != 200 || stats.Drained != 0 {
		t.Errorf("it says %+v", stats)
	}
	b.Restart()
	until(t, "the spool is empty", func() bool { return spool.Stats().Waiting == 0 })
	if stats := spool.Stats(); stats.Drained != 200 || stats.Refused != 0 {
		t.Errorf("it says %+v", stats)
	}
	if o := publish(t, spool, "201"); o.Spilled {
		t.Errorf("the broker is back, and the outcome is %+v", o)
	}
	storedOnce(t, client, 202)
}

func TestARecordOfUnknownOutcomeIsStoredOnce(t *testing.T) {
	b := testbroker.Start(t)
	client := connect(t, b)
	spool := openSpool(t, t.TempDir())
	attach(t, spool, client)
	publish(t, spool, "0")

	stopped := b.Process()
	if err := stopped.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 5; i++ { // the first are with the broker, which says nothing
		if o := publish(t, spool, fmt.Sprint(i)); !o.Spilled {
			t.Fatalf("the broker stands still, and the outcome is %+v", o)
		}
	}
	if err := stopped.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until(t, "the spool is empty", func() bool { return spool.Stats().Waiting == 0 })
	storedOnce(t, client, 6)
	t.Logf("of 5 spilled records %d were stored before the drain came", spool.Stats().Duplicates)
}

func TestAFullSpoolSaysSo(t *testing.T) {
	spool := openSpool(t, t.TempDir(), spill.WithMaxBytes(1<<20))
	value := strings.Repeat("x", 100<<10)
	spilled := 0
	for {
		_, err := spool.Publish(soon(t), spillway.Record{Value: []byte(value)})
		if err == nil {
			spilled++
			continue
		}
		if !errors.Is(err, spillway.ErrBufferFull) || !strings.Contains(err.Error(), "the spool is full") ||
			!strings.Contains(err.Error(), "no producer is attached") {
			t.Errorf("it fails with %v", err)
		}
		break
	}
	if stats := spool.Stats(); spilled != 10 || stats.Waiting != 10 || stats.Bytes > 1<<20 {
		t.Errorf("%d are spilled, and it says %+v", spilled, stats)
	}
}

func TestATornTailIsIgnoredAndCounted(t *testing.T) {
	dir := t.TempDir()
	spool := must[*spill.Spool](t)(spill.Open(dir, "t", quick...))
	for i := range 3 {
		publish(t, spool, fmt.Sprint(i))
	}
	if err := spool.Close(); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.spill"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	info := must[os.FileInfo](t)(os.Stat(segments[0]))
	if err := os.Truncate(segments[0], info.Size()-5); err != nil { // as if the machine had ended while the last was written
		t.Fatal(err)
	}

	b := testbroker.Start(t)
	client := connect(t, b)
	again := openSpool(t, dir)
	if stats := again.Stats(); stats.Torn != 1 || stats.Waiting != 2 || stats.Damaged != 0 {
		t.Errorf("it says %+v", stats)
	}
	publish(t, again, "2")
	attach(t, again, client)
	until(t, "the spool is empty", func() bool { return again.Stats().Waiting == 0 })
	storedOnce(t, client, 3)
}

func TestADirectoryHasOneSpool(t *testing.T) {
	dir := t.TempDir()
	openSpool(t, dir)
	if _, err := spill.Open(dir, "t"); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a second one: %v", err)
	}
}

func TestWhatTheBrokerNeverTakesIsGivenBack(t *testing.T) {
	b := testbroker.Start(t)
	client := connect(t, b)
	refused := make(chan error, 1)
	spool := openSpool(t, t.TempDir(), spill.WithOnRefused(func(r spillway.Record, err error) { refused <- fmt.Errorf("%s: %w", r.Value, err) }))
	key := []byte("the same")
	for _, value := range []string{"0", "another"} {
		must[spill.Outcome](t)(spool.Publish(soon(t), spillway.Record{Value: []byte(value), IdempotencyKey: key}))
	}
	publish(t, spool, "1")
	attach(t, spool, client)
	select {
	case err := <-refused:
		if !errors.Is(err, spillway.ErrIdempotencyConflict) || !strings.HasPrefix(err.Error(), "another") {
			t.Errorf("it is refused with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is refused")
	}
	until(t, "the spool is empty", func() bool { return spool.Stats().Waiting == 0 })
	storedOnce(t, client, 2)
}

// child opens the spool of a directory, attaches a producer when a broker is given, publishes records until it is killed or has
// done its number, and says what became of each.
func child() error {
	ctx := context.Background()
	spool, err := spill.Open(os.Getenv("SPILL_CHILD"), "t", quick...)
	if err != nil {
		return err
	}
	if endpoint := os.Getenv("SPILL_BROKER"); endpoint != "" {
		client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint))
		if err != nil {
			return err
		}
		producer, err := client.Producer(ctx, "t")
		if err != nil {
			return err
		}
		if err := spool.Attach(producer); err != nil {
			return err
		}
	}
	var first, end int
	if _, err := fmt.Sscanf(os.Getenv("SPILL_RECORDS"), "%d-%d", &first, &end); err != nil {
		return err
	}
	for i := first; i < end; i++ {
		outcome, err := spool.Publish(ctx, spillway.Record{Value: fmt.Append(nil, i)})
		if err != nil {
			return err
		}
		fmt.Println(i, outcome.Spilled)
	}
	fmt.Println("done")
	for {
		fmt.Println("drained", spool.Stats().Drained)
		time.Sleep(time.Millisecond)
	}
}

// process runs a child and kills it, without warning, once it has said a line that is waited for.
func process(t *testing.T, dir, endpoint, records string, last func(line string) bool) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SPILL_CHILD="+dir, "SPILL_BROKER="+endpoint, "SPILL_RECORDS="+records)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	found := false
	for !found && scanner.Scan() {
		lines = append(lines, scanner.Text())
		found = last(scanner.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it says that it was killed
	if !found {
		t.Fatalf("the process ended early: %v", lines)
	}
	return lines
}

func TestAProcessThatIsKilledLosesAndDoublesNothing(t *testing.T) {
	b := testbroker.Start(t)
	client := connect(t, b)
	must[*spillway.Topic](t)(client.Admin().CreateTopic(soon(t), "t", 2, nil))
	dir := t.TempDir()

	// Between spill and drain: no broker, and the process is killed once it has spilled.
	for _, line := range process(t, dir, "", "0-500", func(line string) bool { return line == "done" }) {
		if line != "done" && !strings.HasSuffix(line, "true") {
			t.Errorf("without a broker it says %q", line)
		}
	}
	// In the middle of the drain, three times.
	for range 3 {
		lines := process(t, dir, b.Endpoint, "0-0", func(line string) bool {
			var drained int
			_, err := fmt.Sscanf(line, "drained %d", &drained)
			return err == nil && drained > 0
		})
		t.Logf("killed when it had %s", lines[len(lines)-1])
	}

	spool := openSpool(t, dir)
	left := spool.Stats().Waiting
	attach(t, spool, client)
	until(t, "the spool is empty", func() bool { return spool.Stats().Waiting == 0 })
	t.Logf("%d were left, of which %d were stored already", left, spool.Stats().Duplicates)
	storedOnce(t, client, 500)
}
