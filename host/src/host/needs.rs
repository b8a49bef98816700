//! Which files and connections a host needs, that the rest can be kept from it.

use crate::address::{Endpoint, UnixAddress};
use crate::config::{HostConfig, ListenerConfig, ServiceConfig, Sources};
use crate::confinement::Access;

const DNS_PORT: u16 = 53;

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
