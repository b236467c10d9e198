// Package codes holds the error registry of the protocol.
package codes

// Code is the number of an error. 100 to 899 come from a broker, 900 to 999 from a client.
type Code uint32

// Info is what the registry says of a code.
type Info struct {
	Reason string
	// Retry is NEVER, SAFE, UNKNOWN_OUTCOME or REFRESH.
	Retry string
	// Breaker is IGNORE, FAIL or CONN_FAIL.
	Breaker string
	// Backoff is TRANSIENT, THROTTLE or "-".
	Backoff string
}

// Lookup returns what the registry says; false for a code of a newer broker.
func Lookup(code Code) (Info, bool) {
	info, ok := registry[code]
	return info, ok
}
