// Package digest sums up records so that what one program published can be compared with what another consumed, in any
// order: the exclusive or, over the different records (by partition and offset), of the first 8 bytes of
// SHA-256(key length as u32, key, value); a missing key has length 0xffffffff.
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

type place struct {
	partition int
	offset    int64
}

// Sum of different records. The zero value is empty. Not safe for concurrent use.
type Sum struct {
	seen map[place]struct{}
	sum  uint64
}

// Add counts a record, once for each place.
func (s *Sum) Add(partition int, offset int64, key, value []byte) {
	at := place{partition, offset}
	if _, again := s.seen[at]; again {
		return
	}
	if s.seen == nil {
		s.seen = map[place]struct{}{}
	}
	s.seen[at] = struct{}{}
	length := uint32(0xffffffff)
	if key != nil {
		length = uint32(len(key))
	}
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint32(nil, length))
	hash.Write(key)
	hash.Write(value)
	s.sum ^= binary.BigEndian.Uint64(hash.Sum(nil))
}

// Distinct is the number of different records.
func (s *Sum) Distinct() int { return len(s.seen) }

// String is the sum as 16 hex digits.
func (s *Sum) String() string { return fmt.Sprintf("%016x", s.sum) }
