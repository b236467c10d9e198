package wire

import (
	"encoding/binary"
	"math"
)

// Batch is a record batch as it was received. Open checks it; the methods may be called on a checked one only.
type Batch []byte

// ChecksumError says that a batch was damaged on the way or on disk.
type ChecksumError struct{}

func (ChecksumError) Error() string { return "the CRC32C of a batch does not match its bytes" }

// OpenBatch checks structure, limits and CRC of the batch that is b and nothing else.
func OpenBatch(b []byte) (Batch, error) {
	if len(b) < BatchHeaderBytes {
		return nil, malformed("a batch has %d bytes, its header alone has %d", len(b), BatchHeaderBytes)
	}
	if length := int(binary.BigEndian.Uint32(b[atLength:])) + atLength + 4; length != len(b) {
		return nil, malformed("a batch says it has %d bytes, its frame carries %d", length, len(b))
	}
	if b[atMagic] != batchMagic {
		return nil, malformed("a batch has magic %d, this client knows %d", b[atMagic], batchMagic)
	}
	if CRC32C(b[crcStart:]) != binary.BigEndian.Uint32(b[atCRC:]) {
		return nil, ChecksumError{}
	}
	batch := Batch(b)
	if codec := b[33] & 7; codec != 0 {
		return nil, malformed("a batch is compressed with codec %d, which is not known here", codec)
	}
	count := batch.Count()
	if count < 1 || count > MaxBatchRecords {
		return nil, malformed("a batch holds %d records, the limits are 1 and %d", count, MaxBatchRecords)
	}
	body := len(b) - BatchHeaderBytes - count*IndexEntryBytes
	if body < 0 {
		return nil, malformed("the index of a batch of %d records does not fit its %d bytes", count, len(b))
	}
	sum := 0
	for i := range count {
		size := batch.recordSize(i)
		if size < recordFixed {
			return nil, malformed("record %d of a batch has %d bytes, the least is %d", i, size, recordFixed)
		}
		sum += size
	}
	if sum != body || sum != int(binary.BigEndian.Uint32(b[atBodyLength:])) {
		return nil, malformed("the records of a batch add up to %d bytes, its body has %d", sum, body)
	}
	return batch, nil
}

// Count returns the number of records.
func (b Batch) Count() int { return int(binary.BigEndian.Uint32(b[atCount:])) }

// BaseOffset returns the offset of the first record.
func (b Batch) BaseOffset() uint64 { return binary.BigEndian.Uint64(b) }

// AppendTimeMs returns when the broker appended it, ms since 1970.
func (b Batch) AppendTimeMs() int64 { return int64(binary.BigEndian.Uint64(b[16:])) }

func (b Batch) recordSize(i int) int {
	return int(binary.BigEndian.Uint32(b[BatchHeaderBytes+i*IndexEntryBytes:]))
}

// RecordView is one record of a batch; its slices belong to the batch.
type RecordView struct {
	TimestampMs int64
	Key         []byte // nil without one
	DedupID     []byte // nil without one
	Trace       []byte // nil without one
	DeliverAtMs int64  // ms since 1970; 0 without one, as the next
	ExpiresAtMs int64
	IsTombstone bool
	Value       []byte
	headers     []byte
	headerCount int
}

// Records walks through a batch.
type Records struct {
	batch Batch
	index int
	at    int
}

// Walk begins before the first record.
func (b Batch) Walk() Records {
	return Records{batch: b, index: -1, at: BatchHeaderBytes + b.Count()*IndexEntryBytes}
}

// Next moves to the next record and reads it into view; false at the end. An error when the record's parts do not fit
// its length or its flags; the next call goes on behind it.
func (r *Records) Next(view *RecordView) (bool, error) {
	r.index++
	if r.index >= r.batch.Count() {
		return false, nil
	}
	end := r.at + r.batch.recordSize(r.index)
	b := r.batch[r.at:end]
	r.at = end
	if !view.parse(b, int64(binary.BigEndian.Uint64(r.batch[atFirstTime:]))) {
		return true, malformed("record %d of a batch has parts that do not fit", r.index)
	}
	return true, nil
}

func (v *RecordView) parse(b []byte, firstMs int64) bool {
	*v = RecordView{TimestampMs: firstMs + int64(binary.BigEndian.Uint32(b))}
	flags, headerCount, keyBytes := b[4], int(b[5]), int(binary.BigEndian.Uint16(b[6:]))
	if flags&^knownFlags != 0 || (keyBytes > 0 && flags&hasKey == 0) || (headerCount > 0 && flags&hasHeaders == 0) {
		return false
	}
	v.IsTombstone = flags&isTombstone != 0
	rest := b[recordFixed:]
	ok := true
	take := func(n int) []byte {
		if n > len(rest) {
			ok = false
			return nil
		}
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	if flags&hasTrace != 0 {
		v.Trace = take(TraceBytes)
	}
	takeTime := func() int64 {
		ms := uint64(0)
		if b := take(timeBytes); ok {
			ms = binary.BigEndian.Uint64(b)
			ok = ms <= math.MaxInt64
		}
		return int64(ms)
	}
	if flags&hasDeliverAt != 0 {
		v.DeliverAtMs = takeTime()
	}
	if flags&hasExpiresAt != 0 {
		v.ExpiresAtMs = takeTime()
	}
	if flags&hasDedupID != 0 {
		if size := take(1); ok {
			v.DedupID = take(int(size[0]))
			ok = ok && size[0] > 0
		}
	}
	if flags&hasKey != 0 {
		v.Key = take(keyBytes)
	}
	before := rest
	for i := 0; i < headerCount && ok; i++ {
		if name := take(1); ok {
			take(int(name[0]))
		}
		if value := take(2); ok {
			take(int(binary.BigEndian.Uint16(value)))
		}
	}
	v.headers, v.headerCount, v.Value = before[:len(before)-len(rest)], headerCount, rest
	return ok
}

// Headers copies the headers out; nil without any.
func (v *RecordView) Headers() []Header {
	if v.headerCount == 0 {
		return nil
	}
	headers := make([]Header, v.headerCount)
	b := v.headers
	for i := range headers {
		name := int(b[0])
		value := int(binary.BigEndian.Uint16(b[1+name:]))
		headers[i] = Header{Name: string(b[1 : 1+name]), Value: append([]byte{}, b[3+name:3+name+value]...)}
		b = b[3+name+value:]
	}
	return headers
}
