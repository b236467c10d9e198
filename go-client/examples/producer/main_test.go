package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestSplitsParagraphs(t *testing.T) {
	in := bufio.NewScanner(strings.NewReader("\n\nPackage: a\nX: 1\n\n\n\nPackage: b\n\nno name\n"))
	in.Split(splitParagraphs)
	var got []string
	for in.Scan() {
		got = append(got, string(packageOf(in.Bytes()))+"|"+in.Text())
	}

	if want := "a|Package: a\nX: 1;b|Package: b;|no name"; in.Err() != nil || strings.Join(got, ";") != want {
		t.Errorf("%q, %v", got, in.Err())
	}
}
