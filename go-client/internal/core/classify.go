package core

import "github.com/spillway-io/spillway/go-client/internal/codes"

// RetryClass says what may be done with a failed request.
type RetryClass uint8

// The classes, as on the wire.
const (
	Never RetryClass = iota
	Safe
	UnknownOutcome
	Refresh
)

var classNames = map[string]RetryClass{"NEVER": Never, "SAFE": Safe, "UNKNOWN_OUTCOME": UnknownOutcome, "REFRESH": Refresh}

// Decision says what to do about an error.
type Decision uint8

// The decisions.
const (
	Fail Decision = iota
	Retry
	RefreshThenRetry
	FailOutcomeUnknown
)

// Class is the class in the error itself, else the registry's, else Never.
func Class(payload RetryClass, code codes.Code) RetryClass {
	if payload != Never {
		return payload
	}
	info, known := codes.Lookup(code)
	if !known {
		return Never
	}
	return classNames[info.Retry]
}

// Classify decides about an error; publish tells a publish from reads, acks and credit, idempotent is always true for
// publishes under a sequence.
func Classify(payload RetryClass, code codes.Code, publish, idempotent bool) Decision {
	switch Class(payload, code) {
	case Safe:
		return Retry
	case Refresh:
		return RefreshThenRetry
	case UnknownOutcome:
		if publish && !idempotent {
			return FailOutcomeUnknown
		}
		return Retry
	default:
		return Fail
	}
}

// BackoffOf returns the backoff an error asks for; Transient for codes of a newer broker.
func BackoffOf(code codes.Code) BackoffKind {
	if info, ok := codes.Lookup(code); ok && info.Backoff == "THROTTLE" {
		return Throttle
	}
	return Transient
}
