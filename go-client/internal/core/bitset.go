package core

import "math/bits"

// bitset is a set of small numbers, of a fixed size.
type bitset []uint64

func newBitset(size int) bitset { return make(bitset, (size+63)/64) }

func (s bitset) get(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }
func (s bitset) set(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s bitset) clear(i int)    { s[i>>6] &^= 1 << (i & 63) }

func (s bitset) count() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// next returns the first member from i on, or -1.
func (s bitset) next(i int) int {
	for w := i >> 6; w < len(s); w++ {
		word := s[w]
		if w == i>>6 {
			word &= ^uint64(0) << (i & 63)
		}
		if word != 0 {
			return w<<6 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// ranges visits the runs of members, both ends inclusive.
func (s bitset) ranges(visit func(first, last int)) {
	for first := s.next(0); first >= 0; {
		last := first
		for last+1 < len(s)*64 && s.get(last+1) {
			last++
		}
		visit(first, last)
		first = s.next(last + 1)
	}
}
