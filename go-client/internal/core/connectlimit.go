package core

const (
	connectIntervalMs = 100 // 10 connects a second
	connectBurst      = 20
)

// ConnectLimit spreads the attempts to connect again of a whole process, so that its clients do not storm a broker that has just
// come back: a token bucket, kept as the time at which it would be full (GCRA). The zero value is full.
type ConnectLimit struct{ fullAtMs int64 }

// Take takes a token and returns how long the attempt that it stands for has to wait.
func (l *ConnectLimit) Take(nowMs int64) int64 {
	wait := max(0, l.fullAtMs-nowMs-(connectBurst-1)*connectIntervalMs)
	l.fullAtMs = max(l.fullAtMs, nowMs) + connectIntervalMs
	return wait
}
