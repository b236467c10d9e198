package spill

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// A segment is a file of entries: the magic, then for each the length and the CRC-32C of its body, 4 bytes each, big endian, and
// the body, a SpilledRecord. Its name is the number of its first entry in 16 hex digits. Fixed by vectors/spill.json.
const (
	magic       = "SPSPILL1"
	entryHeader = 8
	maxBody     = 2 << 20
	suffix      = ".spill"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type segment struct {
	path    string
	first   uint64
	records uint64
	bytes   int64
	damaged bool // it has bytes that are no entry and not the end of one that was being written
}

func (s *segment) end() uint64 { return s.first + s.records }

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", first, suffix))
}

func appendEntry(to, body []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(body)))
	to = binary.BigEndian.AppendUint32(to, crc32.Checksum(body, castagnoli))
	return append(to, body...)
}

// tail says what follows the last good entry of a segment.
type tail int

const (
	whole   tail = iota // nothing
	torn                // an entry that was being written when the process or the machine ended
	damaged             // anything else
)

// scan a segment's content: gives each body until one is refused, and says where the good part ends and what is behind it.
func scan(content []byte, each func(body []byte) bool) (good int, end tail) {
	head := min(len(content), len(magic))
	switch {
	case string(content[:head]) != magic[:head]:
		return 0, damaged
	case head < len(magic):
		return 0, torn
	}
	return scanEntries(content, head, each)
}

func scanEntries(content []byte, at int, each func(body []byte) bool) (good int, end tail) {
	for at < len(content) {
		rest := content[at:]
		if len(rest) < entryHeader {
			return at, torn
		}
		size := int(binary.BigEndian.Uint32(rest))
		if size > maxBody {
			return at, damaged
		}
		if len(rest) < entryHeader+size {
			return at, torn
		}
		body := rest[entryHeader : entryHeader+size]
		if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(rest[4:]) {
			if len(rest) == entryHeader+size {
				return at, torn
			}
			return at, damaged
		}
		if !each(body) {
			break
		}
		at += entryHeader + size
	}
	return at, whole
}

// remove a segment whose entries are all settled; what could not be read of it is kept for people.
func (s *segment) remove() error {
	if s.damaged {
		return os.Rename(s.path, s.path+".damaged")
	}
	return os.Remove(s.path)
}
