package main

import (
	"math"
	"runtime/debug"
	"sync"
)

// churn makes this process sick: goroutines that allocate as fast as they can, beside memory that stays alive, below a limit that leaves
// little room, so that the collector runs all the time.
type churn struct {
	stop    chan struct{}
	running sync.WaitGroup
	alive   *node
}

var (
	churning   sync.Mutex
	nowChurned *churn
)

func churnOp(_ *driver, a *args) (any, error) {
	a.require("limit_bytes")
	limit, alive, workers := a.number("limit_bytes", 0), a.number("alive_bytes", 0), a.number("goroutines", 2)
	if err := a.finish(); err != nil {
		return nil, err
	}
	churning.Lock()
	defer churning.Unlock()
	if nowChurned != nil {
		return nil, driverError("it churns already")
	}
	c := &churn{stop: make(chan struct{})}
	for kept := int64(0); kept < alive; kept += nodeBytes {
		c.alive = &node{next: c.alive}
	}
	debug.SetMemoryLimit(limit)
	for range workers {
		c.running.Add(1)
		go c.allocate()
	}
	nowChurned = c
	return object{}, nil
}

const nodeBytes = 64

// node has a pointer, so that the collector has something to follow.
type node struct {
	next *node
	_    [nodeBytes - 8]byte
}

func (c *churn) allocate() {
	defer c.running.Done()
	for {
		var list *node
		for range 10_000 {
			list = &node{next: list}
		}
		select {
		case <-c.stop:
			return
		default:
		}
	}
}

func calmOp(_ *driver, a *args) (any, error) {
	if err := a.finish(); err != nil {
		return nil, err
	}
	churning.Lock()
	defer churning.Unlock()
	if nowChurned != nil {
		close(nowChurned.stop)
		nowChurned.running.Wait()
		nowChurned = nil
		debug.SetMemoryLimit(math.MaxInt64)
		debug.FreeOSMemory()
	}
	return object{}, nil
}
