package wire

// PrefaceBytes is the length of a preface, each way.
const PrefaceBytes = 8

// Versions that this client speaks.
const (
	MinVersion = 1
	MaxVersion = 1
)

// Codes of a broker's preface.
const (
	PrefaceOK       = 0
	PrefaceVersion  = 1
	PrefaceBusy     = 2
	PrefaceDraining = 3
)

var magic = [4]byte{0x9b, 'S', 'P', '\n'}

// ClientPreface returns the first eight bytes from the client.
func ClientPreface() [PrefaceBytes]byte {
	return [PrefaceBytes]byte{magic[0], magic[1], magic[2], magic[3], MinVersion, MaxVersion, 0, 0}
}

// BrokerPreface is a broker's answer: the chosen version, the range it speaks, and a code.
type BrokerPreface struct{ Chosen, Min, Max, Code uint8 }

// ParseBrokerPreface reads a broker's preface; an error when the peer is no such broker.
func ParseBrokerPreface(b [PrefaceBytes]byte) (BrokerPreface, error) {
	switch {
	case [4]byte(b[:4]) == magic:
	case b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3:
		return BrokerPreface{}, malformed("the peer answers in TLS, which this client does not speak")
	case string(b[:4]) == "HTTP":
		return BrokerPreface{}, malformed("the peer answers in HTTP; the wire port is another than the HTTP port")
	default:
		return BrokerPreface{}, malformed("the peer answers % x, which is not the protocol of Spillway", b[:4])
	}
	return BrokerPreface{Chosen: b[4], Min: b[5], Max: b[6], Code: b[7]}, nil
}

// NegotiateVersion chooses the smaller of both maxima if that is at least the larger of both minima, else 0.
func NegotiateVersion(clientMin, clientMax, brokerMin, brokerMax uint8) uint8 {
	chosen := min(clientMax, brokerMax)
	if chosen < max(clientMin, brokerMin) {
		return 0
	}
	return chosen
}
