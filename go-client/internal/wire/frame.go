// Package wire reads and writes protocol v1: preface, frames and record batches. It knows neither sockets nor time.
package wire

import (
	"encoding/binary"
	"fmt"
)

// Kind of a frame.
type Kind uint8

// The kinds that a client sends or receives.
const (
	Hello          Kind = 0x01
	Ping           Kind = 0x02
	Auth           Kind = 0x03
	GoAway         Kind = 0x04
	Bye            Kind = 0x05
	Backpressure   Kind = 0x06
	HealthReport   Kind = 0x07
	ToggleUpdate   Kind = 0x08
	Publish        Kind = 0x10
	OpenPublisher  Kind = 0x11
	ClosePublisher Kind = 0x12
	Deliver        Kind = 0x20
	Subscribe      Kind = 0x21
	CreditGrant    Kind = 0x22
	Ack            Kind = 0x23
	Handoff        Kind = 0x24
	Seek           Kind = 0x25
	Unsubscribe    Kind = 0x26
	Metadata       Kind = 0x30
	TopicAdmin     Kind = 0x31
	GroupAdmin     Kind = 0x32
	ReplayAdmin    Kind = 0x35
)

// Flags of a frame.
const (
	FlagResponse   uint8 = 1
	FlagError      uint8 = 2
	FlagHasPayload uint8 = 4
	FlagCritical   uint8 = 8
)

// Limits of protocol v1, in bytes or counts.
const (
	PrefixBytes       = 16
	MaxFrameBytes     = 16 << 20
	MaxHeaderBytes    = 1 << 20 // from a broker
	MaxBatchBytes     = 1 << 20
	MaxBatchRecords   = 4096
	MaxKeyBytes       = 1024
	MaxDedupIDBytes   = 255
	MaxHeaders        = 64
	MaxHeaderName     = 255
	MaxHeaderValue    = 65535
	TraceBytes        = 26
	prefixAfterLength = 12
)

// MaxClientHeaderBytes of a frame to a broker, which ends the connection when there are more.
const MaxClientHeaderBytes = 64 << 10

// Frame is one frame; its slices belong to the buffer it was cut from.
type Frame struct {
	Kind        Kind
	Flags       uint8
	Channel     uint16
	Correlation uint32
	Header      []byte
	Payload     []byte
}

// IsResponse tells whether it answers a request.
func (f *Frame) IsResponse() bool { return f.Flags&FlagResponse != 0 }

// IsError tells whether its header is an Error.
func (f *Frame) IsError() bool { return f.Flags&FlagError != 0 }

// MalformedError says how the peer broke the protocol; the stream cannot be read any further.
type MalformedError struct{ What string }

func (e *MalformedError) Error() string { return e.What }

func malformed(format string, args ...any) error {
	return &MalformedError{What: fmt.Sprintf(format, args...)}
}

// FrameLength returns the bytes of the frame that begins here, prefix included, and 0 when more than these are needed
// to tell. The length and the header's length are checked before anything of the frame needs to be buffered.
func FrameLength(b []byte, maxFrame, maxHeader int) (int, error) {
	if len(b) < 4 {
		return 0, nil
	}
	length := int(binary.BigEndian.Uint32(b))
	if length > maxFrame {
		return 0, malformed("a frame of %d bytes is over the limit of %d", length, maxFrame)
	}
	if length < prefixAfterLength {
		return 0, malformed("a frame says it has %d bytes, the least is %d", length, prefixAfterLength)
	}
	if len(b) < PrefixBytes {
		return 0, nil
	}
	header := int(binary.BigEndian.Uint32(b[8:]))
	if header > maxHeader {
		return 0, malformed("a header of %d bytes is over the limit of %d", header, maxHeader)
	}
	if header > length-prefixAfterLength {
		return 0, malformed("a header of %d bytes does not fit its frame of %d", header, length)
	}
	if b[5]&FlagHasPayload == 0 && header != length-prefixAfterLength {
		return 0, malformed("a frame carries a payload but its flags say it has none")
	}
	return length + 4, nil
}

// ParseFrame cuts up a whole frame as FrameLength measured it.
func ParseFrame(b []byte) Frame {
	header := int(binary.BigEndian.Uint32(b[8:]))
	return Frame{
		Kind:        Kind(b[4]),
		Flags:       b[5],
		Channel:     binary.BigEndian.Uint16(b[6:]),
		Correlation: binary.BigEndian.Uint32(b[12:]),
		Header:      b[PrefixBytes : PrefixBytes+header],
		Payload:     b[PrefixBytes+header:],
	}
}

// AppendPrefix appends the prefix of a frame whose header and payload the caller appends next; payload < 0: none.
func AppendPrefix(b []byte, kind Kind, flags uint8, channel uint16, correlation uint32, header, payload int) []byte {
	if payload >= 0 {
		flags |= FlagHasPayload
	} else {
		payload = 0
	}
	b = binary.BigEndian.AppendUint32(b, uint32(prefixAfterLength+header+payload))
	b = append(b, byte(kind), flags)
	b = binary.BigEndian.AppendUint16(b, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(header))
	return binary.BigEndian.AppendUint32(b, correlation)
}
