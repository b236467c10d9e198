package spill

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// readBytes at once; more than the largest entry.
const readBytes = maxBody + entryHeader

// errFull: no space within the bound.
var errFull = errors.New("the spool is full")

// journal is the files of a spool. Entries are appended by one goroutine and read and removed by another; open counts are
// guarded by its lock.
type journal struct {
	dir          string
	maxBytes     int64
	segmentBytes int64
	sync         bool
	lock         *os.File
	marks        *os.File
	marked       mark  // of the goroutine that drains
	at           place // of it, too: an entry that is not behind what it reads next

	file *os.File // of the goroutine that appends: the last segment, once it has written one
	size int64    // of that file

	mu       sync.Mutex
	segments []*segment // the oldest first
	active   bool       // the last one is written to
	next     uint64     // number of the next entry
	settled  uint64     // as marked
	bytes    int64      // of all segments
	tornTails,
	damagedTails uint64
}

func openJournal(dir string, o *options) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	j := &journal{dir: dir, maxBytes: o.maxBytes, segmentBytes: max(minSegment, min(maxSegment, o.maxBytes/8)), sync: o.sync, next: 1}
	var err error
	if j.lock, err = lockFile(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err = j.recover(o.logger); err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

func (j *journal) recover(log *slog.Logger) error {
	names, err := filepath.Glob(filepath.Join(j.dir, "*"+suffix))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), suffix), 16, 64)
		if err != nil {
			return fmt.Errorf("%s is no segment of a spool", name)
		}
		if err := j.recoverSegment(name, first, log); err != nil {
			return err
		}
	}
	if j.marks, err = os.OpenFile(filepath.Join(j.dir, "mark"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	found, ok, err := readMark(j.marks)
	if err != nil {
		return err
	}
	if !ok && len(j.segments) > 0 { // any of them may have been sent
		found = mark{settled: j.segments[0].first, attempted: j.next}
	} else if !ok {
		found = mark{settled: 1, attempted: 1}
	}
	j.next = max(j.next, found.settled)
	if len(j.segments) > 0 {
		found.settled = max(found.settled, j.segments[0].first)
	}
	found.attempted = min(max(found.attempted, found.settled), j.next)
	j.marked = found
	return j.dropSettled()
}

func (j *journal) recoverSegment(name string, first uint64, log *slog.Logger) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	s := &segment{path: name, first: first, bytes: int64(len(content))}
	good, end := scan(content, func([]byte) bool { s.records++; return true })
	s.damaged = end == damaged
	switch end {
	case torn:
		j.tornTails++
		log.Warn("spool: an entry was being written when the process ended; it is ignored", "file", name, "bytes", len(content)-good)
	case damaged:
		j.damagedTails++
		log.Warn("spool: the rest of a file cannot be read; it is kept as .damaged", "file", name, "at", good, "bytes", len(content)-good)
	}
	j.next = max(j.next, s.end())
	if s.records == 0 {
		return s.remove()
	}
	j.segments = append(j.segments, s)
	j.bytes += s.bytes
	return nil
}

// append entries of which each one is encoded; fails as a whole.
func (j *journal) append(entries [][]byte) (first uint64, err error) {
	var all []byte
	for _, e := range entries {
		all = appendEntry(all, e)
	}
	j.mu.Lock()
	first = j.next
	full := j.bytes+int64(len(all)+len(magic)) > j.maxBytes
	isDrained := j.settled == first && j.size > int64(len(magic)) // so that the file can go
	j.mu.Unlock()
	if full && !isDrained {
		return 0, errFull
	}
	if j.file == nil || j.size >= j.segmentBytes || isDrained {
		if err := j.begin(first); err != nil {
			return 0, err
		}
	}
	if err := j.write(all); err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	last := j.segments[len(j.segments)-1]
	last.records += uint64(len(entries))
	last.bytes += int64(len(all))
	j.bytes += int64(len(all))
	j.next += uint64(len(entries))
	return first, nil
}

// write at the end; what was written in part is cut off again.
func (j *journal) write(all []byte) error {
	_, err := j.file.WriteAt(all, j.size)
	if err == nil && j.sync {
		err = j.file.Sync()
	}
	if err != nil {
		bad := j.file
		j.file = nil // after a failed sync nobody knows what a file has: the next entry begins another one
		return errors.Join(err, bad.Truncate(j.size), bad.Close())
	}
	j.size += int64(len(all))
	return nil
}

func (j *journal) begin(first uint64) error {
	if j.file != nil {
		if err := j.file.Close(); err != nil {
			return err
		}
		j.file = nil
	}
	j.mu.Lock()
	j.active = false
	j.mu.Unlock()
	path := segmentPath(j.dir, first)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write([]byte(magic)); err != nil {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	if j.sync {
		if err := syncDir(j.dir); err != nil {
			return errors.Join(err, file.Close(), os.Remove(path))
		}
	}
	j.file, j.size = file, int64(len(magic))
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 && j.segments[n-1].first == first { // whose first write failed
		j.bytes -= j.segments[n-1].bytes
		j.segments = j.segments[:n-1]
	}
	j.segments = append(j.segments, &segment{path: path, first: first, bytes: int64(len(magic))})
	j.bytes += int64(len(magic))
	j.active = true
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// place of an entry.
type place struct {
	segment, number uint64
	offset          int64
}

// read the entries from a number on: at most so many, and so many bytes, one at least; none when there are no more.
func (j *journal) read(from uint64, most, mostBytes int) ([]spilled, error) {
	j.mu.Lock()
	var s segment
	for _, each := range j.segments {
		if each.end() > from {
			s = *each
			break
		}
	}
	j.mu.Unlock()
	if s.records == 0 {
		return nil, nil
	}
	if j.at.segment != s.first || j.at.number > from {
		j.at = place{s.first, s.first, int64(len(magic))}
	}
	for {
		content, err := readPart(s.path, j.at.offset, min(s.bytes-j.at.offset, readBytes))
		if err != nil {
			return nil, err
		}
		all, err := j.decode(content, from, &s, most, mostBytes)
		if err != nil || len(all) > 0 {
			return all, err
		}
	}
}

// decode what is wanted, and remember where the first of it was, or else where to go on.
func (j *journal) decode(content []byte, from uint64, s *segment, most, mostBytes int) ([]spilled, error) {
	var all []spilled
	var bad error
	before, at, bytes := j.at, j.at, 0
	scanEntries(content, 0, func(body []byte) bool {
		if at.number == s.end() || len(all) == most || len(all) > 0 && bytes+len(body) > mostBytes {
			return false
		}
		if at.number >= from {
			e, err := decode(at.number, body)
			if err != nil {
				bad = fmt.Errorf("entry %d of %s cannot be read: %w", at.number, s.path, err)
				return false
			}
			all, bytes = append(all, e), bytes+len(body)
		}
		at.number++
		at.offset += int64(entryHeader + len(body))
		if at.number <= from {
			j.at = at
		}
		return true
	})
	if len(all) == 0 && bad == nil && j.at == before {
		bad = fmt.Errorf("entry %d of %s cannot be read any more", at.number, s.path)
	}
	return all, bad
}

func readPart(path string, offset, bytes int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.NewSectionReader(file, offset, bytes))
}

// attempt: these entries are about to be sent.
func (j *journal) attempt(end uint64, nowMs uint64) error {
	if end <= j.marked.attempted {
		return nil
	}
	if j.marked.attempted <= j.marked.settled {
		j.marked.since = nowMs
	}
	j.marked.attempted = end
	return j.writeMark(j.sync)
}

// settle all entries before that one.
func (j *journal) settle(end uint64) error {
	j.marked.settled = end
	j.marked.attempted = max(end, j.marked.attempted)
	if err := j.writeMark(false); err != nil {
		return err
	}
	return j.dropSettled()
}

func (j *journal) writeMark(sync bool) error {
	if _, err := j.marks.WriteAt(j.marked.encode(), 0); err != nil {
		return err
	}
	if sync {
		return j.marks.Sync()
	}
	return nil
}

// dropSettled removes segments of which nothing is waiting, but for the one that is written to.
func (j *journal) dropSettled() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.settled = j.marked.settled
	for len(j.segments) > 0 && j.segments[0].end() <= j.settled && !(j.active && len(j.segments) == 1) {
		s := j.segments[0]
		if err := s.remove(); err != nil {
			return err
		}
		j.segments, j.bytes = j.segments[1:], j.bytes-s.bytes
	}
	return nil
}

func (j *journal) waiting() (records uint64, bytes int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.end() > j.settled {
			records += s.end() - max(s.first, j.settled)
		}
	}
	return records, j.bytes
}

func (j *journal) close() error {
	var all []error
	for _, file := range []*os.File{j.file, j.marks, j.lock} {
		if file != nil {
			all = append(all, file.Close())
		}
	}
	return errors.Join(all...)
}
