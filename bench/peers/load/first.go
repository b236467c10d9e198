package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// first tries until a record is acked, and says when that was. Its first line says that it has begun, so that its own start does not
// count.
func first(ctx context.Context, p *plan) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.topics, p.producers = 1, 1
	fmt.Println(`{"trying":true}`)
	for try := 0; ctx.Err() == nil; try++ {
		nc, err := net.DialTimeout("tcp", strings.Split(p.endpoint, ",")[0], time.Second)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		_ = nc.Close() // it has shown what it was for
		plan := *p
		plan.run = fmt.Sprintf("%s-%d", p.run, try)
		if at, err := firstOf(ctx, &plan); err == nil {
			return result{"first_ack_unix_ns": at, "tries": try + 1}, nil
		} else if errors.Is(err, errUnable) {
			return nil, err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil, fmt.Errorf("no record was acked: %w", ctx.Err())
}

func firstOf(ctx context.Context, p *plan) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := open(ctx, p)
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.close() }() // the directory is thrown away
	o := &outcomes{}
	producer, err := s.producer(ctx, s.topics, o)
	if err != nil {
		return 0, err
	}
	defer producer.close()
	producer.publish(newSource(p, 0).next())
	if err := errors.Join(producer.flush(ctx), o.err()); err != nil {
		return 0, err
	}
	return time.Now().UnixNano(), nil
}
