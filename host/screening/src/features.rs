//! Finds the Wasm feature that a component needs and this host does not support, so that the error
//! can name it.
//!
//! Only used for components that passed screening and did not compile.

use std::fmt;
use wasmparser::{Validator, WasmFeatures};

/// All features that the compiler may support.
pub fn offered() -> WasmFeatures {
    LEFT_OUT
        .iter()
        .fold(WasmFeatures::all(), |offered, feature| {
            offered - feature.flag
        })
}

/// A feature that the host does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    flag: WasmFeatures,
    name: &'static str,
    way_out: &'static str,
}

/// In the order of reporting: a feature comes before the ones it builds on.
const LEFT_OUT: [Feature; 12] = [
    Feature {
        flag: WasmFeatures::CM_ASYNC,
        name: "the component model's async (WASI 0.3)",
        way_out: "build it for WASI 0.2 (wasm32-wasip2), without async functions, streams and futures",
    },
    Feature {
        flag: WasmFeatures::CM_ERROR_CONTEXT,
        name: "the component model's error contexts",
        way_out: "build it for WASI 0.2 (wasm32-wasip2)",
    },
    Feature {
        flag: WasmFeatures::CM_MAP,
        name: "the component model's maps",
        way_out: "use a list of pairs",
    },
    Feature {
        flag: WasmFeatures::CM_FIXED_LENGTH_LISTS,
        name: "the component model's lists of a fixed length",
        way_out: "use a tuple, or a list of any length",
    },
    Feature {
        flag: WasmFeatures::LEGACY_EXCEPTIONS,
        name: "exceptions (legacy)",
        way_out: EXCEPTIONS_WAY_OUT,
    },
    Feature {
        flag: WasmFeatures::EXCEPTIONS,
        name: "exceptions",
        way_out: EXCEPTIONS_WAY_OUT,
    },
    Feature {
        flag: WasmFeatures::SHARED_EVERYTHING_THREADS,
        name: "shared functions and tables",
        way_out: THREADS_WAY_OUT,
    },
    Feature {
        flag: WasmFeatures::THREADS,
        name: "shared memories (threads)",
        way_out: THREADS_WAY_OUT,
    },
    Feature {
        flag: WasmFeatures::STACK_SWITCHING,
        name: "stack switching",
        way_out: "build it without coroutines and effects",
    },
    Feature {
        flag: WasmFeatures::GC,
        name: "garbage-collected types (the gc proposal)",
        way_out: "use a compiler that keeps its objects in linear memory",
    },
    Feature {
        flag: WasmFeatures::FUNCTION_REFERENCES,
        name: "typed references",
        way_out: "call functions through tables; in C omit -mgc and -mreference-types",
    },
    Feature {
        flag: WasmFeatures::GC_TYPES,
        name: "references to objects of the host (externref)",
        way_out: "use handles of the component model; in C avoid __externref_t (-mno-reference-types)",
    },
];

const EXCEPTIONS_WAY_OUT: &str = "build C++ with -fno-exceptions, C without setjmp (no -mllvm -wasm-enable-sjlj), \
                                  Rust with panic=abort";
const THREADS_WAY_OUT: &str =
    "build it without -pthread and -matomics, in Rust without -C target-feature=+atomics";

impl Feature {
    /// The feature without which this component is invalid, if there is one.
    pub fn missed_by(component: &[u8]) -> Option<Feature> {
        let is_valid = |features| {
            Validator::new_with_features(features)
                .validate_all(component)
                .is_ok()
        };
        if !is_valid(WasmFeatures::all()) {
            return None;
        }
        // Removed one by one, each after the features that build on it.
        let mut rest = WasmFeatures::all();
        LEFT_OUT.into_iter().find(|feature| {
            rest -= feature.flag;
            !is_valid(rest)
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Feature { name, way_out, .. } = self;
        write!(
            f,
            "{name}, which this host does not support; hint: {way_out}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(module: &str) -> Option<&'static str> {
        let component = wat::parse_str(format!("(component (core module {module}))")).unwrap();
        Feature::missed_by(&component).map(|feature| feature.name)
    }

    #[test]
    fn the_feature_that_is_missing_is_found() {
        for (module, name) in [
            ("(tag (param i32))", "exceptions"),
            (
                "(type (struct (field i32)))",
                "garbage-collected types (the gc proposal)",
            ),
            ("(type (func)) (func (param (ref 0)))", "typed references"),
            (
                "(table 1 externref)",
                "references to objects of the host (externref)",
            ),
            ("(memory 1 2 shared)", "shared memories (threads)"),
        ] {
            assert_eq!(missed(module), Some(name), "{module}");
        }
        for module in ["(memory 1)", "(table 1 funcref)", "(memory i64 1)"] {
            assert_eq!(missed(module), None, "{module}");
        }
        assert_eq!(Feature::missed_by(b"\0asm"), None);
    }
}
