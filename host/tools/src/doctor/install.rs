//! The commands that install missing tools on this machine.

use super::machine::{Machine, number};
use super::needs::{Source, Tool};

/// What installs a tool here. Asks for no password and runs nothing.
pub fn command(machine: &Machine, tool: &Tool) -> String {
    if let Some(package) = tool.package.filter(|it| is_new_enough(machine, tool, it)) {
        let sudo = if rustix::process::geteuid().is_root() {
            ""
        } else {
            "sudo "
        };
        return format!("{sudo}apt-get install {package}");
    }
    match tool.source {
        // Otherwise pip refuses: the system's package manager owns this Python.
        Source::Pip(package) if machine.manages_python() => {
            format!("python3 -m pip install --break-system-packages {package}")
        }
        source => source.general(),
    }
}

/// The tools to install, each after the one that installs it.
pub fn with_installers<'a>(machine: &Machine, missing: Vec<&'a Tool>) -> Vec<&'a Tool> {
    let mut all: Vec<&Tool> = Vec::new();
    for tool in missing {
        let is_packaged = tool
            .package
            .is_some_and(|it| is_new_enough(machine, tool, it));
        let installer = tool.source.installer().filter(|_| !is_packaged);
        let installer = installer.filter(|installer| !machine.has(installer));
        for next in installer.into_iter().chain([tool]) {
            if all.iter().all(|it| it.name != next.name) {
                all.push(next);
            }
        }
    }
    all
}

/// Whether apt-get would install a version that works. Without package lists, only a tool of which
/// every version works.
fn is_new_enough(machine: &Machine, tool: &Tool, package: &str) -> bool {
    if machine.program("apt-get").is_none() {
        return false;
    }
    match (tool.minimum, machine.candidate(package)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(minimum), Some(candidate)) => number(&candidate).is_some_and(|it| it >= minimum),
    }
}
