//! The contract in Rust, as `wit-bindgen` writes it, in the parts that handlers are put together from: a responder
//! that says what it is exports two of them. Each is a world of its own here, and the component's is their union.

#![allow(missing_docs, reason = "the contract is documented in its own files")]

/// What a responder exports.
pub mod responding {
    wit_bindgen::generate!({
        path: "wit",
        world: "responder",
        pub_export_macro: true,
        export_macro_name: "export_responding",
        default_bindings_module: "echo_host_guest::bindings::responding",
    });
}

/// What a handler exports that says what it is.
pub mod describing {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package echo-host:guest;
            world describing { export echo-host:handler/manifest@0.1.0; }
        ",
        pub_export_macro: true,
        export_macro_name: "export_describing",
        default_bindings_module: "echo_host_guest::bindings::describing",
        with: { "echo-host:handler/types@0.1.0": crate::bindings::types },
    });
    pub use exports::echo_host::handler::manifest;
}

/// What a conversation imports and exports besides.
pub mod conversing {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package echo-host:guest;
            world conversing {
                import echo-host:handler/connections@0.1.0;
                export echo-host:handler/conversation@0.1.0;
            }
        ",
        pub_export_macro: true,
        export_macro_name: "export_conversing",
        default_bindings_module: "echo_host_guest::bindings::conversing",
        additional_derives: [PartialEq, Eq],
        generate_all,
    });
    pub use exports::echo_host::handler::conversation;
}

/// What a handler imports that logs.
#[cfg(all(feature = "log", target_family = "wasm"))]
pub mod logging {
    wit_bindgen::generate!({
        path: "wit/deps/logging.wit",
        world: "imports",
    });
    pub use wasi::logging::logging;
}

pub use conversing::echo_host::handler::{connections, types};
