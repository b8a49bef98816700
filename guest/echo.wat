;; The echo that `echo-host` serves without a handler: world `responder` of wit/worlds.wit, written
;; by hand so that the host needs no Wasm toolchain. It is embedded in the binary as text and loaded
;; like any other handler.
;;
;; It returns the bytes it was given in place: nothing is copied.
(component
  (core module $echo
    ;; Three pages have room for the host's largest read (64 KiB); longer messages grow the memory.
    (memory (export "memory") 3)

    ;; Start of the next allocation. The first eight bytes hold the result of `respond`; messages
    ;; start on a cache line of their own, which suits long copies.
    (global $top (mut i32) (i32.const 64))

    ;; The canonical ABI's allocator. The host allocates once for each message and never resizes, so
    ;; this only moves $top; `forget` frees everything.
    (func (export "realloc")
      (param $old i32) (param $old-size i32) (param $align i32) (param $new-size i32)
      (result i32)
      (local $begin i32) (local $end i32)
      (local.set $begin (global.get $top))
      (local.set $end (i32.add (local.get $begin) (local.get $new-size)))
      ;; Fail if the size wraps around the address space.
      (if (i32.lt_u (local.get $end) (local.get $begin)) (then unreachable))
      (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
        (then
          ;; Whole pages, rounded up; -1 means that the host's memory limit does not allow it.
          (if (i32.eq
                (memory.grow
                  (i32.sub
                    (i32.add (i32.shr_u (i32.sub (local.get $end) (i32.const 1)) (i32.const 16))
                             (i32.const 1))
                    (memory.size)))
                (i32.const -1))
            (then unreachable))))
      (global.set $top (local.get $end))
      (local.get $begin))

    ;; A list is a pointer and a length. So is the result, in memory at the returned address.
    (func (export "respond") (param $message i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $message))
      (i32.store (i32.const 4) (local.get $length))
      (i32.const 0))

    ;; Called when the host has read the reply.
    (func (export "forget") (param $result i32)
      (global.set $top (i32.const 64))))

  (core instance $instance (instantiate $echo))

  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $instance "respond")
      (memory $instance "memory")
      (realloc (func $instance "realloc"))
      (post-return (func $instance "forget")))))
