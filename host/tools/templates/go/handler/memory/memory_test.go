package memory

import (
	"runtime"
	"testing"
)

func TestGarbageIsCollectedNowAndThen(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10_000 {
		Collect(1000)
	}
	runtime.ReadMemStats(&after)
	if collected := after.NumGC - before.NumGC; collected < 5 || collected > 20 {
		t.Errorf("collected %d times", collected)
	}
}
