package keyvalue

import (
	"errors"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/wasi_keyvalue_atomics"
	"wit_component/wasi_keyvalue_store"
)

// The store of the host.
type bucket struct{ handle *wasi_keyvalue_store.Bucket }

func open(name string) (bucket, error) {
	handle, err := unpack(wasi_keyvalue_store.Open(name))
	return bucket{handle}, err
}

func (b bucket) close() { b.handle.Drop() }

func (b bucket) get(key string) ([]byte, bool, error) {
	value, err := unpack(b.handle.Get(key))
	return value.SomeOr(nil), err == nil && value.IsSome(), err
}

func (b bucket) set(key string, value []byte) error {
	_, err := unpack(b.handle.Set(key, value))
	return err
}

func (b bucket) delete(key string) error {
	_, err := unpack(b.handle.Delete(key))
	return err
}

func (b bucket) exists(key string) (bool, error) {
	return unpack(b.handle.Exists(key))
}

func (b bucket) increment(key string, by int64) (int64, error) {
	return unpack(wasi_keyvalue_atomics.Increment(b.handle, key, by))
}

// update compares and swaps until no other instance has interfered.
func (b bucket) update(key string, change func([]byte) []byte) (bool, error) {
	cas, err := unpack(wasi_keyvalue_atomics.CasNew(b.handle, key))
	for err == nil {
		var current Option[[]byte]
		if current, err = unpack(cas.Current()); err != nil {
			break
		}
		value := change(current.SomeOr(nil))
		if value == nil {
			cas.Drop()
			return false, nil
		}
		swapped := wasi_keyvalue_atomics.Swap(cas, value)
		if swapped.IsOk() {
			return true, nil
		}
		if failed := swapped.Err(); failed.Tag() == wasi_keyvalue_atomics.CasError_CasFailed {
			cas = failed.CasFailed()
		} else {
			err = reason(failed.StoreError())
		}
	}
	return false, err
}

func (b bucket) keys() ([]string, error) {
	var keys []string
	cursor := None[string]()
	for {
		page, err := unpack(b.handle.ListKeys(cursor))
		if err != nil {
			return nil, err
		}
		keys = append(keys, page.Keys...)
		if cursor = page.Cursor; cursor.IsNone() {
			return keys, nil
		}
	}
}

// unpack returns the value of a result, or its error.
func unpack[T any](result Result[T, wasi_keyvalue_store.Error]) (value T, err error) {
	if result.IsErr() {
		return value, reason(result.Err())
	}
	return result.Ok(), nil
}

func reason(err wasi_keyvalue_store.Error) error {
	switch err.Tag() {
	case wasi_keyvalue_store.Error_NoSuchStore:
		return ErrNoSuchStore
	case wasi_keyvalue_store.Error_AccessDenied:
		return ErrAccessDenied
	}
	return errors.New(err.Other())
}
