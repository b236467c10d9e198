package spillway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// exampleClient is connected, and has a topic of that name.
func exampleClient(ctx context.Context, topic string) (*spillway.Client, func()) {
	endpoint, stop := exampleBroker()
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Admin().CreateTopic(ctx, topic, 1, nil); err != nil {
		log.Fatal(err)
	}
	return client, func() {
		client.Close(ctx)
		stop()
	}
}

// In a key-ordered group a record that fails holds up those of its own key, and no others.
func ExampleWithMode() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, stop := exampleClient(ctx, "accounts")
	defer stop()
	producer, err := client.Producer(ctx, "accounts")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range [][2]string{{"ann", "opened"}, {"ann", "paid"}, {"bob", "opened"}} {
		if _, err := producer.Publish(ctx, spillway.Record{Key: []byte(r[0]), Value: []byte(r[1])}); err != nil {
			log.Fatal(err)
		}
	}

	subscription, err := client.Subscribe(ctx, "accounts", spillway.WithGroup("ledger"), spillway.WithMode(spillway.KeyOrdered),
		spillway.WithRetryBackoff(200*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	handled := 0
	for m, err := range subscription.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if string(m.Key) == "ann" && m.Attempt == 1 && string(m.Value) == "opened" {
			m.Nack(0) // again after the backoff
			continue
		}
		fmt.Printf("%s %s\n", m.Key, m.Value)
		m.Ack()
		if handled++; handled == 3 {
			break
		}
	}
	// Output:
	// bob opened
	// ann opened
	// ann paid
}

// The broker holds a record back until its time; what was published behind it comes first.
func ExampleRecord_scheduled() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, stop := exampleClient(ctx, "reminders")
	defer stop()
	producer, err := client.Producer(ctx, "reminders")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range []spillway.Record{
		{Value: []byte("your trial ends"), DeliverAfter: 300 * time.Millisecond, ExpiresAfter: time.Hour},
		{Value: []byte("welcome")},
	} {
		if _, err := producer.Publish(ctx, r); err != nil {
			log.Fatal(err)
		}
	}

	subscription, err := client.Subscribe(ctx, "reminders", spillway.WithGroup("mail"))
	if err != nil {
		log.Fatal(err)
	}
	handled := 0
	for m, err := range subscription.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		left, expires := m.TimeLeft()
		fmt.Printf("%s; still good: %v\n", m.Value, !expires || left > 0)
		m.Ack()
		if handled++; handled == 2 {
			break
		}
	}
	// Output:
	// welcome; still good: true
	// your trial ends; still good: true
}

// The records of one key since an hour ago are stored again in a topic that takes replays, each with where it comes from.
func ExampleAdmin_StartReplay() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, stop := exampleClient(ctx, "prices")
	defer stop()
	producer, err := client.Producer(ctx, "prices")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range [][2]string{{"tea", "1 EUR"}, {"milk", "2 EUR"}, {"tea", "3 EUR"}} {
		if _, err := producer.Publish(ctx, spillway.Record{Key: []byte(r[0]), Value: []byte(r[1])}); err != nil {
			log.Fatal(err)
		}
	}
	admin := client.Admin()
	if _, err := admin.CreateTopic(ctx, "prices.checked", 1, map[string]string{"accepts": "replay"}); err != nil {
		log.Fatal(err)
	}

	plan, err := admin.PlanReplay(ctx, spillway.ReplaySelection{Topic: "prices", Keys: [][]byte{[]byte("tea")},
		From: spillway.StartTime(time.Now().Add(-time.Hour))})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Records, "records to replay")
	job, err := admin.StartReplay(ctx, plan.ID, spillway.ToTopic("prices.checked"), spillway.ReplayOptions{Reason: "wrong prices"})
	if err != nil {
		log.Fatal(err)
	}
	if job, err = admin.AwaitReplay(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.State, job.Acked, "stored")
	// Output:
	// 2 records to replay
	// DONE 2 stored
}

// The records of one key go to a file: the broker says where they are and keeps the audit, the program reads and writes them.
func ExampleAdmin_ReplayToFile() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, stop := exampleClient(ctx, "prices")
	defer stop()
	producer, err := client.Producer(ctx, "prices")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range [][2]string{{"tea", "1 EUR"}, {"milk", "2 EUR"}, {"tea", "3 EUR"}} {
		if _, err := producer.Publish(ctx, spillway.Record{Key: []byte(r[0]), Value: []byte(r[1])}); err != nil {
			log.Fatal(err)
		}
	}
	plan, err := client.Admin().PlanReplay(ctx, spillway.ReplaySelection{Topic: "prices", Keys: [][]byte{[]byte("tea")}})
	if err != nil {
		log.Fatal(err)
	}

	file, err := os.CreateTemp("", "tea")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(file.Name())
	if err := replayTo(ctx, client, plan, file); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}

	written, err := os.ReadFile(file.Name())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(written))
	// Output:
	// 1 EUR
	// 3 EUR
}

// replayTo writes the values of a plan's records, one a line.
func replayTo(ctx context.Context, client *spillway.Client, plan *spillway.ReplayPlan, file *os.File) error {
	ranges, err := client.Admin().ReplayToFile(ctx, plan.ID, file.Name(), "the tea prices of today")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	for _, r := range ranges {
		if err := copyRange(ctx, client, plan.Selection.Topic, r, out); err != nil {
			return err
		}
	}
	return out.Flush()
}

func copyRange(ctx context.Context, client *spillway.Client, topic string, r spillway.ReplayRange, out io.Writer) error {
	reader, err := client.Subscribe(ctx, topic, spillway.WithStart(spillway.StartOffset(r.Partition, r.From)))
	if err != nil {
		return err
	}
	defer reader.Close(ctx)
	for m, err := range reader.Messages(ctx) {
		if err != nil {
			return err
		}
		if m.Offset >= r.To { // retention has taken the rest since it was planned
			return nil
		}
		fmt.Fprintf(out, "%s\n", m.Value)
		if m.Offset == r.To-1 {
			return nil
		}
	}
	return nil
}
