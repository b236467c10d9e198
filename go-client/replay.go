package spillway

import (
	"fmt"
	"math"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// ReplaySelection says which records of a topic a replay is about; what is not set narrows nothing.
type ReplaySelection struct {
	Topic string
	// Partitions; none: all.
	Partitions []int
	// From there on, up to To and without it: a time, or an offset, which narrows the selection to its partition. The zero Start:
	// the end of the topic on that side.
	From, To Start
	// Keys: records with one of them.
	Keys [][]byte
	// Filter on headers, in the language of WithFilter.
	Filter string
	// DeadLetterCause, for instance MAX_DELIVERIES: dead letters with that cause.
	DeadLetterCause string
	// UnackedBy: records that this group of the topic has not settled when the plan is made.
	UnackedBy string
	// SamplePerMille: so many of a thousand records, always the same ones. 0: all.
	SamplePerMille int
}

func (s *ReplaySelection) toWire() (*pb.ReplaySelection, error) {
	if s.Topic == "" {
		return nil, invalid("the topic's name is empty", "a selection is of one topic")
	}
	if err := countBetween("the sample", s.SamplePerMille, 0, 1000); err != nil {
		return nil, err
	}
	w := &pb.ReplaySelection{Topic: s.Topic, From: s.From.wire, To: s.To.wire, Keys: s.Keys, Filter: s.Filter,
		DeadLetterCause: s.DeadLetterCause, UnackedBy: s.UnackedBy, SamplePm: uint32(s.SamplePerMille)}
	for _, bound := range []Start{s.From, s.To} {
		if bound.wire == nil {
			continue
		}
		if err := bound.check(); err != nil {
			return nil, err
		}
		if bound.wire.GetKind() == startGroup {
			return nil, invalid("a selection cannot begin or end at a group's place", "a group has no fixed place")
		}
	}
	for _, i := range s.Partitions {
		if err := countBetween("a partition", i, 0, math.MaxInt32); err != nil {
			return nil, err
		}
		w.Partitions = append(w.Partitions, uint32(i))
	}
	return w, nil
}

func selectionOf(w *pb.ReplaySelection) ReplaySelection {
	s := ReplaySelection{Topic: w.GetTopic(), From: Start{w.GetFrom()}, To: Start{w.GetTo()}, Keys: w.GetKeys(), Filter: w.GetFilter(),
		DeadLetterCause: w.GetDeadLetterCause(), UnackedBy: w.GetUnackedBy(), SamplePerMille: int(w.GetSamplePm())}
	for _, i := range w.GetPartitions() {
		s.Partitions = append(s.Partitions, int(i))
	}
	return s
}

// PlanState says where a plan is in its life.
type PlanState int

// The states, as on the wire.
const (
	// PlanScanning: the broker still looks for the records.
	PlanScanning PlanState = 0
	// PlanReady: it can be started.
	PlanReady PlanState = 1
	// PlanFailed: it could not be made.
	PlanFailed PlanState = 2
)

func (s PlanState) String() string {
	return nameOf("PLAN_STATE", int(s), "SCANNING", "READY", "FAILED")
}

func nameOf(kind string, n int, names ...string) string {
	if n >= 0 && n < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%s_%d", kind, n)
}

// ReplayPlan is exact records of a topic, found and counted; nothing is changed by it.
type ReplayPlan struct {
	ID        string
	Selection ReplaySelection
	State     PlanState
	// Records and their Bytes; First and Last are when the oldest and the newest were appended, zero without any.
	Records, Bytes int64
	First, Last    time.Time
	// Keys are the different ones among them, an estimate unless KeysExact. Duplicates are records whose idempotency key another
	// selected record has, too.
	Keys       int64
	KeysExact  bool
	Duplicates int64
	// Scanned of ToScan records have been looked at.
	Scanned, ToScan int64
	Created         time.Time
	// Failure says why a failed plan did; else nil.
	Failure    *Error
	Partitions []ReplayRange
}

// DurationAt is how long a replay takes at a rate of so many records a second; 0 without a rate.
func (p *ReplayPlan) DurationAt(rate int) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(p.Records) / float64(rate) * float64(time.Second))
}

// ReplayRange is records of one partition from an offset up to another and without it, of which so many are meant.
type ReplayRange struct {
	Partition         int
	From, To, Records int64
}

func planOf(w *pb.ReplayPlan) *ReplayPlan {
	p := &ReplayPlan{ID: w.GetId(), Selection: selectionOf(w.GetSelection()), State: PlanState(w.GetState()),
		Records: int64(w.GetRecords()), Bytes: int64(w.GetBytes()), First: timeOrZero(int64(w.GetFirstUnixMs())),
		Last: timeOrZero(int64(w.GetLastUnixMs())), Keys: int64(w.GetKeys()), KeysExact: w.GetKeysExact(),
		Duplicates: int64(w.GetDuplicates()), Scanned: int64(w.GetScanned()), ToScan: int64(w.GetToScan()),
		Created: timeOrZero(int64(w.GetCreatedUnixMs()))}
	if w.GetError() != nil {
		p.Failure = fromWire(w.GetError())
	}
	for _, r := range w.GetPartitions() {
		p.Partitions = append(p.Partitions, ReplayRange{Partition: int(r.GetPartition()), From: int64(r.GetFrom()), To: int64(r.GetTo()),
			Records: int64(r.GetRecords())})
	}
	return p
}

// ReplayTarget says where the records of a replay go; use one of the To functions.
type ReplayTarget struct {
	kind uint32
	name string
}

// Kinds of targets, as on the wire.
const (
	targetGroup    = 1
	targetNewGroup = 2
	targetTopic    = 3
	targetOrigin   = 4
	targetFile     = 5 // written by the client
)

// ToGroup is the members of a group of the topic, beside its live records: its cursor and its order stay as they are.
func ToGroup(name string) ReplayTarget { return ReplayTarget{targetGroup, name} }

// ToNewGroup is a group that the replay creates, for consumers of their own.
func ToNewGroup(name string) ReplayTarget { return ReplayTarget{targetNewGroup, name} }

// ToTopic is a topic whose setting accepts has replay; each record carries where it comes from and an idempotency key made of
// that, so that a second run within the topic's window stores nothing twice.
func ToTopic(name string) ReplayTarget { return ReplayTarget{targetTopic, name} }

// ToOrigin is, for dead letters, the topics they come from: a redrive.
func ToOrigin() ReplayTarget { return ReplayTarget{kind: targetOrigin} }

// String is the target as the command line writes it, for instance group:billing.
func (t ReplayTarget) String() string {
	kind := nameOf("target", int(t.kind), "none", "group", "new-group", "topic", "origin", "file")
	if t.name == "" {
		return kind
	}
	return kind + ":" + t.name
}

func (t ReplayTarget) toWire() (*pb.ReplayTarget, error) {
	if t.kind == 0 {
		return nil, invalid("the target of a replay is empty", "use one of the To functions")
	}
	if t.name == "" && t.kind != targetOrigin {
		return nil, invalid("the name of a replay's target is empty", "name a group or a topic")
	}
	return &pb.ReplayTarget{Kind: t.kind, Name: t.name}, nil
}

// ReplayOptions say how a replay runs; only Reason must be given.
type ReplayOptions struct {
	// Reason for the audit.
	Reason string
	// Rate in records a second; 0: as fast as it goes.
	Rate int
	// The replay pauses after more errors or dead letters than this, and while its live group has a larger backlog than MaxLag;
	// 0: no bound.
	MaxErrors, MaxDeadLetters, MaxLag int64
}

func (o *ReplayOptions) check() error {
	if err := checkReason("a replay", o.Reason); err != nil {
		return err
	}
	if err := countBetween("the rate of a replay", o.Rate, 0, math.MaxInt32); err != nil {
		return err
	}
	if o.MaxErrors < 0 || o.MaxDeadLetters < 0 || o.MaxLag < 0 {
		return invalid("a bound of a replay is negative", "0 is no bound")
	}
	return nil
}

// ReplayState says where a replay is in its life.
type ReplayState int

// The states, as on the wire; the last three are for ever.
const (
	ReplayRunning   ReplayState = 0
	ReplayPaused    ReplayState = 1
	ReplayDone      ReplayState = 2
	ReplayCancelled ReplayState = 3
	ReplayFailed    ReplayState = 4
)

func (s ReplayState) String() string {
	return nameOf("REPLAY_STATE", int(s), "RUNNING", "PAUSED", "DONE", "CANCELLED", "FAILED")
}

// Ended tells whether it is over for ever.
func (s ReplayState) Ended() bool { return s >= ReplayDone }

// ReplayJob is a replay, running or ended.
type ReplayJob struct {
	ID, PlanID, Topic string
	Target            ReplayTarget
	Options           ReplayOptions
	// StartedBy says which client.
	StartedBy string
	State     ReplayState
	// Why it is paused or failed.
	Why            string
	Started, Ended time.Time
	// Records of its plan, and those whose fate is decided.
	Records, Done int64
	// Redelivered to a consumer, or stored in the target; of those Acked, Failed (dead-lettered) and Open.
	Redelivered, Acked, Failed, Open int64
	// Duplicates the target topic had already, by idempotency key.
	Duplicates int64
	// Errors: failed deliveries, or records that could not be copied.
	Errors int64
	// RateNow is records a second lately.
	RateNow int
}

func jobOf(w *pb.ReplayJob) *ReplayJob {
	return &ReplayJob{ID: w.GetId(), PlanID: w.GetPlanId(), Topic: w.GetTopic(),
		Target: ReplayTarget{w.GetTarget().GetKind(), w.GetTarget().GetName()},
		Options: ReplayOptions{Reason: w.GetReason(), Rate: int(w.GetRate()), MaxErrors: int64(w.GetStops().GetErrors()),
			MaxDeadLetters: int64(w.GetStops().GetDeadLetters()), MaxLag: int64(w.GetStops().GetConsumerLag())},
		StartedBy: w.GetStartedBy(), State: ReplayState(w.GetState()), Why: w.GetWhy(), Started: timeOrZero(int64(w.GetStartedUnixMs())),
		Ended: timeOrZero(int64(w.GetEndedUnixMs())), Records: int64(w.GetRecords()), Done: int64(w.GetDone()),
		Redelivered: int64(w.GetRedelivered()), Acked: int64(w.GetAcked()), Failed: int64(w.GetFailed()), Open: int64(w.GetOpen()),
		Duplicates: int64(w.GetDuplicates()), Errors: int64(w.GetErrors()), RateNow: int(w.GetRateNow())}
}
