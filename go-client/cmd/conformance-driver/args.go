package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// args are the arguments of one request. Each must be asked for: one that nobody asked for is an error.
type args struct {
	id     int64
	op     string
	values map[string]json.RawMessage
	used   map[string]bool
	err    error
}

func parseArgs(line []byte) (*args, error) {
	a, err := newArgs(line)
	if err != nil {
		return nil, err
	}
	a.id = a.number("id", 0)
	a.op = a.text("op")
	return a, a.err
}

func newArgs(raw []byte) (*args, error) {
	a := &args{used: map[string]bool{}}
	return a, json.Unmarshal(raw, &a.values)
}

func (a *args) has(name string) bool {
	a.used[name] = true
	raw, ok := a.values[name]
	return ok && !bytes.Equal(raw, []byte("null"))
}

func (a *args) into(name string, target any) bool {
	if !a.has(name) {
		return false
	}
	if err := json.Unmarshal(a.values[name], target); err != nil && a.err == nil {
		a.err = driverError(fmt.Sprintf("the argument %s: %v", name, err))
	}
	return true
}

// require says that an argument must be there.
func (a *args) require(name string) {
	if !a.has(name) && a.err == nil {
		a.err = driverError(a.op + " needs the argument " + name)
	}
}

func (a *args) text(name string) string {
	a.require(name)
	value := ""
	a.into(name, &value)
	return value
}

func (a *args) optionalText(name, otherwise string) string {
	a.into(name, &otherwise)
	return otherwise
}

func (a *args) number(name string, otherwise int64) int64 {
	a.into(name, &otherwise)
	return otherwise
}

func (a *args) numbers(name string) []int64 {
	var values []int64
	a.into(name, &values)
	return values
}

func (a *args) flag(name string) bool {
	value := false
	a.into(name, &value)
	return value
}

func (a *args) millis(name string, otherwise time.Duration) time.Duration {
	if !a.has(name) {
		return otherwise
	}
	return time.Duration(a.number(name, 0)) * time.Millisecond
}

// texts are settings, text to text.
func (a *args) texts(name string) map[string]string {
	var values map[string]string
	a.into(name, &values)
	return values
}

// start is the zero Start without the argument.
func (a *args) start(name string) spillway.Start {
	if !a.has(name) {
		return spillway.Start{}
	}
	start, err := startOf(a.values[name])
	if err != nil && a.err == nil {
		a.err = err
	}
	return start
}

var modes = map[string]spillway.Mode{"shared": spillway.Shared, "key_ordered": spillway.KeyOrdered, "exclusive": spillway.Exclusive}

func (a *args) mode(name string) spillway.Mode {
	mode, ok := modes[a.text(name)]
	if !ok && a.err == nil {
		a.err = driverError("unknown mode " + a.text(name))
	}
	return mode
}

// timeout is a context that ends after timeout_ms, or after the given time without it; 0 = never.
func (a *args) timeout(otherwise time.Duration) (context.Context, context.CancelFunc) {
	limit := a.millis("timeout_ms", otherwise)
	if limit == 0 && !a.has("timeout_ms") {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), limit)
}

// finish fails when an argument was wrong, missing or unknown.
func (a *args) finish() error {
	if a.err != nil {
		return a.err
	}
	for name := range a.values {
		if !a.used[name] {
			return driverError("unknown argument " + name + " of " + a.op)
		}
	}
	return nil
}

// content is bytes as the protocol of drivers writes them.
type content []byte

func (c *content) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*c = content(text)
		return nil
	}
	var binary struct {
		Hex *string `json:"hex"`
	}
	if err := json.Unmarshal(raw, &binary); err != nil {
		return err
	}
	if binary.Hex == nil {
		return driverError("bytes are a text or {\"hex\": ...}")
	}
	decoded, err := hex.DecodeString(*binary.Hex)
	*c = append(content{}, decoded...)
	return err
}
