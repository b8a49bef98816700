//! The manual page echo-host.toml(5), about configuration files.

use config::options::{HostSettings, ListenerSettings, Opt, Options, ServiceSettings};
use config::value::Number;
use roff::{Inline, Roff, bold, italic, roman};

const ABOUT: &str = "\
A configuration file is a TOML document. It configures a whole host: keys of the host come first,
then a table [service.NAME] for each service. Relative paths start in the directory of the file. Sizes
are written as 512, \"64KiB\" or \"1MB\", times as \"500ms\", \"1s\" or \"2min\".";

const EXAMPLE: &str = "\
max-connections = 5000

[service.echo]
listen = \"tcp://127.0.0.1:7\"

[service.chat]
handler = \"chat.wasm\"
isolation = \"shared\"

[[service.chat.listen]]
uri = \"tls://0.0.0.0:7000\"
tls-cert = \"example.org.pem\"
tls-key = \"example.org.key\"";

const COMMANDS: &str = "\
echo-host check --config echo-host.toml
echo-host serve --config echo-host.toml
echo-host reload";

/// The page in roff.
pub fn of_file() -> String {
    let version = concat!("echo-host ", env!("CARGO_PKG_VERSION"));
    let mut page = Roff::new();
    page.control("TH", ["echo-host.toml", "5", "", version]);
    page.control("SH", ["NAME"]);
    page.text([roman("echo-host.toml - configuration of echo-host")]);
    page.control("SH", ["SYNOPSIS"]);
    literal(&mut page, COMMANDS);
    page.control("SH", ["DESCRIPTION"]);
    page.text([roman(ABOUT)]);
    page.control("PP", []);
    page.text([
        bold("echo-host check"),
        roman(" shows all mistakes of a file with their places. "),
        bold("echo-host reload"),
        roman(" applies a changed file to a running host. Options of "),
        bold("echo-host serve"),
        roman(" and their variables override keys."),
    ]);
    page.control("SH", ["EXAMPLE"]);
    literal(&mut page, EXAMPLE);
    keys::<HostSettings>(&mut page, "KEYS OF THE HOST");
    keys::<ServiceSettings>(&mut page, "KEYS OF A SERVICE");
    keys::<ListenerSettings>(&mut page, "KEYS OF A LISTENER");
    page.control("SH", ["SEE ALSO"]);
    let pages = ["echo-host-serve", "echo-host-check", "echo-host-reload"];
    let pages = pages
        .into_iter()
        .flat_map(|page| [bold(page), roman("(1), ")]);
    let last = [bold("echo-host"), roman("(1)")];
    page.text(pages.chain(last).collect::<Vec<_>>());
    page.render()
}

fn literal(page: &mut Roff, text: &str) {
    page.control("nf", []);
    page.text([roman(text)]);
    page.control("fi", []);
}

fn keys<S: Options>(page: &mut Roff, title: &str) {
    page.control("SH", [title]);
    let options = S::options().iter().map(|(option, _)| option);
    // The services have keys of their own, which follow.
    for option in options.filter(|option| option.key != "service") {
        page.control("TP", []);
        page.text(value(option));
        page.text([roman(about(option))]);
    }
}

/// The key, and how its value is written.
fn value(option: &Opt) -> Vec<Inline> {
    let name = || italic(option.value_name());
    let mut line = vec![bold(option.key), roman(" = ")];
    line.extend(match option.form.number {
        Number::Switch => vec![roman("true | false")],
        Number::One => match option.form.choices.0 {
            [] => vec![name()],
            names => vec![roman(format!("\"{}\"", names.join("\" | \"")))],
        },
        Number::Many => vec![roman("["), name(), roman(", ...]")],
        Number::Pairs => vec![roman("{ "), name(), roman(", ... }")],
        Number::Tables => vec![roman(format!(
            "[{}]",
            option.about.sample.unwrap_or_default()
        ))],
    });
    line
}

/// What it does, its default, and whether a reload changes it.
fn about(option: &Opt) -> String {
    let mut about = format!("{}.", option.help.replace('`', ""));
    if let Some(default) = option.default_text() {
        about += &format!(" Default: {default}.");
    }
    if option.about.is_fixed {
        about += " Needs a restart.";
    }
    about
}
