//! Which files and connections a host needs, that the rest can be kept from it.

use crate::address::{Endpoint, UnixAddress};
use crate::config::{HostConfig, ListenerConfig, ServiceConfig, Sources};
use crate::confinement::Access;
use crate::keyvalue::StoreUri;
use std::env;
use std::path::Path;

const DNS_PORT: u16 = 53;

/// Where systems have the certificates of authorities, and what those are links to.
const CERTIFICATES: [&str; 5] = [
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];

/// What a host with this configuration does with files, as far as that can be known beforehand.
pub fn needs(sources: &Sources, config: &HostConfig) -> Access {
    let mut access = Access::default();
    sources.file.iter().for_each(|file| access.read_file(file));
    let folders = config.sandbox_read.iter();
    folders.for_each(|folder| access.read(folder));
    config.cache.iter().for_each(|cache| access.write(cache));
    config
        .metrics
        .iter()
        .for_each(|place| of_place(&mut access, place));
    if sources.tls_is_given {
        let files = sources.listener.tls_files();
        files.for_each(|file| access.read_file(file));
    }
    for service in &config.services {
        of_service(&mut access, service);
        service
            .listen
            .iter()
            .for_each(|door| of_door(&mut access, door));
    }
    access
}

fn of_service(access: &mut Access, service: &ServiceConfig) {
    let serve = &service.serve;
    let files = serve.handler.files().iter();
    let files = files.chain(serve.trust.key_files());
    let files = files.chain(&serve.swap.probes);
    files.for_each(|file| access.read_file(file));
    let granted = serve.grants.directories.iter();
    granted.for_each(|directory| access.write(&directory.host));
    serve.grants.ports().for_each(|port| access.connect(port));
    if serve.grants.ports().next().is_some() {
        // Long answers about names come by TCP (RFC 7766).
        access.connect(DNS_PORT);
    }
    if let StoreUri::Redis(uri) = &serve.grants.keyvalue.uri
        && uri.is_tls()
    {
        certificates(access);
    }
}

/// Those of the authorities that this system trusts.
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

fn of_door(access: &mut Access, door: &ListenerConfig) {
    let tls = door.tls.iter().flat_map(|tls| tls.files());
    tls.for_each(|file| access.read_file(file));
    of_place(access, &door.uri);
}

fn of_place(access: &mut Access, place: &Endpoint) {
    if let Endpoint::Unix(UnixAddress::Path(path)) = place {
        access.bind(path);
    }
}
