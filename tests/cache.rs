//! Compiled code is cached, and trusted only where nobody else could have written it.

use crate::fixture::{Finished, echo_host, guest, run};
use nix::unistd::Uid;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn call(cache: &Path) -> Finished {
    let finished = echo_host(&[
        "call",
        &guest("upper"),
        "hello",
        "--cache",
        cache.to_str().unwrap(),
    ]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "HELLO"),
        "{finished:?}"
    );
    finished
}

/// The compiled code in a cache, in all its directories.
fn code(cache: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![cache.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() && fs::metadata(&path).unwrap().len() > 0 {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_component_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("to/be/made");
    assert_eq!(call(&cache).stderr, "");
    assert_eq!(
        fs::metadata(&cache).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let [compiled] = &code(&cache)[..] else {
        panic!("{:?}", code(&cache))
    };
    let written = fs::metadata(compiled).unwrap().modified().unwrap();
    call(&cache);
    assert_eq!(fs::metadata(compiled).unwrap().modified().unwrap(), written);
    assert_eq!(code(&cache).len(), 1);
}

#[test]
fn code_that_is_damaged_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path());
    let [compiled] = &code(folder.path())[..] else {
        panic!()
    };
    let good = fs::read(compiled).unwrap();
    for bad in [&b""[..], b"not code", &good[..good.len() / 2]] {
        fs::write(compiled, bad).unwrap();
        call(folder.path());
    }
}

#[test]
fn what_was_kept_for_another_handler_or_another_version_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path());
    let [compiled] = &code(folder.path())[..] else {
        panic!()
    };
    // Another compiler version, or another component, uses another path.
    let version = compiled.parent().unwrap();
    fs::rename(version, version.with_file_name("wasmtime-1.0.0")).unwrap();
    call(folder.path());
    assert_eq!(code(folder.path()).len(), 2);
    let cache = folder.path().to_str().unwrap();
    let other = echo_host(&["call", &guest("echo"), "hello", "--cache", cache]);
    assert_eq!(other.stdout, "hello", "{other:?}");
    assert_eq!(code(folder.path()).len(), 3);
}

#[test]
fn whatever_the_umask_is_what_was_compiled_is_found_again() {
    for mask in ["002", "007", "000", "077", "277"] {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        for _ in 0..2 {
            let script = "umask $1; exec \"$2\" call \"$3\" hello --cache \"$4\"";
            let mut command = Command::new("sh");
            command.args(["-c", script, "sh", mask, env!("CARGO_BIN_EXE_echo-host")]);
            command.arg(guest("upper")).arg(&cache);
            let finished = run(&mut command, b"");
            let expected = (Some(0), "HELLO", "");
            let found = (finished.code, &*finished.stdout, &*finished.stderr);
            assert_eq!(found, expected, "umask {mask}");
        }
        assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
        assert_eq!(code(&cache).len(), 1);
    }
}

#[test]
fn a_cache_that_is_read_only_is_told_once_and_still_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let cache = folder.path().join("cache");
    let called = |handler: &str| {
        let mut call = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        call.args(["call", handler, "hello", "--cache"]).arg(&cache);
        if Uid::current().is_root() {
            // Root may write anywhere.
            call.uid(65534).gid(65534);
        }
        run(&mut call, b"")
    };
    fs::create_dir(&cache).unwrap();
    if Uid::current().is_root() {
        chown(&cache, Some(65534), Some(65534)).unwrap();
    }
    fs::set_permissions(&cache, Permissions::from_mode(0o700)).unwrap();
    let first = called("upper");
    assert_eq!(
        (first.stdout.as_str(), first.stderr.as_str()),
        ("HELLO", "")
    );
    let kept = code(&cache).len();
    fs::set_permissions(&cache, Permissions::from_mode(0o500)).unwrap();
    for handler in ["upper", "hello"] {
        let called = called(handler);
        assert_eq!(called.code, Some(0), "{called:?}");
        let told = called.stderr.matches("cannot write to").count();
        assert_eq!(told, 1, "{called:?}");
    }
    assert_eq!(kept, 1);
    fs::set_permissions(&cache, Permissions::from_mode(0o700)).unwrap();
}

/// The cache is not used, for this reason, and the handler is served.
#[track_caller]
fn assert_not_used(cache: &Path, reason: &str) {
    let before = code(cache).len();
    let called = call(cache);
    assert!(called.stderr.contains(reason), "{reason}: {called:?}");
    assert_eq!(called.stderr.lines().count(), 1, "{called:?}");
    assert_eq!(code(cache).len(), before);
}

#[test]
fn a_folder_that_others_may_write_to_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    for mode in [0o777, 0o770, 0o702] {
        fs::create_dir(&cache).unwrap();
        fs::set_permissions(&cache, Permissions::from_mode(mode)).unwrap();
        let reason = format!("other users may write to {}", cache.display());
        assert_not_used(&cache, &reason);
        fs::remove_dir(&cache).unwrap();
    }
    // Nor a directory that others can replace; with the sticky bit they cannot.
    call(&cache);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let reason = format!("other users may write to {}\n", folder.path().display());
    assert_not_used(&cache, &reason);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(call(&cache).stderr, "");
    // A link is as trustworthy as its target.
    let link = folder.path().join("link");
    symlink(&cache, &link).unwrap();
    assert_eq!(call(&link).stderr, "");
    fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    assert_not_used(&link, "other users may write to");
}

#[test]
fn nothing_within_may_be_others_or_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    call(&cache);
    let compiled = code(&cache).remove(0);
    // Others cannot change what they cannot enter.
    fs::set_permissions(&compiled, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(call(&cache).stderr, "");
    fs::set_permissions(&compiled, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&cache, Permissions::from_mode(0o755)).unwrap();
    for path in [&compiled, compiled.parent().unwrap()] {
        let mode = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(0o757)).unwrap();
        assert_not_used(
            &cache,
            &format!("other users may write to {}", path.display()),
        );
        fs::set_permissions(path, mode).unwrap();
    }
    assert_eq!(call(&cache).stderr, "");
    if Uid::current().is_root() {
        // The same group, which has other members.
        let shared = folder.path().join("shared");
        fs::create_dir(&shared).unwrap();
        chown(&shared, None, Some(4242)).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o770)).unwrap();
        let script = "exec setpriv --regid 4242 --keep-groups \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_echo-host"), "call"]);
        command.args([&guest("upper"), "hello", "--cache"]);
        let refused = run(command.arg(shared.join("cache")), b"");
        let reason = format!("other users may write to {}", shared.display());
        assert!(refused.stderr.contains(&reason), "{refused:?}");
    }
    let link = cache.join("modules/link");
    symlink(folder.path(), &link).unwrap();
    let reason = format!("{} is neither a file nor a directory", link.display());
    let called = call(&cache);
    assert!(called.stderr.contains(&reason), "{called:?}");
    fs::remove_file(link).unwrap();
    if Uid::current().is_root() {
        for path in [compiled.as_path(), &cache, folder.path()] {
            chown(path, Some(4242), None).unwrap();
            assert_not_used(&cache, &format!("{} belongs to user 4242", path.display()));
            chown(path, Some(0), None).unwrap();
        }
        assert_eq!(call(&cache).stderr, "");
    } else {
        // Owned by another user, as all system files are.
        let etc = call(Path::new("/usr/lib"));
        assert!(etc.stderr.contains("belongs to user 0"), "{etc:?}");
    }
}

/// Calls a handler with a cache on a separate file system, mounted with these options.
fn call_on(options: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o \"$1\" none \"$2\" && exec \"$3\" call \"$4\" hello --cache \"$2/cache\"";
    let mut unshare = Command::new("unshare");
    unshare.arg(if Uid::current().is_root() {
        "-m"
    } else {
        "-Urm"
    });
    unshare.args(["sh", "-c", script, "sh", options]);
    unshare.arg(folder.path());
    unshare.args([env!("CARGO_BIN_EXE_echo-host"), &guest("upper")]);
    run(&mut unshare, b"")
}

#[test]
fn a_full_or_read_only_disk_only_costs_time() {
    let room = call_on("size=16m,mode=700");
    assert_eq!((room.stdout.as_str(), room.code), ("HELLO", Some(0)));
    // Room for the directory, but none for code.
    let full = call_on("size=4k,mode=700");
    assert_eq!((full.stdout.as_str(), full.code), ("HELLO", Some(0)));
    let read_only = call_on("ro,mode=700");
    assert_eq!(
        (read_only.stdout.as_str(), read_only.code),
        ("HELLO", Some(0))
    );
    assert!(
        read_only.stderr.contains("Read-only file system"),
        "{read_only:?}"
    );
}

#[test]
fn without_a_usable_folder_it_works_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(call(&file).stderr.contains("cannot cache compiled code in"));
    assert_eq!(call(Path::new("off")).stderr, "");
    assert!(!Path::new("off").exists());
}
