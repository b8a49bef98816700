//! Bytes in, bytes out.

/// Makes the crate a responder: a function computes the reply to each message.
///
/// It takes a `Vec<u8>` and returns what becomes one: another, a `String`, a `&str`.
///
/// ```
/// use echo_host_guest::Framing;
///
/// echo_host_guest::responder!(respond, framing: Framing::Lines, max_message_bytes: 1024);
///
/// fn respond(line: Vec<u8>) -> String {
///     format!("{} bytes\n", line.len())
/// }
/// # fn main() {}
/// ```
///
/// With nothing behind the function the handler declares nothing, and the operator chooses how messages are cut. What
/// else can be said are the methods of [`About`](crate::About).
#[macro_export]
macro_rules! responder {
    ($respond:path $(,)?) => {
        const _: () = {
            $crate::__respond!($respond);
        };
    };
    ($respond:path, $($key:ident: $value:expr),+ $(,)?) => {
        const _: () = {
            $crate::__respond!($respond);
            $crate::__describe!($($key: $value),+);
        };
    };
}

/// Exports a function as `respond`, from a type that is called `Handler`.
#[doc(hidden)]
#[macro_export]
macro_rules! __respond {
    ($respond:path) => {
        struct Handler;

        impl $crate::bindings::responding::Guest for Handler {
            fn respond(message: ::std::vec::Vec<u8>) -> ::std::vec::Vec<u8> {
                $crate::logging::start();
                ::std::convert::Into::into($respond(message))
            }
        }

        // Only for wasm: a native linker, which unit tests use, has no way to spell all exports' names.
        #[cfg(target_family = "wasm")]
        $crate::bindings::responding::export_responding!(Handler);
        // What is exported is used, even where it is not.
        const _: fn(::std::vec::Vec<u8>) -> ::std::vec::Vec<u8> =
            <Handler as $crate::bindings::responding::Guest>::respond;
    };
}

/// Exports what is said about a type that is called `Handler`.
#[doc(hidden)]
#[macro_export]
macro_rules! __describe {
    ($($key:ident: $value:expr),*) => {
        impl $crate::bindings::describing::manifest::Guest for Handler {
            fn describe() -> $crate::bindings::describing::manifest::About {
                $crate::logging::start();
                let about = $crate::About::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
                about$(.$key($value))*.into()
            }
        }

        #[cfg(target_family = "wasm")]
        $crate::bindings::describing::export_describing!(Handler);
        const _: fn() -> $crate::bindings::describing::manifest::About =
            <Handler as $crate::bindings::describing::manifest::Guest>::describe;
    };
}
