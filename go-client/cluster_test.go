package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

const nobody = -1

func (c *cluster) helloes() (at []int) {
	c.with(func() { at = slices.Clone(c.helloAt) })
	return at
}

// describe makes a call, which needs the leader.
func describe(t *testing.T, client *spillway.Client) {
	t.Helper()
	if topic := open[*spillway.Topic](t)(client.Admin().DescribeTopic(soon(t), "t")); topic.Name != "t" {
		t.Errorf("it is told of %s", topic.Name)
	}
}

func TestAFollowerSaysWhereTheLeaderIs(t *testing.T) {
	c := newCluster(t, 3)
	c.lead(2)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	describe(t, client)
	if at := c.helloes(); !slices.Equal(at, []int{0, 2}) {
		t.Errorf("it said hello at %v", at)
	}

	c.lead(1) // which nobody has told the client of, but for the list of all nodes
	c.kill(2)
	c.kill(0)
	describe(t, client)

	if at := c.helloes(); at[len(at)-1] != 1 {
		t.Errorf("it said hello at %v", at)
	}
}

func TestGoesRoundUntilThereIsALeader(t *testing.T) {
	c := newCluster(t, 2)
	connected := make(chan error, 1)
	go func() {
		client, err := spillway.Connect(soon(t), spillway.WithEndpoints(c.endpoint(0), c.endpoint(1)),
			spillway.WithWaitForBroker(patience))
		if err == nil {
			err = client.Close(soon(t))
		}
		connected <- err
	}()
	until(t, "six rounds, where a breaker opens after five failures", func() bool { return len(c.helloes()) >= 12 })

	c.lead(1)

	if err := <-connected; err != nil {
		t.Error(err)
	}
}

// failedConnects counts them.
type failedConnects struct {
	spillway.NoMetrics
	count atomic.Int32
}

func (f *failedConnects) OnDisconnected(string, *spillway.Error) { f.count.Add(1) }

func TestABrokerThatStandsAloneIsReachedAsConfigured(t *testing.T) {
	c := newCluster(t, 2)
	c.lead(0)
	c.onlySelf = c.endpoint(1) // how it is reached on the other side of a proxy
	failed := &failedConnects{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithMetrics(failed))
	describe(t, client)

	c.kill(0)
	until(t, "it has tried a few times", func() bool { return failed.count.Load() >= 4 })

	if at := c.helloes(); !slices.Equal(at, []int{0}) {
		t.Errorf("it said hello at %v", at)
	}
}

func TestAHandOverIsSeenAsLatencyOnly(t *testing.T) {
	for name, handOver := range map[string]func(*cluster){
		"announced":   func(c *cluster) { c.handOver(1) },
		"found out":   func(c *cluster) { c.lead(1) },
		"by a crash":  func(c *cluster) { c.lead(1); c.kill(0) },
		"in two acts": func(c *cluster) { c.handOver(nobody); time.AfterFunc(300*time.Millisecond, func() { c.lead(1) }) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.lead(0)
			client := c.client(spillway.WithEndpoints(c.endpoint(0)))
			p := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
			open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: []byte("0")}))
			s := group(t, client, "t")
			held := fetch(t, s)
			c.with(func() { c.stalled = true })
			underWay := p.PublishAsync(soon(t), spillway.Record{Value: []byte("1")})
			until(t, "it is stored", func() (stored bool) {
				c.with(func() { stored = c.next == 2 })
				return stored
			})

			handOver(c)
			c.with(func() { c.stalled = false })

			describe(t, client)
			for i := 2; i < 100; i++ {
				ack := open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: fmt.Append(nil, i)}))
				if ack.Offset != int64(i) {
					t.Fatalf("record %d is at %d", i, ack.Offset)
				}
			}
			if ack := open[spillway.Ack](t)(underWay.Ack(soon(t))); ack.Offset != 1 {
				t.Errorf("what was under way is at %d", ack.Offset)
			}
			if again := fetch(t, s); string(again.Value) != "0" {
				t.Errorf("the new leader delivers %s", again.Value)
			}
			held.Ack()
			select {
			case <-s.Ended():
				t.Error("the subscription ended")
			default:
			}
			c.with(func() {
				if c.next != 100 || c.openAt[len(c.openAt)-1] != 1 || c.subscribedAt[len(c.subscribedAt)-1] != 1 {
					t.Errorf("%d are stored, publishers were opened at %v, subscriptions at %v", c.next, c.openAt, c.subscribedAt)
				}
			})
		})
	}
}

func TestAClientLearnsOfNewMembersWhileItIsConnected(t *testing.T) {
	c := newCluster(t, 4)
	c.with(func() { c.members = []int{0, 1} })
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithMetadataRefresh(time.Second))
	describe(t, client)

	asked := 0
	c.with(func() { c.members, asked = []int{0, 2, 3}, c.asked }) // the others come, and 1 leaves
	until(t, "it has asked for the nodes", func() (again bool) {
		c.with(func() { again = c.asked > asked })
		return again
	})
	c.with(func() { c.members = []int{2, 3} })
	c.lead(3)
	c.kill(1)
	c.kill(0)

	describe(t, client)
	if at := c.helloes(); at[len(at)-1] != 3 {
		t.Errorf("it said hello at %v", at)
	}
}

func TestALeaderThatIsAboutToBeginIsAskedAgain(t *testing.T) {
	c := newCluster(t, 2)
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	c.with(func() { c.starting = 6 })

	describe(t, client)
	p := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	c.with(func() { c.starting = 6 })
	open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: []byte("v")}))

	if at := c.helloes(); len(at) != 1 {
		t.Errorf("it said hello at %v", at)
	}
}

func TestASubscriptionOutlivesManyLeaders(t *testing.T) {
	c := newCluster(t, 2)
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	s := group(t, client, "t")

	for change := 1; change <= 6; change++ {
		c.handOver(change % 2)
		until(t, "it is open at the new leader", func() (open bool) {
			c.with(func() { open = c.subscribedAt[len(c.subscribedAt)-1] == change%2 })
			return open
		})
	}

	select {
	case <-s.Ended():
		t.Error("it ended")
	default:
	}
}

// The broker may still begin what it has not answered: it would deliver to nobody.
func TestASubscriptionThatIsNotOpenInTimeIsGivenBack(t *testing.T) {
	c := newCluster(t, 1)
	c.with(func() { c.silent = true })
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	ctx, cancel := context.WithTimeout(soon(t), 100*time.Millisecond)
	defer cancel()
	if _, err := client.Subscribe(ctx, "t", spillway.WithGroup("g")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it fails with %v", err)
	}
	until(t, "it is given back", func() (given bool) {
		c.with(func() { given = c.given == 1 })
		return given
	})
}
