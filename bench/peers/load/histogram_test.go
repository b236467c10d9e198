package main

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAPercentileIsKeptToAThousandthOfItself(t *testing.T) {
	var h histogram
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]int64, 100_000)
	for i := range values {
		values[i] = random.Int64N(int64(1) << (8 + random.IntN(28)))
		h.add(values[i])
	}
	slices.Sort(values)

	for _, perMille := range []float64{1, 500, 900, 990, 999} {
		want := values[int(float64(len(values))*perMille/1000+0.5)-1]
		if got := h.at(perMille); got > want || got < want-want/1000-1 {
			t.Errorf("at %v of a thousand: %d, want %d", perMille, got, want)
		}
	}
}

func TestABucketBeginsWithItsValue(t *testing.T) {
	for _, ns := range []int64{0, 1, 1023, 1024, 2047, 2048, 1 << 20, 1<<40 + 1<<30} {
		if got := valueOf(bucketOf(ns)); got > ns || ns-got > ns/1000 {
			t.Errorf("%d is kept as %d", ns, got)
		}
	}
}
