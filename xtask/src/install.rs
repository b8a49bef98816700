//! Installs packages by name and version into a directory of target/, and nowhere else.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{packages, step};

/// Packages of PyPI, into the virtual environment DIR/python.
pub fn python(folder: &Path, packages: &[&str]) -> Result<()> {
    missing(folder, packages, |missing| {
        if !step::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            packages::install(&["python3-venv"], "install packages of PyPI")?;
        }
        let python = folder.join("python");
        if !python.join("bin/python").is_file() {
            let mut venv = Command::new("python3");
            step::run(
                "a Python for packages",
                venv.args(["-m", "venv"]).arg(&python),
            )?;
        }
        let mut pip = Command::new(python.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "install",
        ]);
        step::run(
            &format!("installing {}", missing.join(" ")),
            pip.args(missing),
        )
    })
}

/// Packages of npm, into DIR/node_modules. Their scripts do not run.
pub fn npm(folder: &Path, packages: &[&str]) -> Result<()> {
    missing(folder, packages, |missing| {
        let tools = [("node", "nodejs"), ("npm", "npm")].into_iter();
        let lacking = tools.filter(|(program, _)| !packages::on_path(program));
        let lacking: Vec<&str> = lacking.map(|(_, package)| package).collect();
        if !lacking.is_empty() {
            packages::install(&lacking, "install packages of npm")?;
        }
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
        npm.args(["--ignore-scripts", "--prefix", "."]);
        let what = format!("installing {}", missing.join(" "));
        step::run(&what, npm.args(missing).current_dir(folder))
    })
}

/// A program of crates.io with only these features, into DIR/bin.
pub fn cargo(folder: &Path, package: &str, features: &str) -> Result<()> {
    missing(folder, &[package], |_| {
        let mut cargo = step::cargo();
        cargo.args(["install", "--quiet", "--locked", "--no-default-features"]);
        cargo
            .args(["--features", features, "--root"])
            .arg(folder)
            .arg(package);
        step::run(&format!("installing {package}"), &mut cargo)
    })
}

/// Installs the packages that DIR/installed does not list in this version.
fn missing(
    folder: &Path,
    packages: &[&str],
    install: impl FnOnce(&[&str]) -> Result<()>,
) -> Result<()> {
    let list = folder.join("installed");
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let installed = fs::read_to_string(&list).unwrap_or_default();
    let mut lines: Vec<&str> = installed.lines().collect();
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|it| !lines.contains(it))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)?;
    // Without its version.
    let name = |package: &str| {
        package
            .rsplit_once(['=', '@'])
            .map(|(name, _)| name.to_owned())
    };
    lines.retain(|line| missing.iter().all(|it| name(it) != name(line)));
    lines.extend(&missing);
    fs::write(&list, lines.join("\n")).with_context(|| format!("cannot write {}", list.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    #[test]
    fn a_package_is_installed_once_and_again_in_another_version() {
        let folder = layout::root().join("target/installed-test");
        let _ = fs::remove_dir_all(&folder);
        let installed = |packages: &[&str]| {
            let mut all = Vec::new();
            let install = |missing: &[&str]| {
                all.extend(missing.iter().map(|it| it.to_string()));
                Ok(())
            };
            missing(&folder, packages, install).unwrap();
            all
        };
        assert_eq!(installed(&["a==1", "@b/c@1"]), ["a==1", "@b/c@1"]);
        assert_eq!(installed(&["a==1", "@b/c@2", "d@1"]), ["@b/c@2", "d@1"]);
        assert!(installed(&["d@1", "a==1"]).is_empty());
        assert_eq!(installed(&["@b/c@1"]), ["@b/c@1"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
