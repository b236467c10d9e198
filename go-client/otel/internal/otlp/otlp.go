// Package otlp exports spans in the JSON encoding of OTLP over HTTP: as much of it as an example needs, without the
// dependencies of an exporter for production.
package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Exporter posts spans to a URL. It is a SpanExporter of the SDK.
type Exporter struct {
	URL string // with its path, /v1/traces
}

type value map[string]any

type keyValue struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

type link struct {
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

type span struct {
	TraceID      string     `json:"traceId"`
	SpanID       string     `json:"spanId"`
	ParentSpanID string     `json:"parentSpanId,omitempty"`
	Name         string     `json:"name"`
	Kind         int        `json:"kind"`
	Start        string     `json:"startTimeUnixNano"`
	End          string     `json:"endTimeUnixNano"`
	Attributes   []keyValue `json:"attributes"`
	Links        []link     `json:"links"`
	Status       value      `json:"status"`
}

// ExportSpans implements the SDK's SpanExporter.
func (e Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	scopes := make([]value, 0, len(spans))
	var resource []keyValue
	for _, each := range spans {
		resource = attributes(each.Resource().Attributes())
		scopes = append(scopes, value{"scope": value{"name": each.InstrumentationScope().Name}, "spans": []span{convert(each)}})
	}
	body, err := json.Marshal(value{"resourceSpans": []value{{"resource": value{"attributes": resource}, "scopeSpans": scopes}}})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", e.URL, response.Status)
	}
	return nil
}

// Shutdown implements the SDK's SpanExporter.
func (e Exporter) Shutdown(context.Context) error { return nil }

func convert(from sdktrace.ReadOnlySpan) span {
	s := span{
		TraceID:    from.SpanContext().TraceID().String(),
		SpanID:     from.SpanContext().SpanID().String(),
		Name:       from.Name(),
		Kind:       int(from.SpanKind()), // both count from INTERNAL, 1
		Start:      strconv.FormatInt(from.StartTime().UnixNano(), 10),
		End:        strconv.FormatInt(from.EndTime().UnixNano(), 10),
		Attributes: attributes(from.Attributes()),
		Status:     value{},
	}
	if from.Parent().SpanID().IsValid() {
		s.ParentSpanID = from.Parent().SpanID().String()
	}
	for _, each := range from.Links() {
		s.Links = append(s.Links, link{each.SpanContext.TraceID().String(), each.SpanContext.SpanID().String()})
	}
	if from.Status().Code == codes.Error {
		s.Status = value{"code": 2, "message": from.Status().Description}
	}
	return s
}

func attributes(from []attribute.KeyValue) []keyValue {
	to := make([]keyValue, 0, len(from))
	for _, each := range from {
		v := value{"stringValue": each.Value.Emit()}
		switch each.Value.Type() {
		case attribute.BOOL:
			v = value{"boolValue": each.Value.AsBool()}
		case attribute.INT64:
			v = value{"intValue": strconv.FormatInt(each.Value.AsInt64(), 10)}
		case attribute.FLOAT64:
			v = value{"doubleValue": each.Value.AsFloat64()}
		}
		to = append(to, keyValue{string(each.Key), v})
	}
	return to
}
