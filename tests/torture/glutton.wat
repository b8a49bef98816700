;; A responder that requests more of the host than it may have. The first byte of a message selects
;; the resource; the reply is "!" if the host granted it, and "." if it refused with an error. Most
;; requests must end in a trap.
;;
;;   w  prints 12 MB in one call, without a permit
;;   p  prints 1 MB in one call, without a permit
;;   d  deletes one and a half million keys in one call
;;   l  logs a text of 12 MB in UTF-16
;;   b  opens 70000 buckets
;;   c  begins 20000 compare-and-swaps, each of a key of 1000 bytes
;;   f  opens a file 1000 times
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $output (sub resource)))
    (alias outer 1 $io-error (type $io-error))
    (export "error" (type $error (eq $io-error)))
    (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failed)))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $output)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $output-stream))
    (export "output-stream" (type $output (eq $output-stream)))
    (export "get-stdout" (func (result (own $output))))))
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $levels (enum "trace" "debug" "info" "warn" "error" "critical"))
    (export "level" (type $level (eq $levels)))
    (export "log"
      (func (param "level" $level) (param "context" string) (param "message" string)))))

  (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
    (export "bucket" (type $bucket (sub resource)))
    (type $errors (variant (case "no-such-store") (case "access-denied") (case "other" string)))
    (export "error" (type $error (eq $errors)))
    (export "open"
      (func (param "identifier" string) (result (result (own $bucket) (error $error)))))))
  (alias export $store "bucket" (type $bucket))
  (alias export $store "error" (type $store-error))
  (import "wasi:keyvalue/batch@0.2.0-draft2" (instance $batch
    (alias outer 1 $bucket (type $the-bucket))
    (export "bucket" (type $bucket (eq $the-bucket)))
    (alias outer 1 $store-error (type $the-error))
    (export "error" (type $error (eq $the-error)))
    (export "delete-many"
      (func (param "bucket" (borrow $bucket)) (param "keys" (list string))
        (result (result (error $error)))))))
  (import "wasi:keyvalue/atomics@0.2.0-draft2" (instance $atomics
    (alias outer 1 $bucket (type $the-bucket))
    (export "bucket" (type $bucket (eq $the-bucket)))
    (alias outer 1 $store-error (type $the-error))
    (export "error" (type $error (eq $the-error)))
    (export "cas" (type $cas (sub resource)))
    (export "[static]cas.new"
      (func (param "bucket" (borrow $bucket)) (param "key" string)
        (result (result (own $cas) (error $error)))))))

  (import "wasi:filesystem/types@0.2.0" (instance $files
    (export "descriptor" (type $descriptor (sub resource)))
    (type $errors (enum
      "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist"
      "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
      "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device" "no-entry"
      "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
      "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe"
      "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (export "error-code" (type $error-code (eq $errors)))
    (type $of-path (flags "symlink-follow"))
    (export "path-flags" (type $path-flags (eq $of-path)))
    (type $of-open (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $open-flags (eq $of-open)))
    (type $of-descriptor (flags
      "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync"
      "mutate-directory"))
    (export "descriptor-flags" (type $descriptor-flags (eq $of-descriptor)))
    (export "[method]descriptor.open-at"
      (func (param "self" (borrow $descriptor)) (param "path-flags" $path-flags)
        (param "path" string) (param "open-flags" $open-flags) (param "flags" $descriptor-flags)
        (result (result (own $descriptor) (error $error-code)))))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $the-descriptor))
    (export "descriptor" (type $descriptor (eq $the-descriptor)))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))

  ;; All lists begin in unused memory, which is zero: empty strings, and NUL characters. Data from
  ;; the host is before that.
  (core module $memory-module
    (memory (export "memory") 200)
    (data (i32.const 0x800) "f")
    (global $free (mut i32) (i32.const 0x1000))
    (func (export "realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
      (global.get $free)
      (global.set $free
        (i32.and (i32.const -16)
          (i32.add (global.get $free) (i32.add (local.get $bytes) (i32.const 15)))))))
  (core instance $heap (instantiate $memory-module))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))

  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $log
    (canon lower (func $logging "log") (memory $memory) string-encoding=utf16))
  (core func $open
    (canon lower (func $store "open") (memory $memory) (realloc $realloc)))
  (core func $delete-many
    (canon lower (func $batch "delete-many") (memory $memory) (realloc $realloc)))
  (core func $cas
    (canon lower (func $atomics "[static]cas.new") (memory $memory) (realloc $realloc)))
  (core func $get-directories
    (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
  (core func $open-at
    (canon lower (func $files "[method]descriptor.open-at") (memory $memory)))

  (core module $main
    (import "heap" "memory" (memory 200))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
    (import "host" "open" (func $open (param i32 i32 i32)))
    (import "host" "delete-many" (func $delete-many (param i32 i32 i32 i32)))
    (import "host" "cas" (func $cas (param i32 i32 i32 i32)))
    (import "host" "get-directories" (func $get-directories (param i32)))
    (import "host" "open-at" (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))

    ;; Whether the last call succeeded.
    (func $done (result i32) (i32.eqz (i32.load8_u (i32.const 0x900))))

    (func $bucket (result i32)
      (call $open (i32.const 0x800) (i32.const 1) (i32.const 0x900))
      (if (i32.eqz (call $done)) (then unreachable))
      (i32.load (i32.const 0x904)))

    ;; A handle of the resource that the byte selects: 0 if there is none.
    (func $hold (param $what i32) (param $of i32)
      (if (i32.eq (local.get $what) (i32.const 98)) ;; b
        (then (call $open (i32.const 0x800) (i32.const 1) (i32.const 0x900))))
      (if (i32.eq (local.get $what) (i32.const 99)) ;; c
        (then
          (call $cas (local.get $of) (i32.const 0x20000) (i32.const 1000) (i32.const 0x900))))
      (if (i32.eq (local.get $what) (i32.const 102)) ;; f
        (then
          (call $open-at (local.get $of) (i32.const 0) (i32.const 0x800) (i32.const 1)
            (i32.const 1) (i32.const 3) (i32.const 0x900)))))

    ;; Whether it got this many.
    (func $hoard (param $what i32) (param $of i32) (param $count i32) (result i32)
      (loop
        (call $hold (local.get $what) (local.get $of))
        (if (i32.eqz (call $done)) (then (return (i32.const 0))))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br_if 0 (local.get $count)))
      (i32.const 1))

    (func $folder (result i32)
      (call $get-directories (i32.const 0x900))
      (i32.load (i32.load (i32.const 0x900))))

    (func $does (param $what i32) (result i32)
      (if (i32.eq (local.get $what) (i32.const 119)) ;; w
        (then
          (call $write (call $get-stdout) (i32.const 0x20000) (i32.const 12000000)
            (i32.const 0x900))
          (return (call $done))))
      (if (i32.eq (local.get $what) (i32.const 112)) ;; p
        (then
          (call $write (call $get-stdout) (i32.const 0x20000) (i32.const 1000000)
            (i32.const 0x900))
          (return (call $done))))
      (if (i32.eq (local.get $what) (i32.const 100)) ;; d
        (then
          (call $delete-many (call $bucket) (i32.const 0x20000) (i32.const 1500000)
            (i32.const 0x900))
          (return (call $done))))
      (if (i32.eq (local.get $what) (i32.const 108)) ;; l
        (then
          (call $log (i32.const 2) (i32.const 0x800) (i32.const 0) (i32.const 0x20000)
            (i32.const 6000000))
          (return (i32.const 1))))
      (if (i32.eq (local.get $what) (i32.const 98)) ;; b
        (then (return (call $hoard (local.get $what) (i32.const 0) (i32.const 70000)))))
      (if (i32.eq (local.get $what) (i32.const 99)) ;; c
        (then (return (call $hoard (local.get $what) (call $bucket) (i32.const 20000)))))
      (if (i32.eq (local.get $what) (i32.const 102)) ;; f
        (then (return (call $hoard (local.get $what) (call $folder) (i32.const 1000)))))
      (i32.const 0))

    (func (export "respond") (param $message i32) (param i32) (result i32)
      (i32.store8 (i32.const 0xa00)
        (select (i32.const 33) (i32.const 46) (call $does (i32.load8_u (local.get $message)))))
      (i32.store (i32.const 0xa10) (i32.const 0xa00))
      (i32.store (i32.const 0xa14) (i32.const 1))
      (i32.const 0xa10)))
  (core instance $main-instance (instantiate $main
    (with "heap" (instance $heap))
    (with "host" (instance
      (export "get-stdout" (func $get-stdout))
      (export "write" (func $write))
      (export "log" (func $log))
      (export "open" (func $open))
      (export "delete-many" (func $delete-many))
      (export "cas" (func $cas))
      (export "get-directories" (func $get-directories))
      (export "open-at" (func $open-at))))))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $main-instance "respond") (memory $memory) (realloc $realloc))))
