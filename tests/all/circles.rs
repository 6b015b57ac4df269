//! No circle of files: what a file imports does not import it again, on any way.
//!
//! Names are followed to the file that defines them, through the re-exports of `mod.rs` files. The
//! files of a folder and its own `mod.rs` may use each other: a `mod.rs` calls its files and holds
//! what they share.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{sources, without_tests};

/// A module by its path, such as `["trace", "json"]`.
type Module = Vec<String>;

/// A name that a file imports: its path, and whether the file re-exports it.
struct Import {
    path: Vec<String>,
    name: String,
    is_public: bool,
}

/// A file: its imports, and its code without them.
struct File {
    imports: Vec<Import>,
    code: String,
}

fn module_of(file: &str) -> Module {
    let mut path: Module = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_string)
        .collect();
    if path
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        path.pop();
    }
    path
}

/// The paths of a tree of imports, such as `a::{b, c as d}`.
fn expand(before: &[String], tree: &str, found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    let segments = |text: &str| -> Vec<String> {
        let parts = text.split("::").map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_string)
            .collect()
    };
    if let Some((path, list)) = tree.split_once('{') {
        let before: Vec<String> = before.iter().cloned().chain(segments(path)).collect();
        let (mut depth, mut start) = (0, 0);
        let list = list.strip_suffix('}').unwrap_or(list);
        for (at, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&before, &list[start..at], found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&before, &list[start..], found);
        return;
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_string())),
        None => (tree, None),
    };
    let mut path: Vec<String> = before.iter().cloned().chain(segments(path)).collect();
    if path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    if let Some(last) = path.last().cloned() {
        found.push((path, alias.unwrap_or(last)));
    }
}

fn read(text: &str) -> File {
    let code: Vec<&str> = without_tests(text)
        .map(|(_, line)| line)
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut open: Option<(bool, String)> = None;
    for line in code {
        let start = line.trim_start();
        let public = start
            .strip_prefix("pub")
            .and_then(|after| after.split_once("use "));
        let is_public =
            public.is_some_and(|(before, _)| before.trim().is_empty() || before.starts_with('('));
        let tree = match (&open, start.strip_prefix("use "), public) {
            (None, Some(tree), _) => Some(tree),
            (None, None, Some((_, tree))) if is_public => Some(tree),
            _ => None,
        };
        if let Some(tree) = tree {
            open = Some((is_public, tree.to_string()));
        } else if let Some((_, tree)) = &mut open {
            tree.push_str(start);
        } else {
            rest.push_str(line);
            rest.push('\n');
        }
        if let Some((is_public, tree)) = open.take_if(|(_, tree)| tree.trim_end().ends_with(';')) {
            let mut found = Vec::new();
            expand(&[], tree.trim_end().trim_end_matches(';'), &mut found);
            imports.extend(found.into_iter().map(|(path, name)| Import {
                path,
                name,
                is_public,
            }));
        }
    }
    File {
        imports,
        code: rest,
    }
}

fn is_word(code: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

/// Paths in code: `crate::a::b` and `super::b`.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let words = code.split(|letter: char| !is_part(letter));
    let paths = words.filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    paths
        .map(|path| {
            path.split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_string)
                .collect()
        })
        .collect()
}

struct House(BTreeMap<Module, File>);

impl House {
    /// A path as a module and the names below it; `None` if it leads out of the crate.
    fn absolute(&self, own: &Module, path: &[String]) -> Option<(Module, Vec<String>)> {
        let mut module = own.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                module.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let mut child = own.clone();
                child.push(first.to_string());
                self.0.get(&child)?;
            }
        }
        Some((module, rest.to_vec()))
    }

    /// The file that defines what a path names.
    fn definer(&self, mut module: Module, path: &[String], depth: usize) -> Module {
        let mut rest = path;
        while let Some(first) = rest.first() {
            let mut child = module.clone();
            child.push(first.clone());
            if !self.0.contains_key(&child) {
                break;
            }
            (module, rest) = (child, &rest[1..]);
        }
        let imports = self.0.get(&module).map_or(&[][..], |file| &file.imports);
        let Some(first) = rest.first().filter(|_| depth < 8) else {
            return module;
        };
        let Some(import) = imports.iter().find(|import| import.name == *first) else {
            return module;
        };
        match self.absolute(&module, &import.path) {
            Some((of, path)) => self.definer(of, &path, depth + 1),
            None => module,
        }
    }

    /// The files that a file uses, without its folder's `mod.rs` and, for a `mod.rs`, its folder.
    fn uses(&self, own: &Module, file: &File) -> BTreeSet<Module> {
        // What is only re-exported is not used.
        let used = file
            .imports
            .iter()
            .filter(|import| !import.is_public || is_word(&file.code, &import.name))
            .map(|import| import.path.clone());
        let is_family = |other: &Module| other.starts_with(own) || own.starts_with(other);
        used.chain(inline_paths(&file.code))
            .filter_map(|path| self.absolute(own, &path))
            .map(|(module, path)| self.definer(module, &path, 0))
            .filter(|other| !is_family(other))
            .collect()
    }
}

/// A circle through a file, if there is one.
fn circle(uses: &BTreeMap<Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in way
            .last()
            .and_then(|last| uses.get(last))
            .into_iter()
            .flatten()
        {
            let longer: Vec<Module> = way.iter().cloned().chain([next.clone()]).collect();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

fn circles(sources: &[(String, String)]) -> Vec<String> {
    let files = sources.iter().filter(|(file, _)| file != "main.rs");
    let house = House(
        files
            .map(|(file, text)| (module_of(file), read(text)))
            .collect(),
    );
    let uses: BTreeMap<Module, BTreeSet<Module>> = house
        .0
        .iter()
        .map(|(own, file)| (own.clone(), house.uses(own, file)))
        .collect();
    let shown = |way: Vec<Module>| {
        let names: Vec<String> = way.iter().map(|module| module.join("/")).collect();
        names.join(" -> ")
    };
    uses.keys()
        .filter_map(|start| circle(&uses, start))
        .map(shown)
        .collect()
}

#[test]
fn no_file_imports_itself_through_others() {
    let found = circles(&sources());
    assert!(found.is_empty(), "circles of files:\n{}", found.join("\n"));
}

#[test]
fn a_circle_is_found_through_a_re_export() {
    let file = |name: &str, text: &str| (name.to_string(), text.to_string());
    let mut all = vec![
        file(
            "a/mod.rs",
            "mod one;\nmod two;\npub use one::{One, self as first};\npub use two::Two;\n",
        ),
        file("a/one.rs", "use super::Two;\npub struct One(Two);\n"),
        file("a/two.rs", "pub struct Two;\n"),
    ];
    assert_eq!(circles(&all), Vec::<String>::new());
    all[2].1 = "pub struct Two;\nfn f() -> crate::a::One {}\n".to_string();
    assert_eq!(
        circles(&all),
        ["a/one -> a/two -> a/one", "a/two -> a/one -> a/two"]
    );
}
