// Command conformance-driver puts the Go client behind standard input and output, as conformance/DRIVER.md says. It adds no
// behaviour: every operation is one call of the library's public API.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	spillway "github.com/spillway-io/spillway/go-client"
)

// driver keeps what the scenarios have opened, by name.
type driver struct {
	mu       sync.Mutex
	clients  map[string]*openClient
	produce  map[string]*spillway.Producer
	readings map[string]*reading

	out sync.Mutex
}

type operation func(d *driver, a *args) (any, error)

var operations = map[string]operation{
	"hello": func(*driver, *args) (any, error) {
		return map[string]any{"language": "go", "version": spillway.Version}, nil
	},
	"client.open":              openClientOp,
	"client.close":             closeClientOp,
	"client.events":            clientEventsOp,
	"topic.create":             createTopicOp,
	"topic.describe":           describeTopicOp,
	"topic.alter":              alterTopicOp,
	"topic.delete":             deleteTopicOp,
	"topic.list":               listTopicsOp,
	"group.describe":           describeGroupOp,
	"group.list":               listGroupsOp,
	"group.delete":             deleteGroupOp,
	"group.seek":               seekGroupOp,
	"topic.purge":              purgeTopicOp,
	"group.create":             createGroupOp,
	"group.alter":              alterGroupOp,
	"group.pause":              pauseGroupOp,
	"group.resume":             resumeGroupOp,
	"group.snapshot":           snapshotGroupOp,
	"group.restore":            restoreGroupOp,
	"group.snapshots":          groupSnapshotsOp,
	"group.snapshot_delete":    deleteSnapshotOp,
	"replay.plan":              planReplayOp,
	"replay.start":             startReplayOp,
	"replay.status":            replayStatusOp,
	"replay.pause":             pauseReplayOp,
	"replay.resume":            resumeReplayOp,
	"replay.cancel":            cancelReplayOp,
	"replay.wait":              waitReplayOp,
	"replay.diff":              replayDiffOp,
	"replay.list":              listReplaysOp,
	"replay.delete":            deletePlanOp,
	"producer.open":            openProducerOp,
	"producer.publish":         publishOp,
	"producer.generate":        generateOp,
	"producer.try_publish":     tryPublishOp,
	"producer.flush":           flushOp,
	"producer.close":           closeProducerOp,
	"subscription.open":        openSubscriptionOp,
	"subscription.poll":        pollOp,
	"subscription.collect":     collectOp,
	"subscription.handle":      handleOp,
	"subscription.handled":     handledOp,
	"subscription.flush_acks":  flushAcksOp,
	"subscription.lost_leases": lostLeasesOp,
	"subscription.active":      activeOp,
	"subscription.ended":       endedOp,
	"subscription.close":       closeSubscriptionOp,
	"subscription.drain":       drainOp,
	"message.ack":              ackOp,
	"message.release":          releaseOp,
	"message.nack":             nackOp,
	"message.extend":           extendOp,
	"message.terminate":        terminateOp,
	"process.churn":            churnOp,
	"process.calm":             calmOp,
}

func main() {
	d := &driver{clients: map[string]*openClient{}, produce: map[string]*spillway.Producer{}, readings: map[string]*reading{}}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	var running sync.WaitGroup
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			running.Add(1)
			go func() {
				defer running.Done()
				d.serve(line)
			}()
		}
		if err != nil {
			break
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.clients {
		if err := c.client.Close(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "closing at the end:", err)
		}
	}
}

func (d *driver) serve(line []byte) {
	a, err := parseArgs(line)
	if err != nil {
		fmt.Fprintln(os.Stderr, "unreadable request:", err)
		os.Exit(2)
	}
	answer := map[string]any{"id": a.id}
	op, known := operations[a.op]
	if !known {
		err = driverError("unknown operation " + a.op)
	} else {
		var result any
		if result, err = op(d, a); err == nil {
			answer["ok"] = result
		}
	}
	if err != nil {
		answer["error"] = errorOf(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		text = fmt.Appendf(nil, `{"id":%d,"error":{"reason":"DRIVER","message":%q}}`, a.id, err)
	}
	d.out.Lock()
	defer d.out.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

func errorOf(err error) map[string]any {
	var known *spillway.Error
	if errors.As(err, &known) {
		return map[string]any{"reason": known.Reason, "code": known.Code, "retry": string(known.Retry),
			"retry_after_ms": known.RetryAfter.Milliseconds(), "message": known.What, "cause": known.Why,
			"next_step": known.NextStep, "details": known.Details}
	}
	return map[string]any{"reason": "DRIVER", "code": 0, "retry": "NEVER", "retry_after_ms": 0, "message": err.Error(),
		"cause": "", "next_step": "mend the scenario or the driver"}
}

type driverError string

func (e driverError) Error() string { return string(e) }
