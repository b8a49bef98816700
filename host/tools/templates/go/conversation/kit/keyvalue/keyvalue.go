// Package keyvalue has values that outlive an instance (wasi:keyvalue): other instances and
// versions of the handler find them, in the host's memory or in Redis. Operations take effect at
// once, also in a callback that fails afterwards. In a unit test the values are in memory: see
// Clear and Fail.
package keyvalue

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// ErrNoSuchStore means that there is no bucket with this name.
var ErrNoSuchStore = errors.New("there is no bucket with this name")

// ErrAccessDenied means that the handler has no access to the bucket.
var ErrAccessDenied = errors.New("access to the bucket is denied")

// Bucket is a set of keys with their values.
type Bucket struct{ store bucket }

// Open opens a bucket. The host has one for each name of up to 64 letters, digits, -, _ and dots.
func Open(name string) (*Bucket, error) {
	store, err := open(name)
	if err != nil {
		return nil, err
	}
	return &Bucket{store}, nil
}

// Close frees the bucket's handle. Its values stay.
func (b *Bucket) Close() { b.store.close() }

// Get is the value of a key, and whether it has one.
func (b *Bucket) Get(key string) ([]byte, bool, error) { return b.store.get(key) }

// GetText is the value of a key as text, and whether it has one. Other bytes than UTF-8 are an
// error.
func (b *Bucket) GetText(key string) (string, bool, error) {
	value, ok, err := b.Get(key)
	if err == nil && !utf8.Valid(value) {
		err = fmt.Errorf("the value of `%s` is not UTF-8", key)
	}
	if err != nil {
		return "", false, err
	}
	return string(value), ok, nil
}

// Set sets the value of a key.
func (b *Bucket) Set(key string, value []byte) error { return b.store.set(key, value) }

// SetText sets the value of a key to a text.
func (b *Bucket) SetText(key, value string) error { return b.Set(key, []byte(value)) }

// Delete deletes a key and its value. It does nothing if the key has none.
func (b *Bucket) Delete(key string) error { return b.store.delete(key) }

// Exists says whether a key has a value.
func (b *Bucket) Exists(key string) (bool, error) { return b.store.exists(key) }

// Increment adds to a value that is a decimal number, and returns the sum. A missing value counts
// as 0. No other instance can interfere.
func (b *Bucket) Increment(key string, by int64) (int64, error) { return b.store.increment(key, by) }

// Update replaces a value by one that depends on it, and says whether it did. The function gets the
// value, or nil, and returns the new one, or nil to leave it. If another instance changes the value
// in between, the function is called again.
func (b *Bucket) Update(key string, change func(value []byte) []byte) (bool, error) {
	return b.store.update(key, change)
}

// Keys are all keys, sorted. A key that is set or deleted meanwhile may be among them or not.
func (b *Bucket) Keys() ([]string, error) {
	keys, err := b.store.keys()
	slices.Sort(keys)
	return slices.Compact(keys), err
}
