package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// atOnce is how many connections are opened, or topics made, at the same time.
const atOnce = 32

// each does something as often, some of it at once, and returns the first error.
func each(count int, do func(i int) error) error {
	next := make(chan int)
	errs := make(chan error, atOnce)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range next {
				if err := do(i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	var err error
	for i := 0; i < count && err == nil; i++ {
		select {
		case next <- i:
		case err = <-errs:
		}
	}
	close(next)
	workers.Wait()
	select {
	case err = <-errs:
	default:
	}
	return err
}

// idle opens count connections that do nothing, says so on standard error, and keeps them for the seconds, or until it is told to end.
func idle(ctx context.Context, _ *spillway.Client, p *plan) (map[string]any, error) {
	clients := make([]*spillway.Client, p.count)
	begun := time.Now()
	err := each(p.count, func(i int) (err error) {
		clients[i], err = spillway.Connect(ctx, spillway.WithEndpoints(p.endpoint), spillway.WithClientName(fmt.Sprintf("idle-%d", i)))
		return err
	})
	took := time.Since(begun)
	if err == nil {
		fmt.Fprintln(os.Stderr, "open", p.count)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(p.seconds * float64(time.Second))):
		}
	}
	// They end with this process: nothing is under way.
	return map[string]any{"records": 0, "connections": p.count, "open_s": took.Seconds()}, err
}

// topics makes count topics TOPIC-0.. of one partition and publishes a record to each.
func topics(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error) {
	begun := time.Now()
	value := make([]byte, p.size)
	err := each(p.count, func(i int) error {
		name := fmt.Sprintf("%s-%d", p.topic, i)
		if _, err := client.Admin().CreateTopic(ctx, name, 1, nil); err != nil {
			return err
		}
		producer, err := client.Producer(ctx, name, spillway.WithDurability(p.durability))
		if err != nil {
			return err
		}
		if _, err := producer.Publish(ctx, spillway.Record{Value: value}); err != nil {
			return err
		}
		return producer.Close(ctx)
	})
	took := time.Since(begun)
	return map[string]any{"records": p.count, "topics": p.count, "seconds": took.Seconds()}, err
}
