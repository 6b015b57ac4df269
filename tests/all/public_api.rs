//! The public names of the library: what changes here, changes for every program that uses it.
//!
//! `tests/golden/public-api.txt` lists each public item with its signature, its public fields, its
//! variants, its methods and its traits. `DYNAMETER_BLESS=1` writes it again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, Meta, UseTree, Visibility};

use crate::support;

/// A module.
struct Module {
    items: Vec<Item>,
}

/// The crate as it is written.
#[derive(Default)]
struct Sources {
    /// The modules, by their path.
    modules: BTreeMap<Vec<String>, Module>,
    /// The public methods and constants of each type, and the traits that it implements.
    of_types: BTreeMap<String, BTreeSet<String>>,
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether a part is only built for tests, or for a fuzzer.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("cfg") && (text.contains("test)") || text.contains("fuzzing)"))
    })
}

/// Tokens as a person writes them.
fn written(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, plain) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" :", ":"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("& ", "&"),
        ("& '", "&'"),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        ("- >", "->"),
        ("->", " -> "),
        ("  ", " "),
        ("=(", "= ("),
        (",)", ")"),
    ] {
        text = text.replace(spaced, plain);
    }
    text.replace("impl<", "impl <").replace("= >", "=>")
}

/// The derived traits and the attributes that matter to a caller.
fn marks(attributes: &[Attribute]) -> String {
    let mut marks = Vec::new();
    for attribute in attributes {
        match &attribute.meta {
            Meta::List(list) if list.path.is_ident("derive") => {
                let traits = list.tokens.to_string();
                let mut traits: Vec<String> = traits
                    .split(',')
                    .map(|name| name.trim().replace(' ', ""))
                    .filter(|name| !name.is_empty())
                    .collect();
                traits.sort();
                marks.push(traits.join(", "));
            }
            meta if meta.path().is_ident("non_exhaustive") => {
                marks.push("non_exhaustive".to_string());
            }
            meta if meta.path().is_ident("must_use") => marks.push("must_use".to_string()),
            _ => {}
        }
    }
    match marks.as_slice() {
        [] => String::new(),
        marks => format!("  [{}]", marks.join("; ")),
    }
}

impl Sources {
    fn read() -> Sources {
        let mut sources = Sources::default();
        let root = support::root().join("src");
        sources.module(Vec::new(), &root.join("lib.rs"), &root);
        sources
    }

    fn module(&mut self, path: Vec<String>, file: &Path, folder: &Path) {
        let text = std::fs::read_to_string(file).expect("a source file");
        let items = syn::parse_file(&text).expect("Rust").items;
        self.add(path, items, folder);
    }

    fn add(&mut self, path: Vec<String>, items: Vec<Item>, folder: &Path) {
        for item in &items {
            match item {
                Item::Mod(module) if is_test(&module.attrs) => {}
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let inner = [path.clone(), vec![name.clone()]].concat();
                    let own = folder.join(&name);
                    match &module.content {
                        Some((_, items)) => self.add(inner, items.clone(), &own),
                        None if own.join("mod.rs").exists() => {
                            self.module(inner, &own.join("mod.rs"), &own);
                        }
                        None => self.module(inner, &folder.join(format!("{name}.rs")), &own),
                    }
                }
                Item::Impl(block) => self.add_impl(block),
                _ => {}
            }
        }
        self.modules.insert(path, Module { items });
    }

    fn add_impl(&mut self, block: &syn::ItemImpl) {
        let syn::Type::Path(own) = &*block.self_ty else {
            return;
        };
        let Some(last) = own.path.segments.last() else {
            return;
        };
        let of_type = self.of_types.entry(last.ident.to_string()).or_default();
        if let Some((_, of_trait, _)) = &block.trait_ {
            of_type.insert(format!(": {}", written(of_trait)));
            return;
        }
        for item in &block.items {
            match item {
                ImplItem::Fn(method) if is_public(&method.vis) => {
                    let marks = marks(&method.attrs);
                    of_type.insert(format!("::{}{marks}", written(&method.sig)));
                }
                ImplItem::Const(constant) if is_public(&constant.vis) => {
                    let (name, kind) = (&constant.ident, written(&constant.ty));
                    of_type.insert(format!("::const {name}: {kind}"));
                }
                _ => {}
            }
        }
    }

    /// The modules that a program can name.
    fn public(&self, path: &[String], found: &mut BTreeSet<Vec<String>>) {
        found.insert(path.to_vec());
        for item in &self.modules[path].items {
            if let Item::Mod(module) = item
                && is_public(&module.vis)
                && !is_test(&module.attrs)
            {
                self.public(&[path, &[module.ident.to_string()]].concat(), found);
            }
        }
    }

    /// Where a name is defined, followed through re-exports.
    fn find(&self, module: &[String], name: &str) -> Option<(Vec<String>, &Item)> {
        for item in &self.modules.get(module)?.items {
            if name_of(item).as_deref() == Some(name) {
                return Some((module.to_vec(), item));
            }
            if let Item::Use(used) = item {
                for (path, as_name) in names(&used.tree) {
                    if as_name == name || as_name == "*" {
                        let found = path.split_last().and_then(|(last, before)| {
                            let last = if as_name == "*" { name } else { last };
                            self.find(&self.resolve(module, before)?, last)
                        });
                        if found.is_some() {
                            return found;
                        }
                    }
                }
            }
        }
        None
    }

    /// The module of a path that is written in a module.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut at = module.to_vec();
        for (step, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                name => {
                    at.push(name.to_string());
                    if step == 0 && !self.modules.contains_key(&at) {
                        return None;
                    }
                }
            }
        }
        self.modules.contains_key(&at).then_some(at)
    }

    /// The lines of an item under a public path.
    fn lines(&self, path: &str, item: &Item, lines: &mut BTreeSet<String>) {
        let members = |name: &syn::Ident, lines: &mut BTreeSet<String>| {
            for member in self.of_types.get(&name.to_string()).into_iter().flatten() {
                lines.insert(format!("{path}{member}"));
            }
        };
        let fields = |prefix: &str, fields: &Fields, all: bool, lines: &mut BTreeSet<String>| {
            for (at, field) in fields.iter().enumerate() {
                if all || is_public(&field.vis) {
                    let name = match &field.ident {
                        Some(name) => name.to_string(),
                        None => at.to_string(),
                    };
                    lines.insert(format!("{prefix}.{name}: {}", written(&field.ty)));
                }
            }
        };
        match item {
            Item::Struct(one) => {
                let generics = written(&one.generics);
                lines.insert(format!("{path}  struct{generics}{}", marks(&one.attrs)));
                fields(path, &one.fields, false, lines);
                members(&one.ident, lines);
            }
            Item::Enum(one) => {
                let generics = written(&one.generics);
                lines.insert(format!("{path}  enum{generics}{}", marks(&one.attrs)));
                for variant in &one.variants {
                    let name = format!("{path}::{}", variant.ident);
                    lines.insert(format!("{name}  variant{}", marks(&variant.attrs)));
                    fields(&name, &variant.fields, true, lines);
                }
                members(&one.ident, lines);
            }
            Item::Trait(one) => {
                lines.insert(format!("{path}  trait{}", marks(&one.attrs)));
                for item in &one.items {
                    if let syn::TraitItem::Fn(method) = item {
                        lines.insert(format!("{path}::{}", written(&method.sig)));
                    }
                }
            }
            Item::Fn(one) => {
                lines.insert(format!(
                    "{path}  {}{}",
                    written(&one.sig),
                    marks(&one.attrs)
                ));
            }
            Item::Const(one) => {
                lines.insert(format!("{path}  const: {}", written(&one.ty)));
            }
            Item::Type(one) => {
                lines.insert(format!("{path}  type = {}", written(&one.ty)));
            }
            _ => {}
        }
    }
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Struct(one) => one.ident.to_string(),
        Item::Enum(one) => one.ident.to_string(),
        Item::Trait(one) => one.ident.to_string(),
        Item::Fn(one) => one.sig.ident.to_string(),
        Item::Const(one) => one.ident.to_string(),
        Item::Type(one) => one.ident.to_string(),
        _ => return None,
    })
}

fn visibility(item: &Item) -> Option<&Visibility> {
    Some(match item {
        Item::Struct(one) => &one.vis,
        Item::Enum(one) => &one.vis,
        Item::Trait(one) => &one.vis,
        Item::Fn(one) => &one.vis,
        Item::Const(one) => &one.vis,
        Item::Type(one) => &one.vis,
        _ => return None,
    })
}

/// The paths in a `use`, each with the name that it gets.
fn names(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    let behind = |first: String, inner: Vec<(Vec<String>, String)>| {
        inner
            .into_iter()
            .map(|(path, name)| ([vec![first.clone()], path].concat(), name))
            .collect()
    };
    match tree {
        UseTree::Path(path) => behind(path.ident.to_string(), names(&path.tree)),
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".to_string()], "*".to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
    }
}

#[test]
fn the_public_names_are_those_that_are_listed() {
    let sources = Sources::read();
    let mut public = BTreeSet::new();
    sources.public(&[], &mut public);
    let mut lines = BTreeSet::new();
    for module in &public {
        let path = |name: &str| [module.join("::"), name.to_string()].join("::");
        for item in &sources.modules[module].items {
            if let (Some(name), Some(Visibility::Public(_))) = (name_of(item), visibility(item)) {
                sources.lines(&path(&name), item, &mut lines);
            }
            let Item::Use(used) = item else { continue };
            if !is_public(&used.vis) {
                continue;
            }
            for (from, name) in names(&used.tree) {
                match sources.find(module, &name) {
                    Some((_, item)) if from[0] != "crate" => {
                        sources.lines(&path(&name), item, &mut lines);
                    }
                    // A name of another public module, or one that a macro defines.
                    _ => {
                        lines.insert(format!("{}  = {}", path(&name), from.join("::")));
                    }
                }
            }
        }
    }
    let text = lines.into_iter().collect::<Vec<_>>().join("\n") + "\n";
    let wrong = support::golden(&support::root().join("tests/golden/public-api.txt"), &text);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}
