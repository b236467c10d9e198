package spillway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// RetryClass says what may be done with a failed request.
type RetryClass string

// The classes.
const (
	// RetryNever: the same request fails again.
	RetryNever RetryClass = "NEVER"
	// RetrySafe: nothing was applied; the same request may succeed later.
	RetrySafe RetryClass = "SAFE"
	// RetryUnknownOutcome: the request may have been applied.
	RetryUnknownOutcome RetryClass = "UNKNOWN_OUTCOME"
	// RetryRefresh: the request went to the wrong place or came too early; look again.
	RetryRefresh RetryClass = "REFRESH"
)

var retryNames = [...]RetryClass{RetryNever, RetrySafe, RetryUnknownOutcome, RetryRefresh}

// Error is an error a caller can act on: What happened, Why, and the NextStep. Codes 100 to 899 come from a broker, 900
// to 999 from this client. Compare with errors.Is and one of the Err values, which compares codes, or take it with
// errors.As.
type Error struct {
	// Code is the number in the registry, Reason its name, for instance TOPIC_NOT_FOUND.
	Code   int
	Reason string
	Retry  RetryClass
	// RetryAfter is how long to wait before a retry; zero when the broker did not say.
	RetryAfter time.Duration
	What       string
	Why        string
	NextStep   string
	// Details are figures that belong to the error, such as limit and size; may be nil.
	Details map[string]string

	cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%d): %s", e.Reason, e.Code, e.What)
	if e.Why != "" {
		b.WriteString("; cause: " + e.Why)
	}
	if e.NextStep != "" {
		b.WriteString("; next: " + e.NextStep)
	}
	return b.String()
}

// Is tells whether the target is an Error of the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// Unwrap returns the context's error when a context of the caller's ended the call, so that errors.Is with context.Canceled and
// context.DeadlineExceeded tells it from a timeout of this client's options; else nil.
func (e *Error) Unwrap() error { return e.cause }

// because says that it was this context, if it was: one that ended by an option of the client is not the caller's.
func (e *Error) because(ctx context.Context) *Error {
	if ctx.Err() != nil && context.Cause(ctx) != errOwnTimeout {
		e.cause = ctx.Err()
	}
	return e
}

// endedBy is because for the error of a batch, which other callers share.
func endedBy(ctx context.Context, err error) error {
	if e, ok := err.(*Error); ok && (errors.Is(e, ErrDeadlineExceeded) || errors.Is(e, ErrOutcomeUnknown)) {
		mine := *e
		return mine.because(ctx)
	}
	return err
}

// errOwnTimeout is the cause of contexts that end by an option or a default of this client.
var errOwnTimeout = errors.New("a timeout of the client")

func withOwnTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, errOwnTimeout)
}

// OutcomeUnknown tells whether what was asked for may have happened all the same.
func (e *Error) OutcomeUnknown() bool {
	return e.Retry == RetryUnknownOutcome || e.Code == int(codes.OutcomeUnknown)
}

func sentinel(code codes.Code) *Error {
	info, _ := codes.Lookup(code)
	return &Error{Code: int(code), Reason: info.Reason, Retry: RetryClass(info.Retry)}
}

// What errors.Is compares with.
var (
	ErrInvalidArgument       error = sentinel(codes.InvalidArgument)
	ErrTooLarge              error = sentinel(codes.TooLarge)
	ErrUnsupportedVersion    error = sentinel(codes.UnsupportedVersion)
	ErrUnauthenticated       error = sentinel(codes.Unauthenticated)
	ErrTopicNotFound         error = sentinel(codes.TopicNotFound)
	ErrGroupNotFound         error = sentinel(codes.GroupNotFound)
	ErrAlreadyExists         error = sentinel(codes.AlreadyExists)
	ErrRevisionMismatch      error = sentinel(codes.RevisionMismatch)
	ErrNotFound              error = sentinel(codes.NotFound)
	ErrWrongState            error = sentinel(codes.WrongState)
	ErrPositionOutOfRange    error = sentinel(codes.PositionOutOfRange)
	ErrProducerFenced        error = sentinel(codes.ProducerFenced)
	ErrIdempotencyConflict   error = sentinel(codes.IdempotencyConflict)
	ErrIdempotencyInProgress error = sentinel(codes.IdempotencyInProgress)
	ErrDedupWindowExceeded   error = sentinel(codes.DedupWindowExceeded)
	ErrLeaseLost             error = sentinel(codes.LeaseLost)
	ErrDurabilityUnavailable error = sentinel(codes.DurabilityUnavailable)
	ErrThrottled             error = sentinel(codes.Throttled)
	ErrOverloaded            error = sentinel(codes.Overloaded)
	ErrReadOnly              error = sentinel(codes.ReadOnly)
	ErrQueueFull             error = sentinel(codes.QueueFull)
	ErrDeadlineExceeded      error = sentinel(codes.DeadlineExceeded)
	ErrConnectionLost        error = sentinel(codes.ConnectionLost)
	ErrConnectFailed         error = sentinel(codes.ConnectFailed)
	ErrBufferFull            error = sentinel(codes.LocalBufferFull)
	ErrRetryBudgetExhausted  error = sentinel(codes.RetryBudgetExhausted)
	ErrClosed                error = sentinel(codes.ClientClosed)
	ErrOutcomeUnknown        error = sentinel(codes.OutcomeUnknown)
)

func newError(code codes.Code, what, why, next string) *Error {
	e := *sentinel(code)
	e.What, e.Why, e.NextStep = what, why, next
	return &e
}

func invalid(what, why string) *Error {
	return newError(codes.InvalidArgument, what, why, "correct the argument")
}

// checkFrame refuses what the header of a frame cannot hold, before the frame makes the broker end the connection.
func checkFrame(what string, header proto.Message) error {
	bytes, err := proto.Marshal(header)
	if err != nil {
		return invalid(strings.ToValidUTF8(what, "\uFFFD")+" cannot be sent", err.Error())
	}
	if len(bytes) > wire.MaxClientHeaderBytes {
		const enough = 100 // of a what that has the very name that is too long
		return tooLarge("the request to "+what[:min(len(what), enough)], len(bytes), wire.MaxClientHeaderBytes)
	}
	return nil
}

var errNilOption = invalid("an option is nil", "options come from the With functions")

func tooLarge(what string, size, limit int) *Error {
	e := newError(codes.TooLarge, fmt.Sprintf("%s has %d bytes", what, size), fmt.Sprintf("the limit is %d", limit),
		"make it smaller; put what is large elsewhere and publish where it is")
	e.Details = map[string]string{"size": fmt.Sprint(size), "limit": fmt.Sprint(limit)}
	return e
}

// wireError makes an error of this side in the shape in which a broker's come.
func wireError(code codes.Code, what, why, next string) *pb.Error {
	info, _ := codes.Lookup(code)
	return &pb.Error{Code: uint32(code), Reason: info.Reason, Message: what, Cause: why, NextStep: next,
		Retry: pb.RetryClass(core.Class(core.Never, code))}
}

func isCode(e *pb.Error, code codes.Code) bool { return e.GetCode() == uint32(code) }

func retryClass(e *pb.Error) core.RetryClass {
	if e.GetRetry() < 0 || e.GetRetry() > pb.RetryClass_RETRY_REFRESH {
		return core.Class(core.Never, codes.Code(e.GetCode()))
	}
	return core.Class(core.RetryClass(e.GetRetry()), codes.Code(e.GetCode()))
}

func fromWire(e *pb.Error) *Error {
	reason := e.GetReason()
	if reason == "" {
		if info, ok := codes.Lookup(codes.Code(e.GetCode())); ok {
			reason = info.Reason
		} else {
			reason = fmt.Sprintf("CODE_%d", e.GetCode())
		}
	}
	return &Error{
		Code:       int(e.GetCode()),
		Reason:     reason,
		Retry:      retryNames[retryClass(e)],
		RetryAfter: time.Duration(e.GetRetryAfterMs()) * time.Millisecond,
		What:       e.GetMessage(),
		Why:        e.GetCause(),
		NextStep:   e.GetNextStep(),
		Details:    e.GetMetadata(),
	}
}

// itemErrors gives each error of single items its texts: in an answer only the first error of a code has them.
func itemErrors(items []*pb.ItemError, each func(first, count int, err *Error)) {
	told := map[uint32]*pb.Error{}
	for _, item := range items {
		e := item.GetError()
		first, ok := told[e.GetCode()]
		if !ok {
			told[e.GetCode()] = e
		}
		err := fromWire(e)
		if ok && err.What == "" {
			err.What, err.Why, err.NextStep = first.GetMessage(), first.GetCause(), first.GetNextStep()
		}
		each(int(item.GetIndex()), max(1, int(item.GetCount())), err)
	}
}

// asError returns err as an *Error; what is none, such as a context's end, becomes one.
func asError(err error, what string) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return newError(codes.DeadlineExceeded, what, err.Error(), "try again, or allow more time")
}
