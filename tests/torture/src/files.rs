//! The directory of the host: its configuration, its handlers, and its other files.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// The handlers, as `cargo xtask build-guests` names them.
const GUESTS: [&str; 9] = [
    "chat", "counter", "echo", "probe", "puppet", "reverse", "rogue", "saboteur", "upper",
];

/// A handler in text form.
const GLUTTON: &str = include_str!("../glutton.wat");

const SERVICES: &str = include_str!("../services.toml");
/// A service that comes and goes.
const VISITOR: &str = "
[service.visitor]
handler = \"upper.wasm\"
listen = [\"tcp://127.0.0.1:0\"]
";
/// The value of a limit, before and after a reload.
const LIMIT: [&str; 2] = ["max-message = \"64KiB\"", "max-message = \"65KiB\""];

/// The service whose handler is replaced by hostile ones for a while.
pub const STAGE: &str = "stage";

/// The expected replies of reverse, in all versions.
const EXCHANGE: &str = "== hello\n> hello\n< olleh\n";

/// A directory, removed on drop.
pub struct Files {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Files {
    /// Writes all files of the host, with handlers from a directory of built ones.
    pub fn write(guests: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let files = Files {
            folder,
            certificate: made.cert.der().clone(),
        };
        for name in GUESTS {
            let from = guests.join(format!("{name}.wasm"));
            fs::copy(&from, files.path(&format!("{name}.wasm")))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        files.put("glutton.wat", GLUTTON)?;
        fs::create_dir(files.path("orders"))?;
        fs::create_dir(files.path("pantry"))?;
        files.put("cert.pem", made.cert.pem())?;
        files.put("key.pem", made.signing_key.serialize_pem())?;
        files.put("reverse.exchange", EXCHANGE)?;
        files.configure(0)?;
        Ok(files)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.path(name)).with_context(|| format!("cannot read {name}"))
    }

    /// Writes a file atomically, by renaming. Returns its path.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let (beside, path) = (self.path("unfinished"), self.path(name));
        fs::write(&beside, content)
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes one of four variants of the configuration: with or without the visiting service, and
    /// with one or the other limit.
    pub fn configure(&self, variant: u8) -> Result<PathBuf> {
        let mut text = SERVICES.to_owned();
        if variant & 1 != 0 {
            text += VISITOR;
        }
        if variant & 2 != 0 {
            text = text.replace(LIMIT[0], LIMIT[1]);
        }
        self.put("echo-host.toml", text)
    }

    /// The host's certificate.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }
}

/// Number of addresses that the host listens on at the start.
pub fn listeners() -> usize {
    SERVICES.matches("uri = ").count()
}

/// Instances that may exist without clients: one per worker in each service that shares them; there
/// are as many workers as cores.
pub fn shared_instances() -> u64 {
    let shared = SERVICES.matches("isolation = \"shared\"").count();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    (shared * workers) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_replaced_is_there() {
        assert_eq!(listeners(), SERVICES.matches("[service.").count() + 5);
        assert_eq!(SERVICES.matches("isolation = \"shared\"").count(), 3);
        assert_eq!(SERVICES.matches(LIMIT[0]).count(), 2);
        assert!(SERVICES.contains(&format!("[service.{STAGE}]")));
    }
}
