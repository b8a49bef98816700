//! Files that a host reads while it serves are opened by its helper, not by the process with
//! clients.

use super::injection::{Argument, Stopped};
use super::inside::serve;
use crate::fixture::echo_host;
use crate::swap::post::Folder;
use crate::swap::versions::signer;
use nix::libc;
use std::ffi::CString;

#[test]
fn the_serving_process_can_not_open_even_what_was_named() {
    let folder = Folder::new();
    let handler = folder.put("handler", signer("v1"));
    let control = folder.path("host.sock");
    let mut host = serve(&[&handler, "--control", &control]);
    let thread = Stopped::new(host.id().cast_signed()).unwrap();
    let path = CString::new(handler).unwrap().into_bytes_with_nul();
    let arguments = [
        Argument::Number(i64::from(libc::AT_FDCWD).cast_unsigned()),
        Argument::Bytes(path),
        Argument::Number(0),
    ];
    assert_eq!(thread.call(libc::SYS_openat, &arguments), Err(libc::EACCES));
    drop(thread);
    // Still, it serves its next version.
    folder.put("handler", signer("v2"));
    let swapped = echo_host(&["swap", "--control", &control]);
    assert!(swapped.stdout.starts_with("generation 2"), "{swapped:?}");
    host.kill().unwrap();
    host.wait().unwrap();
}
