package spillway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// peer listens and gives each connection to what is to happen with it.
func peer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			serve(nc)
			nc.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

func TestSaysWhyItCannotConnect(t *testing.T) {
	closed := peer(t, answer(""))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	for name, c := range map[string]struct {
		endpoint string
		code     error
		says     string
	}{
		"nobody listens": {nobody, spillway.ErrConnectFailed, "connection refused"},
		"closes at once": {closed, spillway.ErrConnectFailed, "connected, but"},
		"wants TLS":      {peer(t, answer("\x15\x03\x01\x00\x02\x02\x46\x00")), spillway.ErrConnectFailed, "TLS"},
		"speaks HTTP":    {peer(t, answer("HTTP/1.1 400 Bad Request\r\n\r\n")), spillway.ErrConnectFailed, "HTTP"},
		"newer version":  {peer(t, answer("\x9bSP\n\x00\x02\x03\x01")), spillway.ErrUnsupportedVersion, "protocol 2 to 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spillway.Connect(soon(t), spillway.WithEndpoints(c.endpoint))

			if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v", err)
			}
			var e *spillway.Error
			if !errors.As(err, &e) || e.NextStep == "" || e.Why == "" {
				t.Errorf("it does not say why or what to do: %#v", err)
			}
		})
	}
}

func answer(text string) func(net.Conn) {
	return func(nc net.Conn) {
		nc.SetDeadline(time.Now().Add(patience))
		hello := make([]byte, 24) // the preface and the prefix of Hello
		if _, err := io.ReadFull(nc, hello); err == nil {
			_, _ = io.WriteString(nc, text)
		}
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	silent := peer(t, func(net.Conn) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()

	_, err := spillway.Connect(ctx, spillway.WithEndpoints(silent))

	if !errors.Is(err, spillway.ErrConnectFailed) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(begun); took > 4*time.Second { // the handshake alone would take 5 s
		t.Errorf("it took %v", took)
	}
}

func TestRefusesWrongOptions(t *testing.T) {
	for name, option := range map[string]spillway.Option{
		"no endpoint":     spillway.WithEndpoints(),
		"a URL":           spillway.WithEndpoints("tcp://broker:7400"),
		"no port":         spillway.WithEndpoints("broker"),
		"port 0":          spillway.WithEndpoints("broker:0"),
		"heartbeat":       spillway.WithHeartbeat(time.Millisecond),
		"request timeout": spillway.WithRequestTimeout(-1),
		"nil":             nil,
	} {
		if _, err := spillway.Connect(soon(t), option); !errors.Is(err, spillway.ErrInvalidArgument) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	//lint:ignore SA1012 a nil context is what is tested
	if _, err := spillway.Connect(nil); !errors.Is(err, spillway.ErrInvalidArgument) {
		t.Errorf("nil context: the error is %v", err)
	}
}

func TestErrorsAreComparedByCode(t *testing.T) {
	err := error(&spillway.Error{Code: 300, Reason: "TOPIC_NOT_FOUND", What: "there is no topic x"})

	if !errors.Is(err, spillway.ErrTopicNotFound) || errors.Is(err, spillway.ErrGroupNotFound) {
		t.Error("it is compared by something else")
	}
}

func TestAMessageMadeByHandCanBeHandled(t *testing.T) {
	m := &spillway.Message{Value: []byte("v")}

	m.Ack()
	m.Nack(0)
	m.Extend(time.Second)
	m.Release()
	m.Terminate("test")

	if !m.AppendTime().IsZero() || !m.Lease().IsZero() || m.Headers() != nil || m.TraceParent() != "" || m.CorrelationID() != "" {
		t.Errorf("it has more than it was made with: %+v", m)
	}
}
