package wire

import "testing"

func TestATombstoneIsReadAsSuch(t *testing.T) {
	for flags, want := range map[byte]bool{isTombstone: true, isTombstone | hasKey: true, 0: false, hasKey: false} {
		record := []byte{0, 0, 0, 0, flags, 0, 0, 0, 'v'}
		var view RecordView
		if !view.parse(record, 0) || view.IsTombstone != want || string(view.Value) != "v" {
			t.Errorf("flags %d: %+v", flags, view)
		}
	}
}
