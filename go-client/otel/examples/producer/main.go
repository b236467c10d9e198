// Command producer publishes records with OpenTelemetry: each in a span, whose context goes with the record. It ends when all
// are acked and the spans are at the collector.
//
//	go run ./examples/producer -endpoint 127.0.0.1:7400 -topic orders -otlp http://127.0.0.1:4318/v1/traces
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	spillway "github.com/spillway-io/spillway/go-client"
	spillwayotel "github.com/spillway-io/spillway/go-client/otel"
	"github.com/spillway-io/spillway/go-client/otel/internal/otlp"
)

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:7400", "where the broker listens, `host:port`")
	topic := flag.String("topic", "", "the topic, which must exist")
	collector := flag.String("otlp", "http://127.0.0.1:4318/v1/traces", "where spans go, the `url` of a collector")
	count := flag.Int("count", 1, "how many records to publish")
	flag.Parse()
	if err := run(*endpoint, *topic, *collector, *count); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(endpoint, topic, collector string, count int) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSyncer(otlp.Exporter{URL: collector}),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "orders"))))
	defer func() {
		if ended := provider.Shutdown(ctx); err == nil {
			err = ended
		}
	}()
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint))
	if err != nil {
		return err
	}
	defer func() {
		if closed := client.Close(ctx); err == nil {
			err = closed
		}
	}()
	producer, err := client.Producer(ctx, topic)
	if err != nil {
		return err
	}
	tracing := spillwayotel.New(provider)
	for i := range count {
		ctx, order := provider.Tracer("orders").Start(ctx, "take order")
		record := spillway.Record{Value: fmt.Appendf(nil, "order %d", i), CorrelationID: fmt.Sprintf("order-%d", i)}
		_, err := tracing.Publish(ctx, producer, record)
		order.End()
		if err != nil {
			return err
		}
	}
	return nil
}
