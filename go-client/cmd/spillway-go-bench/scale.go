package main

import (
	"context"
	"fmt"
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

// topics makes count topics TOPIC-0.. of one partition, with a group each when one is named, and publishes a record to each.
func topics(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error) {
	begun := time.Now()
	value := make([]byte, p.size)
	err := each(p.count, func(i int) error {
		name := fmt.Sprintf("%s-%d", p.topic, i)
		if _, err := client.Admin().CreateTopic(ctx, name, 1, nil); err != nil {
			return err
		}
		if p.group != "" {
			if _, err := client.Admin().CreateGroup(ctx, name, p.group, spillway.GroupSpec{}); err != nil {
				return err
			}
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
