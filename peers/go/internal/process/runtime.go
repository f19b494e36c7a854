package process

import (
	"math"
	"runtime/metrics"
)

// Quantiles are of durations in nanoseconds. The runtime counts in buckets: each is the upper end of one.
type Quantiles struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// About is what Go's runtime says of itself since the start of the process.
type About struct {
	Cycles uint64    `json:"gc_cycles"`
	Pauses Quantiles `json:"gc_pause_ns"`
	Sched  Quantiles `json:"sched_ns"` // runnable goroutines that waited for a processor
}

// Runtime asks.
func Runtime() About {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/latencies:seconds"},
	}
	metrics.Read(samples)
	about := About{}
	if value := samples[0].Value; value.Kind() == metrics.KindUint64 {
		about.Cycles = value.Uint64()
	}
	about.Pauses, about.Sched = quantiles(samples[1].Value), quantiles(samples[2].Value)
	return about
}

func quantiles(value metrics.Value) (q Quantiles) {
	if value.Kind() != metrics.KindFloat64Histogram {
		return q
	}
	seconds := value.Float64Histogram()
	var total, seen uint64
	for _, n := range seconds.Counts {
		total += n
	}
	for i, n := range seconds.Counts {
		if n == 0 {
			continue
		}
		end := seconds.Buckets[i+1]
		if math.IsInf(end, 1) {
			end = seconds.Buckets[i]
		}
		ns := int64(end * 1e9)
		if 2*seen < total {
			q.P50 = ns
		}
		if 100*seen < 99*total {
			q.P99 = ns
		}
		q.Max = ns
		seen += n
	}
	return q
}
