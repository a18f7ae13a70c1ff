//! The walls between the modules, read from the sources: who may name whom, who may touch the world, how long a file
//! may get. A failure says which line goes too far; the tables below say what is allowed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed read is a failed test")]

#[path = "support/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Per module the paths of this crate that it may name, beside itself. The longest fitting entry counts. What is
/// absent is the point: hardware does not know INDI, the device does not know hardware, pixels know nobody.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("image", &[]),
    ("property", &["wire"]),
    ("camera", &["image"]),
    (
        "device",
        &[
            "property",
            "wire",
            "camera::types",
            "camera::call",
            "camera::error",
            "camera::wish",
            "camera::json",
            "camera::answer",
            "image",
        ],
    ),
    (
        "hub",
        &[
            "property",
            "wire",
            "camera::types",
            "camera::error",
            "camera::call",
            "camera::json",
            "camera::answer",
        ],
    ),
    ("backend", &["camera", "image"]),
    // Pages, and the example backend that they show.
    ("guide", &["backend", "camera", "image"]),
    ("delivery", &["image", "wire", "device::job", "host", "camera::types"]),
    ("host", &["wire", "device::job"]),
    ("host::relay", &["camera::types"]),
    // Runs recordings on the device, as the driver runs it; whoever asks for that names `flight::rerun` alone.
    ("flight", &["device", "wire", "camera::types", "camera::call"]),
    (
        "driver",
        &[
            "hub",
            "flight::record",
            "host",
            "delivery",
            "backend",
            "camera",
            "device",
            "property",
            "wire",
            "image",
        ],
    ),
    // Never the inside of the driver: the client is for any camera.
    (
        "client",
        &[
            "wire",
            "camera::types",
            "camera::call",
            "camera::error",
            "camera::wish",
            "camera::json",
            "camera::answer",
            "image",
        ],
    ),
    ("bin::indi_camera_ccd", &["driver"]),
    // A face on the client, never on the driver's inside; files of its own appear whole, as those of the driver do.
    // Spools are verified where no driver runs.
    (
        "bin::indi-camera",
        &["client", "camera", "image", "wire", "host::draft", "host::spool::verify", "flight::rerun"],
    ),
    // The crate root only lists its modules.
    ("", &[]),
];

/// Modules that take time and everything else as arguments, so that a test can be the world.
const PURE: &[&str] = &[
    "device",
    "hub",
    "property",
    "wire",
    "image",
    "camera::types",
    "camera::call",
    "camera::error",
    "camera::limits",
    "camera::arguments",
    "camera::wish",
    "camera::json",
    "camera::answer",
    "client::mirror",
    "client::vector",
    "client::tracker",
    "client::progress",
    "client::info",
];

/// What a pure module never names. Their tests may: they read files to compare with.
const WORLD: &[&str] = &[
    "tokio",
    "rustix",
    "std::thread",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::os::unix::net",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
];

/// Where `unsafe` may stand: mapped memory, and vendors' libraries.
const UNSAFE: &[&str] = &["delivery::blob", "backend"];

/// Most lines of a file before it wants splitting by concern.
const MOST_LINES: usize = 400;
/// Tables, which are read by looking things up.
const TABLES: &[&str] = &["property::keys"];

#[test]
fn no_forbidden_arrow() {
    check(|source| {
        let entries = ARROWS.iter().filter(|(module, _)| within(&source.module, module));
        let (own, allowed) =
            entries.max_by_key(|(module, _)| module.len()).expect("the root fits everything");
        if own.is_empty() && !source.module.is_empty() {
            return vec![format!(
                "{}: module {} is not in the table of arrows",
                source.file.display(),
                source.module
            )];
        }
        let is_allowed = |to| {
            let inside = !own.is_empty() && within(to, own);
            inside || allowed.iter().any(|module| within(to, module))
        };
        let arrows = source.paths.iter().filter_map(|path| Some((path, path.text.strip_prefix("crate::")?)));
        arrows
            .filter(|(_, to)| !is_allowed(to))
            .map(|(path, to)| format!("{}:{}: {own} must not name {to}", source.file.display(), path.line))
            .collect()
    });
}

#[test]
fn pure_modules_stay_out_of_the_world() {
    check(|source| {
        if source.is_test || !PURE.iter().any(|module| within(&source.module, module)) {
            return Vec::new();
        }
        let paths = source
            .paths
            .iter()
            .filter(|path| !path.in_test && WORLD.iter().any(|word| names(&path.text, word)));
        paths.map(|path| format!("{}:{}: names {}", source.file.display(), path.line, path.text)).collect()
    });
}

#[test]
fn unsafe_stays_at_the_edges() {
    check(|source| {
        let allowed = UNSAFE.iter().any(|module| within(&source.module, module));
        let lines = source.unsafe_lines.iter().filter(|_| !allowed);
        lines.map(|line| format!("{}:{line}: unsafe", source.file.display())).collect()
    });
}

#[test]
fn files_stay_short() {
    check(|source| {
        let long = source.lines > MOST_LINES && !TABLES.contains(&source.module.as_str());
        long.then(|| format!("{}: {} lines, more than {MOST_LINES}", source.file.display(), source.lines))
            .into_iter()
            .collect()
    });
}

/// Without this one, an extractor that reads nothing would make all others pass.
#[test]
fn the_extractor_sees_what_stands_there() {
    let text = r##"
        //! [`crate::comment`] and use crate::comment;
        use crate::{a::{self, B, c::*}, d as e};   /* crate::block /* crate::nested */ */
        use std::{fs, time::{Instant, SystemTime}};
        pub(crate) fn f<'a>(x: &'a crate::g::H) -> char { super::super::i::j(r#"crate::"raw"#, "\"crate::text"); '"' }
        fn now() { let t = Instant::now(); unsafe { t } }
        #[allow(unsafe_code)]
        #[cfg(test)]
        mod tests { use super::*; use super::super::k; fn f() { std::thread::spawn(crate::l::m) } }
        fn after() { indi_camera::n::o::<u8>(); std::thread::yield_now() }
        #[cfg(test)] mod elsewhere;
    "##;
    let source = Source::read(Path::new("src/x/y.rs"), text);
    assert_eq!(source.module, "x::y");
    let found: BTreeSet<&str> = source.paths.iter().map(|path| path.text.as_str()).collect();
    let arrows: Vec<&str> = found.iter().copied().filter(|path| path.starts_with("crate")).collect();
    let expected = ["a", "a::B", "a::c::*", "d", "g::H", "i::j", "l::m", "n::o", "x::k", "x::y::*"];
    assert_eq!(arrows, expected.map(|path| format!("crate::{path}")));
    for path in ["std::fs", "std::time::Instant", "std::time::SystemTime", "Instant::now"] {
        assert!(found.contains(path), "{path} in {found:?}");
    }
    let threads: Vec<bool> = source
        .paths
        .iter()
        .filter(|path| names(&path.text, "std::thread"))
        .map(|path| path.in_test)
        .collect();
    assert_eq!(threads, [true, false]);
    assert_eq!(source.unsafe_lines, [6]);
    assert_eq!(source.test_files, ["x::y::elsewhere"]);

    let real = sources();
    let known = real.iter().find(|source| source.module == "device::job").expect("src/device/job.rs is read");
    assert!(
        known.paths.iter().any(|path| path.text == "crate::camera::types::ExposureId"),
        "{:?}",
        known.paths
    );
}

/// Runs one rule over every source file and reports all offences at once.
fn check(rule: impl Fn(&Source) -> Vec<String>) {
    let offences: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Whether `path` is `module` or inside it.
fn within(path: &str, module: &str) -> bool {
    module.is_empty()
        || path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether `path` begins with `word`, or ends with it as in `time::Instant::now`.
fn names(path: &str, word: &str) -> bool {
    within(path, word) || path.strip_suffix(word).is_some_and(|before| before.ends_with("::"))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source::read(&path, &fs::read_to_string(root.join(&path)).unwrap()));
            }
        }
    }
    let tests: Vec<String> = sources.iter().flat_map(|source| source.test_files.clone()).collect();
    for source in &mut sources {
        source.is_test = tests.iter().any(|test| within(&source.module, test));
    }
    sources
}
