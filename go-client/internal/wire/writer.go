package wire

import "encoding/binary"

// Offsets in a batch.
const (
	BatchHeaderBytes = 72
	IndexEntryBytes  = 8
	recordFixed      = 8

	atLength     = 8
	atMagic      = 24
	atCRC        = 28
	crcStart     = 32
	atEpoch      = 34
	atCount      = 36
	atProducerID = 40
	atSequence   = 48
	atFirstTime  = 56
	atMaxDelta   = 64
	atBodyLength = 68
	batchMagic   = 1
)

// Flags of a record.
const (
	hasKey       = 1
	hasHeaders   = 2
	isTombstone  = 4
	hasDeliverAt = 8
	hasDedupID   = 16
	hasTrace     = 32
	hasExpiresAt = 64
	knownFlags   = hasKey | hasHeaders | isTombstone | hasDeliverAt | hasDedupID | hasTrace | hasExpiresAt
	timeBytes    = 8
)

// Header of a record.
type Header struct {
	Name  string
	Value []byte
}

// Record is what a batch holds. Nil means none for Key, DedupID and Trace (26 bytes), 0 for the times, which are in ms since 1970.
type Record struct {
	Key         []byte
	Value       []byte
	Headers     []Header
	DedupID     []byte
	Trace       []byte
	DeliverAtMs int64
	ExpiresAtMs int64
}

// Size returns the bytes that the record takes in a batch, its index entry included.
func (r *Record) Size() int {
	n := IndexEntryBytes + recordFixed + len(r.Key) + len(r.Value)
	if r.Trace != nil {
		n += TraceBytes
	}
	if r.DeliverAtMs != 0 {
		n += timeBytes
	}
	if r.ExpiresAtMs != 0 {
		n += timeBytes
	}
	if r.DedupID != nil {
		n += 1 + len(r.DedupID)
	}
	for i := range r.Headers {
		n += 3 + len(r.Headers[i].Name) + len(r.Headers[i].Value)
	}
	return n
}

// BatchWriter encodes records one after the other. The zero value is ready; not safe for concurrent use.
type BatchWriter struct {
	head      []byte // header and index
	body      []byte
	count     int
	firstTime int64
	maxDelta  int64
}

// Reset begins an empty batch, with room for that many bytes of records.
func (w *BatchWriter) Reset(room int) {
	if cap(w.head) == 0 {
		w.head = make([]byte, BatchHeaderBytes, BatchHeaderBytes+64*IndexEntryBytes)
	}
	w.head = w.head[:BatchHeaderBytes]
	if cap(w.body) < room {
		w.body = make([]byte, 0, room)
	}
	w.body = w.body[:0]
	w.count, w.firstTime, w.maxDelta = 0, 0, 0
}

// Count returns the number of records.
func (w *BatchWriter) Count() int { return w.count }

// Bytes returns the size of the batch.
func (w *BatchWriter) Bytes() int { return len(w.head) + len(w.body) }

// delta of a record's time to the batch's. A time before that counts as the batch's.
func (w *BatchWriter) delta(timeMs int64) uint32 {
	delta := max(0, timeMs-w.firstTime)
	w.maxDelta = max(w.maxDelta, delta)
	return uint32(delta)
}

func (w *BatchWriter) index(recordBytes int, keyHash uint32) {
	w.head = binary.BigEndian.AppendUint32(w.head, uint32(recordBytes))
	w.head = binary.BigEndian.AppendUint32(w.head, keyHash)
	w.count++
}

// Encoded is a record as it lies in a batch.
type Encoded struct {
	bytes   []byte
	firstMs int64 // of its batch
	keyHash uint32
}

// Size returns the bytes that the record takes in a batch, its index entry included.
func (e *Encoded) Size() int { return IndexEntryBytes + len(e.bytes) }

// TimeMs is the time it was written with.
func (e *Encoded) TimeMs() int64 { return e.firstMs + int64(binary.BigEndian.Uint32(e.bytes)) }

// Copy copies a record out, to be added to another batch.
func (w *BatchWriter) Copy(index int) Encoded {
	entry := func(i int) []byte { return w.head[BatchHeaderBytes+i*IndexEntryBytes:] }
	at := 0
	for i := range index {
		at += int(binary.BigEndian.Uint32(entry(i)))
	}
	b := append([]byte(nil), w.body[at:at+int(binary.BigEndian.Uint32(entry(index)))]...)
	return Encoded{bytes: b, firstMs: w.firstTime, keyHash: binary.BigEndian.Uint32(entry(index)[4:])}
}

// AddEncoded appends a record of another batch. With the first one comes that batch's time, so that the records of one batch keep
// theirs whatever their order.
func (w *BatchWriter) AddEncoded(e *Encoded) {
	start := len(w.body)
	w.body = append(w.body, e.bytes...)
	if w.count == 0 {
		w.firstTime = e.firstMs
	}
	binary.BigEndian.PutUint32(w.body[start:], w.delta(e.TimeMs()))
	w.index(len(e.bytes), e.keyHash)
}

// Add appends a record. A time before the first record's counts as that one's.
func (w *BatchWriter) Add(timeMs int64, r *Record, keyHash uint32) {
	if w.count == 0 {
		w.firstTime = timeMs
	}
	start := len(w.body)
	flags := byte(0)
	if r.Key != nil {
		flags |= hasKey
	}
	if len(r.Headers) > 0 {
		flags |= hasHeaders
	}
	if r.DedupID != nil {
		flags |= hasDedupID
	}
	if r.Trace != nil {
		flags |= hasTrace
	}
	if r.DeliverAtMs != 0 {
		flags |= hasDeliverAt
	}
	if r.ExpiresAtMs != 0 {
		flags |= hasExpiresAt
	}
	b := binary.BigEndian.AppendUint32(w.body, w.delta(timeMs))
	b = append(b, flags, byte(len(r.Headers)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Key)))
	b = append(b, r.Trace...)
	if r.DeliverAtMs != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(r.DeliverAtMs))
	}
	if r.ExpiresAtMs != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(r.ExpiresAtMs))
	}
	if r.DedupID != nil {
		b = append(b, byte(len(r.DedupID)))
		b = append(b, r.DedupID...)
	}
	b = append(b, r.Key...)
	for i := range r.Headers {
		h := &r.Headers[i]
		b = append(b, byte(len(h.Name)))
		b = append(b, h.Name...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(h.Value)))
		b = append(b, h.Value...)
	}
	w.body = append(b, r.Value...)
	w.index(len(w.body)-start, keyHash)
}

// Seal completes the batch under a producer's id, epoch and sequence; it may be sealed again under another epoch. The
// batch is both parts, one after the other.
func (w *BatchWriter) Seal(producerID uint64, epoch uint16, sequence uint64) (head, body []byte) {
	h := w.head
	clear(h[:BatchHeaderBytes])
	binary.BigEndian.PutUint32(h[atLength:], uint32(w.Bytes()-atLength-4))
	h[atMagic] = batchMagic
	binary.BigEndian.PutUint16(h[atEpoch:], epoch)
	binary.BigEndian.PutUint32(h[atCount:], uint32(w.count))
	binary.BigEndian.PutUint64(h[atProducerID:], producerID)
	binary.BigEndian.PutUint64(h[atSequence:], sequence)
	binary.BigEndian.PutUint64(h[atFirstTime:], uint64(w.firstTime))
	binary.BigEndian.PutUint32(h[atMaxDelta:], uint32(w.maxDelta))
	binary.BigEndian.PutUint32(h[atBodyLength:], uint32(len(w.body)))
	binary.BigEndian.PutUint32(h[atCRC:], updateCRC(CRC32C(h[crcStart:]), w.body))
	return h, w.body
}
