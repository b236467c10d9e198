package spillway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const callAttemptTimeout = 3 * time.Second

// call is a request that stands for itself: sent when there is a connection, repeated when that is safe, failed at its
// deadline. Each is read-only or carries a key by which the broker knows a repetition. Guarded by the client's lock.
type call struct {
	c       *Client
	what    string // for messages, for instance "describe topic orders"
	kind    wire.Kind
	header  proto.Message
	changes bool // whether it changes something, so that its outcome may be unknown

	deadline    time.Time
	byContext   bool // whether the deadline is the context's, whose end is heard by who waits
	timeout     time.Duration
	cn          *conn
	correlation uint32
	failures    int
	retryCost   int
	sent        time.Time
	notBefore   time.Time
	maybeDone   bool
	lastError   *pb.Error
	answerInto  proto.Message // the header's message, or nil
	payloadInto proto.Message // the payload's message, or nil
	done        chan error
}

// key by which the broker knows a repeated change.
func (c *Client) key() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	return hex.EncodeToString(b[:])
}

func (c *Client) call(ctx context.Context, k *call, answer, payload proto.Message) error {
	if err := checkContext(ctx, k.what); err != nil {
		return err
	}
	if err := checkFrame(k.what, k.header); err != nil {
		return err
	}
	k.c, k.answerInto, k.payloadInto, k.done = c, answer, payload, make(chan error, 1)
	k.timeout = c.opts.requestTimeout
	if deadline, ok := ctx.Deadline(); ok {
		k.byContext = time.Until(deadline) < k.timeout
		k.timeout = min(k.timeout, time.Until(deadline))
	}
	k.deadline = time.Now().Add(k.timeout)
	c.mu.Lock()
	select {
	case <-c.stop:
		c.unlock()
		return errClosed("the client")
	default:
	}
	c.calls[k] = struct{}{}
	k.send()
	c.unlock()
	select {
	case err := <-k.done:
		return err
	case <-ctx.Done():
	}
	c.mu.Lock()
	select {
	case err := <-k.done:
		c.unlock()
		return err
	default:
	}
	k.finish()
	err := k.late().because(ctx)
	c.unlock()
	return err
}

func (k *call) send() {
	cn := k.c.usable()
	if k.cn == nil && cn != nil && !time.Now().Before(k.notBefore) {
		k.cn, k.sent, k.maybeDone = cn, time.Now(), true
		k.correlation = cn.request(k.kind, 0, k.header, k)
	}
}

func (k *call) onResponse(f *wire.Frame) {
	k.finish()
	k.c.retries.onSuccess(k.retryCost)
	k.c.onOutcome(nil, k.sent)
	if k.kind == wire.Metadata {
		k.c.onMetadata(f.Header)
	}
	err := readInto(f.Header, k.answerInto)
	if err == nil {
		err = readInto(f.Payload, k.payloadInto)
	}
	if err != nil {
		k.done <- newError(codes.MalformedFrame, "the answer to "+k.what+" cannot be read", err.Error(),
			"check that client and broker are of compatible releases")
		return
	}
	k.done <- nil
}

func readInto(bytes []byte, message proto.Message) error {
	if message == nil {
		return nil
	}
	return proto.Unmarshal(bytes, message)
}

func (k *call) onError(e *pb.Error) {
	lost := k.cn != nil && k.cn.failed != nil
	k.cn = nil
	k.lastError = e
	if lost {
		return // sent again with the next connection
	}
	k.failures += failureOf(e)
	k.c.onOutcome(e, k.sent)
	v := k.c.retries.afterAdmin(e, k.failures, time.Until(k.deadline).Milliseconds(), k.c.random())
	k.maybeDone = v.outcomeUnknown
	if v.again {
		k.retryCost = v.cost
		k.notBefore = time.Now().Add(time.Duration(v.delayMs) * time.Millisecond)
	} else {
		k.fail(fromWire(v.err))
	}
}

func (k *call) tick(now time.Time) {
	switch {
	case k.deadline.Before(now) && !k.byContext:
		k.fail(k.late())
	case k.cn != nil && now.Sub(k.sent) > callAttemptTimeout:
		k.cn.forget(k.correlation)
		k.onError(wireError(codes.AttemptTimeout, "no answer to "+k.what,
			fmt.Sprintf("none came within %d ms", callAttemptTimeout.Milliseconds()), "look at the broker's health"))
	default:
		k.send()
	}
}

func (k *call) late() *Error {
	code, next := codes.DeadlineExceeded, "try again, or allow a longer request timeout"
	if k.changes && k.maybeDone {
		code, next = codes.OutcomeUnknown, "look whether it was done before doing it again"
	}
	why := "the broker did not answer"
	if k.c.usable() == nil {
		why = k.c.disconnectedBecause()
	} else if k.lastError != nil {
		why = fromWire(k.lastError).Error()
	}
	return newError(code, fmt.Sprintf("%s has no answer after %d ms", k.what, k.timeout.Milliseconds()), why, next)
}

func (k *call) fail(cause *Error) {
	k.finish()
	k.done <- cause
}

func (k *call) finish() {
	if k.cn != nil {
		k.cn.forget(k.correlation)
		k.cn = nil
	}
	delete(k.c.calls, k)
}
