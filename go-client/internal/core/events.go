package core

import "github.com/spillway-io/spillway/go-client/internal/codes"

// ConnectionState says where a ConnectionMachine is.
type ConnectionState uint8

// The states.
const (
	Idle ConnectionState = iota
	Connecting
	Handshaking
	Ready
	Pressured // connected, and the broker is under pressure
	Draining  // connected to a broker that is to be left: nothing new is started there
	BackingOff
	Blocked // every endpoint refused what only another configuration can mend
	Ended
)

// ActionKind says what is to be done.
type ActionKind uint8

// The actions.
const (
	Dial              ActionKind = iota // connect and shake hands
	Use                                 // there is a connection again: reopen everything on it
	DrainConnection                     // start nothing new on this connection
	MovePublishers                      // from now on publishers and requests use this connection
	MoveSubscriptions                   // from now on subscriptions use this connection
	CloseConnection                     // end this connection
	Lost                                // there is no connection any more
	RoundFailed                         // no endpoint could be connected to; it names none
)

// Action is one thing to be done, and with which candidate.
type Action struct {
	Kind      ActionKind
	Candidate *Candidate
}

// Welcome is what a broker says when the session begins.
type Welcome struct {
	Zone     string // empty when it does not say
	Pressure PressureState
	Nodes    []Node // of its cluster; one or none when it stands alone
}

// Refusal says why an attempt to connect failed.
type Refusal struct {
	Code         codes.Code
	Redirect     string // where the leader is; empty when not said
	RetryAfterMs int64
}

func (r Refusal) isOfFollower() bool {
	return r.Code == codes.NotLeader || r.Code == codes.LeaderElection
}

// needsOtherConfiguration: the same attempt would be refused again.
func (r Refusal) needsOtherConfiguration() bool {
	return r.Code == codes.UnsupportedVersion || r.Code == codes.UnsupportedFeature || r.Code == codes.Unauthenticated ||
		r.Code == codes.PermissionDenied
}

// Farewell is what a broker says when it leaves, or leads no more.
type Farewell struct {
	GraceMs          int64 // 0 is 5 s
	ReconnectAfterMs int64
	Nodes            []string // the endpoints of its cluster, the new leader first when there is one
}
