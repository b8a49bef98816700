//! Bytes in, bytes out.

/// Makes the crate a responder: a function computes the reply to each message.
///
/// It takes a `Vec<u8>` and returns anything that converts to one: a `Vec<u8>`, a `String`, a
/// `&str`.
///
/// ```
/// echo_host_guest::responder!(respond, framing: "lines", max_message_bytes: 1024);
///
/// fn respond(line: Vec<u8>) -> String {
///     format!("{} bytes\n", line.len())
/// }
/// # fn main() {}
/// ```
///
/// Without further arguments the handler declares nothing, and the operator chooses the framing.
/// The methods of [`About`](crate::About) are the possible arguments.
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

/// Exports a function as `respond`, from a type with the name `Handler`.
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

        // Only for wasm: native linkers, which unit tests use, do not accept all exports' names.
        #[cfg(target_family = "wasm")]
        $crate::bindings::responding::export_responding!(Handler);
        // Marks exports as used, also where they are not exported.
        const _: fn(::std::vec::Vec<u8>) -> ::std::vec::Vec<u8> =
            <Handler as $crate::bindings::responding::Guest>::respond;
    };
}

/// Exports the description of a type with the name `Handler`.
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
