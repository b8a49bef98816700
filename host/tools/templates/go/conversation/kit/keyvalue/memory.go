//go:build !wasip1

package keyvalue

import (
	"errors"
	"maps"
	"math/big"
	"regexp"
	"slices"
)

// The store of a unit test: its buckets by name.
var buckets = map[string]map[string][]byte{}
var broken error

// Clear deletes all values of a unit test, and lets operations succeed again.
func Clear() {
	clear(buckets)
	broken = nil
}

// Fail lets every operation of a unit test fail, as if Redis did not respond.
func Fail(err error) { broken = err }

type bucket struct{ name string }

var names = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func open(name string) (bucket, error) {
	if !names.MatchString(name) {
		return bucket{}, ErrNoSuchStore
	}
	return bucket{name}, broken
}

func (b bucket) close() {}

func (b bucket) get(key string) ([]byte, bool, error) {
	if broken != nil {
		return nil, false, broken
	}
	value, ok := buckets[b.name][key]
	return slices.Clone(value), ok, nil
}

func (b bucket) set(key string, value []byte) error {
	if buckets[b.name] == nil {
		buckets[b.name] = map[string][]byte{}
	}
	if broken == nil {
		// An empty value is a value.
		buckets[b.name][key] = append([]byte{}, value...)
	}
	return broken
}

func (b bucket) delete(key string) error {
	if broken == nil {
		delete(buckets[b.name], key)
	}
	return broken
}

func (b bucket) exists(key string) (bool, error) {
	_, ok, err := b.get(key)
	return ok, err
}

func (b bucket) increment(key string, by int64) (int64, error) {
	value, ok, err := b.get(key)
	if err != nil {
		return 0, err
	}
	sum := new(big.Int)
	if ok {
		_, ok = sum.SetString(string(value), 10)
	} else {
		ok = true
	}
	if sum.Add(sum, big.NewInt(by)); !ok || !sum.IsInt64() {
		return 0, errors.New("the value, or the result, is not a whole number of 64 bits")
	}
	return sum.Int64(), b.set(key, []byte(sum.String()))
}

func (b bucket) update(key string, change func([]byte) []byte) (bool, error) {
	value, _, err := b.get(key)
	if err != nil {
		return false, err
	}
	if value = change(value); value == nil {
		return false, nil
	}
	return true, b.set(key, value)
}

func (b bucket) keys() ([]string, error) {
	return slices.Collect(maps.Keys(buckets[b.name])), broken
}
