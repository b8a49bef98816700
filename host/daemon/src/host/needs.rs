//! The files and connections that a host needs, so that the sandbox can deny the rest.

use address::{Endpoint, UnixAddress};
use config::{HostConfig, ListenerConfig, ServiceConfig, Sources};
use engine::Wipe;
use keyvalue::StoreUri;
use std::env;
use std::path::Path;
use system::confinement::Access;
use system::opening::Names;
use system::trust::signature_of;

const DNS_PORT: u16 = 53;

/// The paths of CA certificates on common systems, and the targets of their links.
const CERTIFICATES: [&str; 5] = [
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];

/// The files that a host with this configuration opens by name while it serves.
pub fn names(sources: &Sources, config: &HostConfig) -> Names {
    let mut names = Names::default();
    sources.file.iter().for_each(|file| names.file(file));
    let folders = config.sandbox_read.iter();
    folders.for_each(|folder| names.folder(folder));
    // Inherited sockets may be served with TLS too.
    sources
        .listener
        .tls_files()
        .for_each(|file| names.file(file));
    for service in &config.services {
        let serve = &service.serve;
        for file in serve.handler.files() {
            names.file(file);
            names.file(&signature_of(file));
        }
        let files = serve.trust.key_files().iter().chain(&serve.swap.probes);
        files.for_each(|file| names.file(file));
        let tls = service.listen.iter().flat_map(|listener| &listener.tls);
        tls.flat_map(|tls| tls.files())
            .for_each(|file| names.file(file));
    }
    names
}

/// The access that a host with this configuration needs, as far as it is known at the start.
/// Without the files opened by name, if it `has_helper` to open them.
pub fn needs(sources: &Sources, config: &HostConfig, has_helper: bool) -> Access {
    let mut access = Access::default();
    if !has_helper {
        read_by_name(&mut access, sources, config);
    }
    config.cache.iter().for_each(|cache| access.write(cache));
    if config.wipe == Wipe::Scan {
        access.scan();
    }
    config
        .metrics
        .iter()
        .for_each(|endpoint| of_endpoint(&mut access, endpoint));
    for service in &config.services {
        of_service(&mut access, service);
        service
            .listen
            .iter()
            .for_each(|listener| of_door(&mut access, listener));
    }
    access
}

/// The folders of all files opened by name.
fn read_by_name(access: &mut Access, sources: &Sources, config: &HostConfig) {
    let names = names(sources, config);
    names.files().for_each(|file| access.read_file(file));
    names.folders().for_each(|folder| access.read(folder));
}

fn of_service(access: &mut Access, service: &ServiceConfig) {
    let serve = &service.serve;
    let granted = serve.grants.directories.iter();
    granted.for_each(|directory| {
        if directory.is_writable {
            access.write(&directory.host)
        } else {
            access.read(&directory.host)
        }
    });
    serve.grants.ports().for_each(|port| access.connect(port));
    if serve.grants.ports().next().is_some() {
        // Long DNS replies use TCP (RFC 7766).
        access.connect(DNS_PORT);
    }
    if let StoreUri::Redis(uri) = &serve.grants.keyvalue.uri
        && uri.is_tls()
    {
        certificates(access);
    }
}

/// The CA certificates of this system.
fn certificates(access: &mut Access) {
    CERTIFICATES
        .iter()
        .for_each(|it| access.read(Path::new(it)));
    if let Some(file) = env::var_os("SSL_CERT_FILE") {
        access.read_file(Path::new(&file));
    }
    if let Some(folder) = env::var_os("SSL_CERT_DIR") {
        access.read(Path::new(&folder));
    }
}

fn of_door(access: &mut Access, listener: &ListenerConfig) {
    of_endpoint(access, &listener.uri);
}

fn of_endpoint(access: &mut Access, endpoint: &Endpoint) {
    if let Endpoint::Unix(UnixAddress::Path(path)) = endpoint {
        access.bind(path);
    }
}
