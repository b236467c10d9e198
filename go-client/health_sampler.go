package spillway

import (
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/core"
)

// The runtime's own figures. Those that a runtime does not have count for nothing.
const (
	gcTotal     = "/cpu/classes/gc/total:cpu-seconds"
	gcIdle      = "/cpu/classes/gc/mark/idle:cpu-seconds"
	cpuTotal    = "/cpu/classes/total:cpu-seconds"
	heapLive    = "/gc/heap/live:bytes"
	memLimit    = "/gc/gomemlimit:bytes"
	memTotal    = "/memory/classes/total:bytes"
	memReleased = "/memory/classes/heap/released:bytes"
	memObjects  = "/memory/classes/heap/objects:bytes"
	memUnused   = "/memory/classes/heap/unused:bytes"
	memFree     = "/memory/classes/heap/free:bytes"
	schedulings = "/sched/latencies:seconds"
)

// healthReading is what was measured since the last one.
type healthReading struct {
	sample      core.HealthSample
	psiIOSomePm uint32
	elapsed     time.Duration
}

// healthSampler measures how this process is: by the Go runtime and by files of Linux, which may be missing. Not safe for
// concurrent use.
type healthSampler struct {
	root      string
	samples   []metrics.Sample
	gc, cpu   float64
	schedules []uint64
	at        time.Time
}

func newHealthSampler(root string) *healthSampler {
	s := &healthSampler{root: root, at: time.Now()}
	for _, name := range []string{gcTotal, gcIdle, cpuTotal, heapLive, memLimit, memTotal, memReleased, memObjects, memUnused,
		memFree, schedulings} {
		s.samples = append(s.samples, metrics.Sample{Name: name})
	}
	s.read() // the figures since the start of the process say nothing
	return s
}

func (s *healthSampler) read() healthReading {
	metrics.Read(s.samples)
	now := time.Now()
	r := healthReading{elapsed: now.Sub(s.at)}
	s.at = now
	gc, cpu := s.float(gcTotal)-s.float(gcIdle), s.float(cpuTotal)
	if cpu > s.cpu {
		r.sample.GCCPUPm = perMille((gc-s.gc)/(cpu-s.cpu), 1)
	}
	s.gc, s.cpu = gc, cpu
	r.sample.HeapPm, r.sample.MemPm = s.memory()
	r.sample.SchedP99Us = s.schedP99Us()
	r.sample.PsiMemSomePm, r.sample.PsiMemFullPm = s.stalled("memory")
	r.psiIOSomePm, r.sample.PsiIOFullPm = s.stalled("io")
	return r
}

// memory: with a soft limit the runtime lets garbage gather up to it, so that only what was alive at the last collection, and what
// is no heap, counts against it. The limit of the cgroup is a hard one.
func (s *healthSampler) memory() (heapPm, memPm uint32) {
	mapped := s.uint(memTotal) - s.uint(memReleased)
	if limit := s.uint(memLimit); limit > 0 && limit < math.MaxInt64 {
		garbage := s.uint(memObjects) + s.uint(memUnused) + s.uint(memFree)
		heapPm = perMille(float64(s.uint(heapLive)+mapped-min(mapped, garbage)), float64(limit))
	}
	if limit := s.cgroupLimit(); limit > 0 {
		memPm = perMille(float64(mapped), float64(limit))
	}
	return heapPm, memPm
}

func (s *healthSampler) cgroupLimit() uint64 {
	text, err := os.ReadFile(filepath.Join(s.root, "sys/fs/cgroup/memory.max"))
	if err != nil {
		return 0
	}
	limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil { // "max"
		return 0
	}
	return limit
}

// stalled reads the shares of the last 10 s in which some, and all, tasks of the machine waited for a resource.
func (s *healthSampler) stalled(resource string) (somePm, fullPm uint32) {
	text, err := os.ReadFile(filepath.Join(s.root, "proc/pressure", resource))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimPrefix(fields[1], "avg10="), 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "some":
			somePm = perMille(percent, 100)
		case "full":
			fullPm = perMille(percent, 100)
		}
	}
	return somePm, fullPm
}

// schedP99Us: how long goroutines that could have run waited for a processor since the last reading.
func (s *healthSampler) schedP99Us() uint32 {
	value := s.value(schedulings)
	if value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := value.Float64Histogram()
	total := uint64(0)
	grown := make([]uint64, len(h.Counts))
	for i, n := range h.Counts {
		grown[i] = n
		if len(s.schedules) == len(h.Counts) {
			grown[i] -= s.schedules[i]
		}
		total += grown[i]
	}
	s.schedules = append(s.schedules[:0], h.Counts...)
	left := int64((total*99 + 99) / 100)
	for i, n := range grown {
		if left -= int64(n); left <= 0 && total > 0 {
			return uint32(max(0, min(h.Buckets[i]*1e6, math.MaxUint32))) // the lower end: the first one may begin at -Inf
		}
	}
	return 0
}

func (s *healthSampler) value(name string) metrics.Value {
	for i := range s.samples {
		if s.samples[i].Name == name {
			return s.samples[i].Value
		}
	}
	return metrics.Value{}
}

func (s *healthSampler) float(name string) float64 {
	if v := s.value(name); v.Kind() == metrics.KindFloat64 {
		return v.Float64()
	}
	return 0
}

func (s *healthSampler) uint(name string) uint64 {
	if v := s.value(name); v.Kind() == metrics.KindUint64 {
		return v.Uint64()
	}
	return 0
}

func perMille(part, whole float64) uint32 {
	return uint32(max(0, min(part/whole*1000, 1000)))
}
