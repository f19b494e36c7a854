package workload

// Tally counts what became of one source's sequence numbers.
type Tally struct {
	Received  int64 `json:"received"`
	Missing   int64 `json:"missing"`   // of 0 to the largest number seen, how many never came
	Doubled   int64 `json:"doubled"`   // how many came again
	Reordered int64 `json:"reordered"` // how many came after a larger one

	largest uint64
	seen    map[uint64]*page // by sequence number / pageSize
	last    *page            // the page used last, at index at
	at      uint64
}

// A page notes pageSize sequence numbers, a bit each. Pages come with the numbers, so that one wild
// number costs one page.
const pageSize = 1 << 15

type page [pageSize / 64]uint64

// note takes in a sequence number.
func (t *Tally) note(sequence uint64) {
	if t.Received == 0 {
		t.seen = make(map[uint64]*page)
	}
	t.Received++
	if index := sequence / pageSize; t.last == nil || index != t.at {
		if t.seen[index] == nil {
			t.seen[index] = new(page)
		}
		t.last, t.at = t.seen[index], index
	}
	word, bit := &t.last[sequence%pageSize/64], uint64(1)<<(sequence%64)
	if *word&bit != 0 {
		t.Doubled++
	}
	*word |= bit
	if sequence < t.largest {
		t.Reordered++
	}
	t.largest = max(t.largest, sequence)
	t.Missing = int64(t.largest + 1 - uint64(t.Received-t.Doubled))
}
