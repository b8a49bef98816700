//! Handlers that are served only with a pinned hash or a trusted signature: with the keys and
//! signatures of the real minisign.

use crate::fixture::{Finished, Host, echo_host, guest, run, tool};
use crate::swap::post::{Folder, Post};
use crate::swap::versions::signer;
use std::fs;
use std::process::Command;

/// The start of log lines about refused swaps.
const REFUSED: &str = "swap refused, keeping the old handler";

fn sha256sum(path: &str) -> String {
    let summed = run(Command::new("sha256sum").arg(path), b"");
    summed.stdout.split(' ').next().unwrap().to_owned()
}

fn minisign(args: &[&str]) {
    let signed = run(tool("minisign").args(args), b"");
    assert_eq!(signed.code, Some(0), "{signed:?}");
}

/// A signer.
struct Signer {
    folder: Folder,
}

impl Signer {
    fn new() -> Self {
        let signer = Signer {
            folder: Folder::new(),
        };
        minisign(&["-G", "-W", "-p", &signer.file(), "-s", &signer.secret()]);
        signer
    }

    fn secret(&self) -> String {
        self.folder.path("secret")
    }

    /// The file of the public key.
    fn file(&self) -> String {
        self.folder.path("public")
    }

    /// The public key itself.
    fn key(&self) -> String {
        let text = fs::read_to_string(self.file()).unwrap();
        text.lines().nth(1).unwrap().to_owned()
    }

    /// Signs a file; its signature is then beside it.
    fn sign(&self, path: &str, more: &[&str]) {
        let unfinished = self.folder.path("signature");
        let args = ["-S", "-s", &self.secret(), "-m", path, "-x", &unfinished];
        minisign(&[&args[..], more].concat());
        fs::rename(unfinished, format!("{path}.minisig")).unwrap();
    }
}

#[track_caller]
fn assert_refused(finished: &Finished, reason: &str) {
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert!(finished.is_one_error(), "{finished:?}");
    assert!(finished.stderr.contains(reason), "{reason}: {finished:?}");
}

/// All commands that load a handler print this error, with the same words.
#[track_caller]
fn assert_refused_everywhere(handler: &str, option: [&str; 2], reason: &str) {
    let checked = echo_host(&["check", handler, option[0], option[1]]);
    assert_refused(&checked, reason);
    let called = echo_host(&["call", handler, "x", option[0], option[1]]);
    assert_eq!(called.stderr, checked.stderr);
    let serve = ["serve", handler, "--listen", "tcp://127.0.0.1:0"];
    let served = echo_host(&[&serve[..], &option].concat());
    assert_refused(&served, reason);
    assert_eq!(served.stdout, "");
}

#[test]
fn a_handler_that_is_pinned_is_served_and_no_other() {
    let (upper, echo) = (guest("upper"), guest("echo"));
    let pins = format!("{},{}", sha256sum(&echo), sha256sum(&upper).to_uppercase());
    let host = Host::serve(&[&upper, "--require-sha256", &pins]);
    assert_eq!(host.connect().ask("hello"), "HELLO");
    let pin = sha256sum(&echo);
    let reason = format!(
        "has SHA-256 {}, but --require-sha256 allows only {pin}",
        sha256sum(&upper)
    );
    assert_refused_everywhere(&upper, ["--require-sha256", &pin], &reason);
    // The pin is the hash of the file, not of the compiled code.
    let folder = Folder::new();
    let text = folder.put("handler.wat", signer("v1"));
    let checked = echo_host(&["check", &text, "--require-sha256", &sha256sum(&text)]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    // The host's own echo is as trusted as the host.
    let host = Host::serve(&["--require-sha256", &pin]);
    assert_eq!(host.connect().ask("hello"), "hello");
}

#[test]
fn every_stage_of_a_pipeline_is_checked() {
    let (reverse, upper) = (guest("reverse"), guest("upper"));
    let [first, second] = [&reverse, &upper].map(|path| sha256sum(path));
    let pipeline = [&reverse, "--then", &upper, "--require-sha256", &first];
    let both = [&pipeline[..], &["--require-sha256", &second]].concat();
    assert_eq!(Host::serve(&both).connect().ask("hello"), "OLLEH");
    let serve = ["serve", "--listen", "tcp://127.0.0.1:0"];
    let refused = echo_host(&[&serve[..], &pipeline].concat());
    assert_refused(&refused, &format!("{upper}: has SHA-256 {second}"));
}

#[test]
fn what_is_no_hash_and_no_key_is_a_mistake_of_the_configuration() {
    let folder = Folder::new();
    let serve = |text: &str| {
        let config = folder.put("echo-host.toml", format!("[service.a]\n{text}\n"));
        echo_host(&["check", "--config", &config])
    };
    folder.put("no.pub", "untrusted comment: no key\nRWQ\n");
    for (text, reason) in [
        (
            "require-sha256 = ['12']",
            "^^^^ expected a SHA-256 as 64 hexadecimal digits",
        ),
        ("require-signature = ['']", "^^ expected a minisign key"),
        (
            "require-signature = ['RWQtypo']",
            "RWQtypo` is neither a minisign key nor a file with one",
        ),
        ("require-signature = ['no.pub']", "no minisign key in"),
    ] {
        let refused = serve(text);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
}

#[test]
fn a_handler_must_be_signed_as_it_is_by_the_right_one() {
    let (right, wrong) = (Signer::new(), Signer::new());
    let folder = Folder::new();
    let handler = folder.put("handler.wat", signer("v1"));
    let option = ["--require-signature", &right.file()];
    assert_refused_everywhere(&handler, option, "has no signature (--require-signature)");

    right.sign(&handler, &["-t", "made for the test"]);
    // By its file, and by its value; one of several is enough.
    for keys in [vec![right.file()], vec![wrong.key(), right.key()]] {
        let keys: Vec<_> = keys
            .iter()
            .flat_map(|key| ["--require-signature", key])
            .collect();
        let args = [&[handler.as_str(), "--framing", "lines"][..], &keys].concat();
        let host = Host::serve(&args);
        host.wait_for_log("valid signature: made for the test");
        assert_eq!(host.connect().ask("x"), "v1 x");
    }
    let other = ["--require-signature", &wrong.key()];
    let reason = "is signed with a key that --require-signature does not name";
    assert_refused_everywhere(&handler, other, reason);

    folder.put("handler.wat", signer("v2"));
    assert_refused_everywhere(&handler, option, "does not match its signature");
    right.sign(&handler, &["-l"]);
    assert_refused_everywhere(
        &handler,
        option,
        "has a signature in minisign's legacy format",
    );
    right.sign(&handler, &["-t", "what is trusted"]);
    let signature = folder.path("handler.wat.minisig");
    let whole = fs::read_to_string(&signature).unwrap();
    for (text, reason) in [
        (
            whole.replace("what is trusted", "what is not"),
            "does not match its signature",
        ),
        (
            whole[..whole.len() / 2].to_owned(),
            "has an invalid or truncated signature",
        ),
        (String::new(), "has an unreadable signature: it is empty"),
        (
            whole.repeat(100),
            "has an unreadable signature: it is larger than",
        ),
    ] {
        folder.put("handler.wat.minisig", text);
        assert_refused_everywhere(&handler, option, reason);
    }
}

#[test]
fn a_swap_needs_both_the_handler_and_its_signature() {
    let key = Signer::new();
    let folder = Folder::new();
    let handler = folder.put("handler", signer("v1"));
    key.sign(&handler, &[]);
    let args = ["--framing", "lines", "--require-signature", &key.key()];
    let post = Post::serve_from(folder, &args);

    post.put(signer("v2"));
    assert_refused(&post.run(&["swap"]), "does not match its signature");
    post.host.wait_for_log(REFUSED);
    let other = post.folder.put("other", signer("v3"));
    assert_refused(&post.run(&["swap", &other]), "has no signature");
    assert_eq!(post.host.connect().ask("x"), "v1 x");
    key.sign(&handler, &[]);
    assert_eq!(post.run(&["swap"]).code, Some(0));
    assert_eq!(post.host.connect().ask("x"), "v2 x");
    key.sign(&other, &[]);
    assert_eq!(post.run(&["swap", &other]).code, Some(0));
    assert_eq!(post.host.connect().ask("x"), "v3 x");
    // The version to go back to was checked when it was loaded.
    assert_eq!(post.roll_back(), 2);
    assert_eq!(post.host.connect().ask("x"), "v2 x");
}

#[test]
fn a_handler_that_is_watched_waits_for_its_signature() {
    let key = Signer::new();
    let folder = Folder::new();
    let handler = folder.put("handler", signer("v1"));
    key.sign(&handler, &[]);
    let args = ["--framing", "lines", "--watch", "--require-signature"];
    let post = Post::serve_from(folder, &[&args[..], &[&key.file()]].concat());
    post.put(signer("v2"));
    let log = post.host.wait_for_log(REFUSED);
    assert!(log.contains("does not match its signature"), "{log}");
    assert_eq!(post.host.connect().ask("x"), "v1 x");
    key.sign(&handler, &[]);
    post.wait_for_generation(2);
    assert_eq!(post.host.connect().ask("x"), "v2 x");
}

#[test]
fn after_a_reload_with_another_pin_there_is_no_way_back() {
    let folder = Folder::new();
    let handler = folder.put("handler", signer("v1"));
    let config = |hash: &str| {
        format!(
            "[service.a]\nhandler = 'handler'\nframing = 'lines'\nlisten = ['tcp://127.0.0.1:0']\n\
             require-sha256 = [{hash}]\n"
        )
    };
    let file = folder.put("echo-host.toml", config(""));
    let control = folder.path("host.sock");
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["serve", "--config", &file, "--control", &control]);
    let host = Host::start_as_it_is(&mut command, 1);
    let order = |args: &[&str]| echo_host(&[args, &["--control", &control]].concat());

    folder.put("handler", signer("v2"));
    assert_eq!(order(&["swap"]).code, Some(0));
    let pinned = sha256sum(&handler);
    folder.put("echo-host.toml", config(&format!("'{pinned}'")));
    assert_eq!(order(&["reload"]).code, Some(0));
    assert_refused(
        &order(&["swap", "--rollback"]),
        "there is no previous generation",
    );
    folder.put("handler", signer("v3"));
    let reason = format!("allows only {pinned}");
    assert_refused(&order(&["swap"]), &reason);
    let refused = order(&["reload"]);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains(&reason), "{refused:?}");
    assert_eq!(host.connect().ask("x"), "v2 x");
}
