package main

import (
	"math/bits"
	"sync"
)

// histogram of nanoseconds: each power of two in 1,024 steps, so that a value is kept to a thousandth of itself, as an HdrHistogram of
// three digits does. Safe for concurrent use.
type histogram struct {
	mu     sync.Mutex
	counts [(64 - stepBits) << stepBits]int64
	total  int64
	max    int64
}

const stepBits = 10

func bucketOf(ns int64) int {
	shift := max(0, bits.Len64(uint64(ns))-stepBits-1)
	return shift<<stepBits + int(ns>>shift)
}

// valueOf is the least value of a bucket.
func valueOf(bucket int) int64 {
	shift := max(0, bucket>>stepBits-1)
	return int64(bucket-shift<<stepBits) << shift
}

func (h *histogram) add(ns int64) {
	ns = max(ns, 0)
	h.mu.Lock()
	h.counts[bucketOf(ns)]++
	h.total++
	h.max = max(h.max, ns)
	h.mu.Unlock()
}

// at is the least value that so many of a thousand are not above.
func (h *histogram) at(perMille float64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	wanted := max(1, int64(float64(h.total)*perMille/1000+0.5))
	var seen int64
	for bucket, count := range h.counts {
		if seen += count; seen >= wanted {
			return valueOf(bucket)
		}
	}
	return h.max
}

// us has the percentiles in microseconds.
func (h *histogram) us() map[string]float64 {
	return map[string]float64{"p50": float64(h.at(500)) / 1e3, "p90": float64(h.at(900)) / 1e3, "p99": float64(h.at(990)) / 1e3,
		"p99.9": float64(h.at(999)) / 1e3, "max": float64(h.max) / 1e3, "count": float64(h.total)}
}
