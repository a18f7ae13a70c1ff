//! A Rust file as `layers.rs` wants to look at it: the paths that it names, without comments and text.
//!
//! Not a parser: it knows tokens, `use` groups and which modules are open, which is all that a path needs to be
//! resolved. No crate does that without bringing a whole syntax tree.
#![allow(unreachable_pub, reason = "a module of a test binary has no outside")]

use std::path::{Path, PathBuf};

/// A path as it stands in the code, with `crate`, `super` and `self` resolved.
#[derive(Debug)]
pub struct Named {
    pub text: String,
    pub line: usize,
    pub in_test: bool,
}

/// What the rules need to know of a file.
#[derive(Debug, Default)]
pub struct Source {
    pub file: PathBuf,
    pub module: String,
    pub lines: usize,
    pub paths: Vec<Named>,
    pub unsafe_lines: Vec<usize>,
    /// Modules that are declared here for tests only, and live in files of their own.
    pub test_files: Vec<String>,
    pub is_test: bool,
}

impl Source {
    pub fn read(file: &Path, text: &str) -> Source {
        let mut module: Vec<String> =
            file.with_extension("").iter().skip(1).map(|part| part.to_str().unwrap().to_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let source = Source {
            file: file.to_owned(),
            module: module.join("::"),
            lines: text.lines().count(),
            ..Source::default()
        };
        let mut reader = Reader { tokens: tokens(text), at: 0, inline: Vec::new(), module, source };
        reader.run();
        reader.source
    }
}

/// One pass over the tokens of a file.
struct Reader {
    tokens: Vec<(String, usize)>,
    at: usize,
    /// Inline modules that are open: name, depth of braces inside, for tests only.
    inline: Vec<(String, usize, bool)>,
    module: Vec<String>,
    source: Source,
}

impl Reader {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |(token, _)| token.as_str())
    }

    fn run(&mut self) {
        let (mut depth, mut for_tests) = (0, false);
        while self.at < self.tokens.len() {
            let word = self.peek(0).to_owned();
            match word.as_str() {
                "{" => depth += 1,
                "}" => {
                    self.inline.pop_if(|(_, inside, _)| *inside == depth);
                    depth -= 1;
                }
                "#" if (1..7).map(|ahead| self.peek(ahead)).eq(["[", "cfg", "(", "test", ")", "]"]) => {
                    for_tests = true;
                    self.at += 6;
                }
                "mod" if self.peek(2) == "{" => {
                    depth += 1;
                    self.inline.push((self.peek(1).to_owned(), depth, for_tests));
                    self.at += 2;
                }
                "mod" if for_tests => {
                    let here = self.here();
                    self.source
                        .test_files
                        .push([here.as_slice(), &[self.peek(1).to_owned()]].concat().join("::"));
                }
                "unsafe" => self.source.unsafe_lines.push(self.tokens[self.at].1),
                _ if is_name(&word) => {
                    self.tree(&[]);
                    continue;
                }
                _ => {}
            }
            // The attribute belongs to the next item, which may have other attributes and a visibility before it.
            for_tests &= !matches!(word.as_str(), ";" | "{" | "}" | "mod");
            self.at += 1;
        }
    }

    /// Reads a path, or in a `use` the group of paths that it branches into.
    fn tree(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        let line = self.tokens[self.at].1;
        loop {
            match self.peek(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.peek(0), "}" | "") {
                        self.tree(&path);
                        self.at += usize::from(self.peek(0) == ",");
                    }
                    self.at += 1;
                    return;
                }
                word if is_name(word) => path.push(word.to_owned()),
                "*" => path.push("*".to_owned()),
                // Generic arguments, and whatever else the caller wants to look at.
                _ => break,
            }
            self.at += 1;
            if self.peek(0) != "::" {
                break;
            }
            self.at += 1;
        }
        if self.peek(0) == "as" && !before.is_empty() {
            self.at += 2;
        }
        if path.len() > 1 {
            let in_test = self.inline.iter().any(|(_, _, for_tests)| *for_tests);
            let text = self.resolve(&path).join("::");
            self.source.paths.push(Named { text, line, in_test });
        } else if path.is_empty() {
            self.at += 1;
        }
    }

    fn here(&self) -> Vec<String> {
        self.module.iter().chain(self.inline.iter().map(|(name, _, _)| name)).cloned().collect()
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let path: Vec<String> = path
            .iter()
            .enumerate()
            .filter(|(at, word)| *at == 0 || *word != "self")
            .map(|(_, word)| word.clone())
            .collect();
        let mut base = match path[0].as_str() {
            "crate" | "indi_camera" => Vec::new(),
            "self" | "super" => self.here(),
            _ => return path,
        };
        let supers = path.iter().take_while(|word| *word == "super").count();
        base.truncate(base.len().saturating_sub(supers));
        [&["crate".to_owned()], base.as_slice(), &path[supers.max(1)..]].concat()
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::` and single characters with their lines; no comments, no text, no numbers.
fn tokens(text: &str) -> Vec<(String, usize)> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(hashes) = raw_string(rest) {
            let open = rest.find('"').unwrap() + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            open + rest[open..].find(&end).unwrap() + end.len()
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            let second = rest.chars().nth(1).unwrap_or(' ');
            let lifetime = is_name(&second.to_string()) && rest.chars().nth(2) != Some('\'');
            if lifetime { 1 + word_length(&rest[1..]) } else { quoted(rest, '\'') }
        } else if first.is_alphanumeric() || first == '_' {
            let length = word_length(rest);
            if !first.is_numeric() {
                tokens.push((rest[..length].to_owned(), line));
            }
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                tokens.push((rest[..length].to_owned(), line));
            }
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn word_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len())
}

/// Number of hashes when a raw string begins here.
fn raw_string(text: &str) -> Option<usize> {
    let after =
        text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let open = after.trim_start_matches('#');
    open.starts_with('"').then_some(after.len() - open.len())
}

fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return at + 1;
        }
    }
    text.len()
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}
