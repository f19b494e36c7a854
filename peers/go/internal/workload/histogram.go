package workload

import (
	"encoding/json"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The contract's range of a histogram, in nanoseconds, and its significant digits.
const (
	shortest = 1
	longest  = 3_600_000_000_000
	digits   = 3
)

// Histogram counts durations. Values beyond its range count as its end.
type Histogram struct{ counts *hdrhistogram.Histogram }

func newHistogram() Histogram { return Histogram{hdrhistogram.New(shortest, longest, digits)} }

// note counts a duration in nanoseconds.
func (h Histogram) note(ns int64) { _ = h.counts.RecordValue(min(max(ns, shortest), longest)) }

// MarshalJSON gives the encoded form "V2, compressed, base64".
func (h Histogram) MarshalJSON() ([]byte, error) {
	text, err := h.counts.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(text))
}
