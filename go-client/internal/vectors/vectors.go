// Package vectors runs the cases of the repository's vectors/, which Java, Go and Rust share. For tests only.
package vectors

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Run decodes each case of a suite into a C and runs it. A key that C does not name fails the suite, so that nothing is
// skipped in silence.
func Run[C any](t *testing.T, suite string, test func(t *testing.T, c C)) {
	t.Helper()
	cases := Load[C](t, suite)
	passed := 0
	for i, c := range cases {
		test(t, c)
		if t.Failed() {
			t.Fatalf("suite %s: case %d fails: %+v", suite, i, c)
		}
		passed++
	}
	t.Logf("suite %s %d/%d", suite, passed, len(cases))
	if passed == 0 {
		t.Fatalf("suite %s has no cases", suite)
	}
}

// Config is what a suite says beside its cases.
func Config(tb testing.TB, suite string) []byte {
	tb.Helper()
	_, root := read(tb, suite)
	return root.Config
}

// Load reads the cases of a suite.
func Load[C any](tb testing.TB, suite string) []C {
	tb.Helper()
	file, root := read(tb, suite)
	cases := make([]C, len(root.Cases))
	for i, one := range root.Cases {
		strictly(tb, file, one, &cases[i])
	}
	return cases
}

type file struct {
	Suite   string            `json:"suite"`
	Version int               `json:"version"`
	Config  json.RawMessage   `json:"config"`
	Cases   []json.RawMessage `json:"cases"`
}

func read(tb testing.TB, suite string) (string, file) {
	tb.Helper()
	_, here, _, _ := runtime.Caller(0)
	name := filepath.Join(filepath.Dir(here), "../../../vectors", suite+".json")
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatalf("cannot read a suite of vectors: %v", err)
	}
	var root file
	strictly(tb, name, content, &root)
	return name, root
}

func strictly(tb testing.TB, file string, content []byte, into any) {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		tb.Fatalf("%s: %v in %s", file, err, content)
	}
}
