package keyvalue

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func visits(t *testing.T) *Bucket {
	Clear()
	bucket, err := Open("visits")
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

func TestValuesAreKeptByBucketAndKey(t *testing.T) {
	bucket := visits(t)
	other, _ := Open("other")
	for _, err := range []error{bucket.SetText("b", "text"), bucket.Set("a", []byte{0xff}), other.SetText("c", "")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if text, ok, err := bucket.GetText("b"); text != "text" || !ok || err != nil {
		t.Errorf("%q, %v, %v", text, ok, err)
	}
	if _, _, err := bucket.GetText("a"); err == nil {
		t.Error("it is text")
	}
	if _, ok, _ := bucket.GetText("c"); ok {
		t.Error("it is another's")
	}
	if value, ok, _ := other.Get("c"); value == nil || !ok {
		t.Error("an empty value is none")
	}
	if keys, _ := bucket.Keys(); !slices.Equal(keys, []string{"a", "b"}) {
		t.Errorf("%q", keys)
	}
	bucket.Delete("a")
	if exists, _ := bucket.Exists("a"); exists {
		t.Error("it exists")
	}
}

func TestNumbersAreCounted(t *testing.T) {
	bucket := visits(t)
	for _, by := range []int64{1, -3} {
		bucket.Increment("ada", by)
	}
	if sum, err := bucket.Increment("ada", 0); sum != -2 || err != nil {
		t.Errorf("%d, %v", sum, err)
	}
	if _, err := bucket.Increment("ada", math.MinInt64); err == nil {
		t.Error("it overflows")
	}
	bucket.SetText("ada", "many")
	if _, err := bucket.Increment("ada", 1); err == nil {
		t.Error("it is a number")
	}
}

func TestAValueIsReplacedByOneThatDependsOnIt(t *testing.T) {
	bucket := visits(t)
	longer := func(value []byte) []byte { return append(value, 'x') }
	for range 2 {
		if done, err := bucket.Update("key", longer); !done || err != nil {
			t.Errorf("%v, %v", done, err)
		}
	}
	if done, _ := bucket.Update("key", func([]byte) []byte { return nil }); done {
		t.Error("it replaced it")
	}
	if text, _, _ := bucket.GetText("key"); text != "xx" {
		t.Errorf("%q", text)
	}
}

func TestAStoreCanBeMissingOrBroken(t *testing.T) {
	bucket := visits(t)
	if _, err := Open("no such name"); !errors.Is(err, ErrNoSuchStore) {
		t.Errorf("%v", err)
	}
	silent := errors.New("Redis does not respond")
	Fail(silent)
	defer Clear()
	if _, err := bucket.Increment("ada", 1); !errors.Is(err, silent) {
		t.Errorf("%v", err)
	}
	if err := bucket.SetText("ada", ""); !errors.Is(err, silent) {
		t.Errorf("%v", err)
	}
}
