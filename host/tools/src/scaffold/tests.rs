use super::*;
use crate::project::Project;
use engine::{HandlerKind, Isolation, Language};
use std::collections::BTreeSet;

const TIERS: [HandlerKind; 4] = [
    HandlerKind::Responder,
    HandlerKind::FramedResponder,
    HandlerKind::Conversation,
    HandlerKind::Program,
];

/// Every scaffold, with a name of two words.
fn scaffolds() -> impl Iterator<Item = Scaffold> {
    let tiers = Language::ALL
        .into_iter()
        .flat_map(|language| TIERS.map(|tier| Start::Tier(language, tier)));
    tiers
        .chain(Template::ALL.map(Start::Template))
        .map(|start| Scaffold {
            name: "two-words".parse().unwrap(),
            start,
        })
}

/// The files below a folder of the repository, without links.
fn below(folder: &str) -> BTreeSet<String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut found = BTreeSet::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_symlink() => {}
                _ => {
                    let path = entry.path();
                    let path = path.strip_prefix(&base).unwrap();
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn no_file_is_forgotten() {
    let named = |templates: &[(&str, &str)]| -> BTreeSet<String> {
        templates
            .iter()
            .map(|(path, _)| (*path).to_owned())
            .collect()
    };
    let mut contract = below("wit");
    // Documentation.
    contract.remove("README.md");
    assert_eq!(named(templates::WIT), contract);
    assert_eq!(named(templates::SDK), below("guest/sdk"));
    let mut there = below("host/tools/templates");
    there.retain(|path| !path.starts_with("exchanges/"));
    assert_eq!(named(templates::TEMPLATES), there);
    let exchanges = below("host/tools/templates/exchanges");
    assert_eq!(named(templates::EXCHANGES), exchanges);
}

#[test]
fn every_folder_is_complete() {
    for scaffold in scaffolds() {
        let files = scaffold.files();
        let paths: BTreeSet<_> = files.iter().map(|file| &*file.path).collect();
        assert_eq!(
            paths.len(),
            files.len(),
            "{scaffold:?}: twice the same path"
        );
        for path in [
            "README.md",
            ".gitignore",
            "handler.toml",
            "two-words.exchange",
        ] {
            assert!(paths.contains(path), "{scaffold:?}: {path}");
        }
        let has_contract = paths.iter().any(|path| path.ends_with("wit/worlds.wit"));
        assert_eq!(
            has_contract,
            scaffold.start.tier() != HandlerKind::Program,
            "{scaffold:?}"
        );
        for file in files {
            let left = str::from_utf8(&file.content).is_ok_and(|text| text.contains("{{"));
            assert!(!left, "{scaffold:?}: {}", file.path);
        }
    }
}

#[test]
fn every_folder_is_a_project() {
    for scaffold in scaffolds() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("two-words");
        scaffold.write(&folder).unwrap();
        let project = Project::read(&folder).unwrap();
        assert_eq!(project.exchanges, [folder.join("two-words.exchange")]);
        daemon::exchange_file::read(&project.exchanges[0]).unwrap();
        for watched in &project.watch {
            assert!(watched.exists(), "{scaffold:?}: {watched:?}");
        }
        let shared = project.isolation == Isolation::Shared;
        assert_eq!(shared, scaffold.start.is_shared(), "{scaffold:?}");
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert_eq!(
            readme.contains("--isolation shared"),
            shared,
            "{scaffold:?}"
        );
        assert!(readme.contains(&project.build), "{scaffold:?}");
    }
}

#[test]
fn an_existing_folder_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let scaffold = scaffolds().next().unwrap();
    let error = scaffold.write(parent.path()).unwrap_err();
    assert!(matches!(error, ScaffoldError::Exists { .. }));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}
