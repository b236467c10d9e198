package core

import "testing"

func TestConnectsComeInABurstOfTwentyThenTenASecond(t *testing.T) {
	var limit ConnectLimit
	const now = 1_000_000
	for i := range connectBurst {
		if wait := limit.Take(now); wait != 0 {
			t.Fatalf("connect %d of the burst waits %d ms", i, wait)
		}
	}
	for i := range 5 {
		if wait, want := limit.Take(now), int64(i+1)*100; wait != want {
			t.Errorf("connect %d after the burst waits %d ms, not %d", i, wait, want)
		}
	}
	if wait := limit.Take(now + 600); wait != 0 {
		t.Errorf("once those have gone a connect waits %d ms", wait)
	}
	if wait := limit.Take(now + 600); wait != 100 {
		t.Errorf("the next one waits %d ms", wait)
	}
	for i := range connectBurst {
		if wait := limit.Take(now + 60_000); wait != 0 {
			t.Fatalf("after a minute connect %d waits %d ms: the bucket is full again, and not more than full", i, wait)
		}
	}
	if wait := limit.Take(now + 60_000); wait != 100 {
		t.Errorf("the burst is larger after a minute: it waits %d ms", wait)
	}
}
