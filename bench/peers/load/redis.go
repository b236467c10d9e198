package main

import (
	"context"
	"errors"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis Streams: XADD in pipelines, of whatever is there when the one before has ended. Two pipelines of a producer are under way at once; records
// of one key keep to one of them. The group reads with XREADGROUP and acks with one XACK of all of a reply. Durability is the server's appendfsync.
type redisPeer struct {
	plan  *plan
	admin *redis.Client
}

const (
	redisLanes    = 2
	redisPipeline = 512
	redisRead     = 1_000
)

func connectRedis(ctx context.Context, p *plan) (peer, error) {
	if p.idempotent {
		return nil, errors.Join(errUnable, errors.New("XADD knows no idempotency keys in this version"))
	}
	if p.replicas > 1 {
		return nil, errors.Join(errUnable, errors.New("no quorum in Redis"))
	}
	r := &redisPeer{plan: p}
	var err error
	if r.admin, err = r.connect(); err != nil {
		return nil, err
	}
	return r, r.admin.Ping(ctx).Err()
}

func (r *redisPeer) connect() (*redis.Client, error) {
	config, err := tlsOf(r.plan.authority)
	if err != nil {
		return nil, err
	}
	return redis.NewClient(&redis.Options{Addr: strings.Split(r.plan.endpoint, ",")[0], TLSConfig: config, PoolSize: redisLanes,
		ReadTimeout: 30 * time.Second}), nil
}

// A stream comes into being with its first record.
func (r *redisPeer) create(context.Context, []string) error { return nil }

// remove also has the append-only file written anew, or it would grow by every load.
func (r *redisPeer) remove(ctx context.Context, topics []string) error {
	if err := r.admin.Unlink(ctx, topics...).Err(); err != nil {
		return err
	}
	if err := r.admin.BgRewriteAOF(ctx).Err(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		info, err := r.admin.Info(ctx, "persistence").Result()
		if err != nil {
			return err
		}
		if strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0") {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return ctx.Err()
}

func (r *redisPeer) close() { _ = r.admin.Close() } // nothing is pending

type redisRecord struct {
	stream string
	key    string
	value  []byte
	dueNs  int64
}

type redisProducer struct {
	client   *redis.Client
	topics   []string
	outcomes *outcomes
	lanes    []chan redisRecord
	pending  sync.WaitGroup
	turn     int
}

func (r *redisPeer) producer(_ context.Context, topics []string, o *outcomes) (producer, error) {
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	p := &redisProducer{client: client, topics: topics, outcomes: o}
	for range redisLanes {
		lane := make(chan redisRecord, window(r.plan.size)/redisLanes)
		p.lanes = append(p.lanes, lane)
		go p.run(lane)
	}
	return p, nil
}

func (p *redisProducer) publish(r *record) {
	out := redisRecord{stream: p.topics[r.topic], value: r.value, dueNs: r.dueNs}
	p.turn++
	lane := p.turn
	if r.key != nil {
		out.key = string(r.key)
		hash := fnv.New32a()
		_, _ = hash.Write(r.key) // of a hash it never fails
		lane = int(hash.Sum32() >> 1)
	}
	p.pending.Add(1)
	p.lanes[lane%redisLanes] <- out
}

func (p *redisProducer) run(lane chan redisRecord) {
	ctx := context.Background()
	batch := make([]redisRecord, 0, redisPipeline)
	for first := range lane {
		batch = append(batch[:0], first)
	more:
		for len(batch) < redisPipeline {
			select {
			case next, open := <-lane:
				if !open {
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		p.send(ctx, batch)
	}
}

func (p *redisProducer) send(ctx context.Context, batch []redisRecord) {
	pipeline := p.client.Pipeline()
	for i := range batch {
		values := []any{"v", batch[i].value}
		if batch[i].key != "" {
			values = append(values, "k", batch[i].key)
		}
		pipeline.XAdd(ctx, &redis.XAddArgs{Stream: batch[i].stream, Values: values})
	}
	replies, _ := pipeline.Exec(ctx) // each reply has its error
	for i, reply := range replies {
		p.outcomes.hear(batch[i].dueNs, reply.Err())
		p.pending.Done()
	}
}

func (p *redisProducer) flush(ctx context.Context) error {
	return settled(ctx, &p.pending)
}

func (p *redisProducer) close() {
	for _, lane := range p.lanes {
		close(lane)
	}
	_ = p.client.Close() // flush came before
}

type redisConsumer struct {
	client *redis.Client
	cancel context.CancelFunc
	ended  chan struct{}
	acked  chan error
}

func (r *redisPeer) consumer(ctx context.Context, topic, group string, show func([]byte)) (consumer, error) {
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	if err := client.XGroupCreateMkStream(ctx, topic, group, "0").Err(); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	reading, cancel := context.WithCancel(ctx)
	c := &redisConsumer{client: client, cancel: cancel, ended: make(chan struct{}), acked: make(chan error, 1)}
	go func() {
		defer close(c.ended)
		args := &redis.XReadGroupArgs{Group: group, Consumer: "c", Streams: []string{topic, ">"}, Count: redisRead, Block: 100 * time.Millisecond}
		ids := make([]string, 0, redisRead)
		for reading.Err() == nil {
			streams, err := client.XReadGroup(reading, args).Result()
			if err != nil {
				continue // nothing new within the time, or the end; what stays away shows in the count
			}
			ids = ids[:0]
			for i := range streams[0].Messages {
				message := &streams[0].Messages[i]
				value, _ := message.Values["v"].(string)
				show([]byte(value))
				ids = append(ids, message.ID)
			}
			if err := client.XAck(reading, topic, group, ids...).Err(); err != nil && reading.Err() == nil {
				select {
				case c.acked <- err:
				default:
				}
			}
		}
	}()
	return c, nil
}

// Each reply was acked before the next was read; only the last ack may be under way.
func (c *redisConsumer) flush(ctx context.Context) error {
	select {
	case err := <-c.acked:
		return err
	default:
		return c.client.Ping(ctx).Err()
	}
}

func (c *redisConsumer) close() {
	c.cancel()
	<-c.ended
	_ = c.client.Close() // what is measured is over
}
