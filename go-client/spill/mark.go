package spill

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"time"
)

const markBytes = 28

// mark says how far a spool is drained. In its file: the three, 8 bytes each, and their CRC-32C, all big endian.
type mark struct {
	settled   uint64 // the first entry that is not
	attempted uint64 // the first entry that was never sent
	since     uint64 // when the first of those between was sent, ms since 1970; 0 when nobody knows
}

func (m mark) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, markBytes), m.settled)
	b = binary.BigEndian.AppendUint64(b, m.attempted)
	b = binary.BigEndian.AppendUint64(b, m.since)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readMark is false when there is none that can be read.
func readMark(file *os.File) (mark, bool, error) {
	b := make([]byte, markBytes)
	if n, err := file.ReadAt(b, 0); err != nil && err != io.EOF {
		return mark{}, false, err
	} else if n < markBytes || crc32.Checksum(b[:24], castagnoli) != binary.BigEndian.Uint32(b[24:]) {
		return mark{}, false, nil
	}
	return mark{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}, true, nil
}

// firstAttempt of an entry that is to be published; zero when it is its first.
func (m mark) firstAttempt(e *spilled) time.Time {
	switch {
	case e.maybeStored || e.number < m.attempted && m.since == 0:
		return e.first
	case e.number < m.attempted:
		return timeOf(m.since)
	}
	return time.Time{}
}
