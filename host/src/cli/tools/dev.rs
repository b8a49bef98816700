//! `echo-host dev`.

use crate::cli::exit::tell_with_hints;
use crate::cli::printable::tell;
use crate::cli::serve::{self, ServeArgs};
use crate::cli::tools::trial::Trials;
use anyhow::Context;
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;
use system::watch::Watch;
use tokio::runtime::{Builder, Runtime};
use tools::project::Project;

/// Build and serve a handler, again after every change
///
/// Run it in a directory that `new` created. The output of the build and of the handler appear in
/// one stream. If a build fails, the last good version keeps serving. Open connections move to the
/// new version if they can. Then the exchanges of handler.toml are played with it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DevArgs {
    /// Directory of the handler, with its handler.toml
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Options for serve, such as --listen tcp://127.0.0.1:7000
    #[arg(last = true, value_name = "OPTIONS OF SERVE")]
    serve: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host new shout --lang rust --tier responder && cd shout
  echo-host dev                                  build and serve on tcp://127.0.0.1:8888
  echo-host dev -- --listen tcp://127.0.0.1:0 --env MOTD=hello
  telnet 127.0.0.1 8888                          in another terminal, while you edit";

pub fn run(args: &DevArgs) -> anyhow::Result<()> {
    // Changes are reported with absolute paths.
    let folder = args.folder.canonicalize().with_context(|| {
        format!(
            "cannot open the handler directory {}",
            args.folder.display()
        )
    })?;
    let mut bench = Workbench::open(&folder)?;
    // Nothing can be served before the first good build. The first wait returns at once: everything
    // counts as changed.
    loop {
        bench.wait();
        if bench.build() {
            break;
        }
    }
    let options = served(&bench.project, &args.serve);
    let serve = ServeArgs::from_options(&options);
    let trials = Trials::begin(&bench.project, &serve)?;
    if let Some(trials) = &trials {
        trials.built(Trials::before_all());
    }
    // The thread ends with the process, and so does a running build.
    thread::Builder::new()
        .name("build".to_owned())
        .spawn(move || {
            loop {
                bench.wait();
                let before = trials.as_ref().map(Trials::before);
                if bench.build() {
                    trials
                        .iter()
                        .zip(before)
                        .for_each(|(it, before)| it.built(before));
                }
            }
        })
        .context("cannot start the build thread")?;
    serve::run_for_author(&serve, &options)
}

/// A handler's directory, watched for changes.
struct Workbench {
    project: Project,
    watch: Watch,
    runtime: Runtime,
}

impl Workbench {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let project = Project::read(folder)?;
        let watch = Watch::trees(project.watch.clone()).with_context(|| {
            let watched = project.watch.iter().map(|path| path.display().to_string());
            let watched: Vec<_> = watched.collect();
            format!("cannot watch {}", watched.join(", "))
        })?;
        Ok(Workbench {
            project,
            watch,
            runtime: Builder::new_current_thread().enable_time().build()?,
        })
    }

    /// Whether the build succeeded; the host notices the new version by itself.
    fn build(&self) -> bool {
        tell("dev", &format!("building: {}", self.project.build));
        let begun = Instant::now();
        let built = self.project.build();
        let seconds = begun.elapsed().as_secs_f64();
        match &built {
            Ok(()) => tell("dev", &format!("built in {seconds:.1} s")),
            Err(error) => tell_with_hints("dev", &error.to_string(), "; waiting for a change"),
        }
        built.is_ok()
    }

    fn wait(&mut self) {
        self.runtime.block_on(self.watch.changed());
    }
}

/// The options for `serve`: those of the user, and defaults that suit development.
fn served(project: &Project, options: &[OsString]) -> Vec<OsString> {
    let mut served: Vec<OsString> = vec![project.output.clone().into(), "--watch".into()];
    let says = |name: &str| {
        let mut options = options.iter().filter_map(|option| option.to_str());
        options.any(|option| option.split('=').next() == Some(name))
    };
    let mut unless_said = |name: &str, value: &str| {
        if !says(name) {
            served.extend([name.into(), value.into()]);
        }
    };
    unless_said("--isolation", &project.isolation.to_string());
    if let Some(framing) = &project.framing {
        unless_said("--framing", &framing.to_string());
    }
    unless_said("--swap", "migrate");
    // After the first version, compiled functions are in memory. With a cache on disk, the first
    // edit would have to compile all of them, and edits need not be kept.
    unless_said("--cache", "off");
    // A confined process could not run the build.
    unless_said("--sandbox", "off");
    // The author of the handler decides what it imports.
    for beginning in ["wasi:", "echo-host:"] {
        served.extend(["--allow-import".into(), beginning.into()]);
    }
    served.extend_from_slice(options);
    served
}
