package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os/signal"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	endpoint, stop := exampleBroker() // yours listens somewhere already
	defer stop()

	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint), spillway.WithClientName("shop"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if _, err := client.Admin().CreateTopic(ctx, "orders", 4, nil); err != nil {
		log.Fatal(err)
	}
	producer, err := client.Producer(ctx, "orders")
	if err != nil {
		log.Fatal(err)
	}
	ack, err := producer.Publish(ctx, spillway.Record{Key: []byte("4711"), Value: []byte("paid")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored as", ack.Durability, "at offset", ack.Offset)

	subscription, err := client.Subscribe(ctx, "orders", spillway.WithGroup("billing"))
	if err != nil {
		log.Fatal(err)
	}
	for message, err := range subscription.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s is %s\n", message.Key, message.Value)
		message.Ack()
		break
	}
	if err := subscription.FlushAcks(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// stored as SYNCED at offset 0
	// 4711 is paid
}

func ExampleError() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	endpoint, stop := exampleBroker()
	defer stop()
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)

	_, err = client.Producer(ctx, "nowhere")

	if errors.Is(err, spillway.ErrTopicNotFound) {
		fmt.Println("there is no such topic")
	}
	var e *spillway.Error
	if errors.As(err, &e) {
		fmt.Println(e.Reason, e.Code, e.Retry)
	}
	// Output:
	// there is no such topic
	// TOPIC_NOT_FOUND 300 REFRESH
}

// PublishAsync waits for space in the buffer only; the outcomes are awaited together.
func ExampleProducer_PublishAsync() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	endpoint, stop := exampleBroker()
	defer stop()
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if _, err := client.Admin().CreateTopic(ctx, "readings", 1, nil); err != nil {
		log.Fatal(err)
	}
	producer, err := client.Producer(ctx, "readings")
	if err != nil {
		log.Fatal(err)
	}

	var outcomes []spillway.Future
	for i := range 1000 {
		outcomes = append(outcomes, producer.PublishAsync(ctx, spillway.Record{Value: fmt.Append(nil, i)}))
	}
	for i, outcome := range outcomes {
		if _, err := outcome.Ack(ctx); err != nil {
			log.Fatalf("record %d: %v", i, err)
		}
	}
	fmt.Println(len(outcomes), "are stored")
	// Output: 1000 are stored
}

// A worker that ends with SIGTERM: what its handlers have begun is finished and acked, the rest is given back.
func ExampleSubscription_Consume() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	client, err := spillway.Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	subscription, err := client.Subscribe(ctx, "orders", spillway.WithGroup("billing"))
	if err != nil {
		log.Fatal(err)
	}
	err = subscription.Consume(ctx, 8, func(ctx context.Context, m *spillway.Message) error {
		log.Printf("%s: %s", m.Key, m.Value)
		return nil // acked; an error would be a nack
	})
	if err != nil {
		log.Print(err)
	}
	if err := client.Close(context.Background()); err != nil {
		log.Print(err)
	}
}
