//! Finds the blocks of Terraform files that define the resources of a plan, so that results point to
//! lines that a reviewer can see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::Place;
use crate::import::plain_address;

/// How deeply modules may call modules.
const MODULES_MAX: usize = 20;

/// The Terraform files of a folder, read as far as they are needed.
pub struct TerraformSource {
    root: PathBuf,
    /// The blocks of each folder that was read.
    folders: BTreeMap<PathBuf, Vec<Block>>,
    /// The folders of modules by their path of names, as `terraform init` records them.
    installed: BTreeMap<String, PathBuf>,
}

/// The header of a block: `resource "TYPE" "NAME"` or `module "NAME"`.
struct Block {
    /// The address within its module: `TYPE.NAME` or `module.NAME`.
    address: String,
    file: PathBuf,
    line: usize,
    /// The `source` of a module.
    source: Option<String>,
}

impl TerraformSource {
    /// The files of a folder.
    pub fn new(root: &Path) -> TerraformSource {
        TerraformSource {
            root: root.to_path_buf(),
            folders: BTreeMap::new(),
            installed: installed(root),
        }
    }

    /// The line of the block that defines a resource. If its module is not on this machine, the line
    /// of the module's call.
    pub fn place_of(&mut self, address: &str) -> Option<Place> {
        let plain = plain_address(address);
        let mut folder = self.root.clone();
        let mut names: Vec<&str> = Vec::new();
        let mut rest = plain.as_str();
        let mut call = None;
        while let Some(inner) = rest.strip_prefix("module.") {
            let (name, after) = inner.split_once('.')?;
            names.push(name);
            rest = after;
            let (place, source) = self.block(&folder, &format!("module.{name}"))?;
            let module = self.module(&folder, &names, source.as_deref());
            call = Some(place);
            match module {
                Some(module) if names.len() < MODULES_MAX => folder = module,
                _ => return call,
            }
        }
        let own = self.block(&folder, rest).map(|(place, _)| place);
        own.or(call)
    }

    /// The folder of a module.
    fn module(&self, folder: &Path, names: &[&str], source: Option<&str>) -> Option<PathBuf> {
        let local = source.filter(|source| source.starts_with("./") || source.starts_with("../"));
        let local = local.map(|source| tidy(&folder.join(source)));
        let local = local.filter(|folder| folder.is_dir());
        local.or_else(|| {
            let folder = self.installed.get(&names.join("."))?;
            Some(tidy(&self.root.join(folder)))
        })
    }

    fn block(&mut self, folder: &Path, address: &str) -> Option<(Place, Option<String>)> {
        let blocks = self
            .folders
            .entry(folder.to_path_buf())
            .or_insert_with(|| blocks_in(folder));
        let block = blocks.iter().find(|block| block.address == address)?;
        let place = Place::new(block.file.to_string_lossy(), block.line);
        Some((place, block.source.clone()))
    }
}

/// The folders of the modules that `terraform init` has installed.
fn installed(root: &Path) -> BTreeMap<String, PathBuf> {
    let read = || -> Option<BTreeMap<String, PathBuf>> {
        let text =
            crate::opened::read_to_string(&root.join(".terraform/modules/modules.json")).ok()?;
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        let modules = json.get("Modules")?.as_array()?;
        let module = |one: &serde_json::Value| {
            let key = one.get("Key")?.as_str()?;
            Some((key.to_string(), PathBuf::from(one.get("Dir")?.as_str()?)))
        };
        Some(modules.iter().filter_map(module).collect())
    };
    read().unwrap_or_default()
}

/// The blocks of the Terraform files in a folder.
fn blocks_in(folder: &Path) -> Vec<Block> {
    let folder_or_here = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = std::fs::read_dir(folder_or_here)
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    let mut blocks = Vec::new();
    for name in names {
        if !name.to_string_lossy().ends_with(".tf") {
            continue;
        }
        let file = tidy(&folder.join(&name));
        if let Ok(text) = crate::opened::read_to_string(&file) {
            blocks.extend(blocks_of(&text, &file));
        }
    }
    blocks
}

fn blocks_of(text: &str, file: &Path) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c == '{')
            .collect();
        let mut words = words.into_iter().filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let mut named = || words.next().map(|word| word.trim_matches('"').to_string());
        let address = match first {
            "resource" => named()
                .zip(named())
                .map(|(kind, name)| format!("{kind}.{name}")),
            "module" => named().map(|name| format!("module.{name}")),
            _ => None,
        };
        if let Some(address) = address {
            blocks.push(Block {
                address,
                file: file.to_path_buf(),
                line: at + 1,
                source: None,
            });
            continue;
        }
        let value = line.trim().strip_prefix("source").map(str::trim_start);
        let value = value.and_then(|rest| rest.strip_prefix('='));
        if let (Some(value), Some(block)) = (value, blocks.last_mut())
            && block.address.starts_with("module.")
            && block.source.is_none()
        {
            let text = value.trim().trim_start_matches('"');
            block.source = text.split('"').next().map(str::to_string);
        }
    }
    blocks
}

/// A path without `.` and without `..` after a name.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_through_its_modules() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "main.tf",
            "# resource \"aws_dynamodb_table\" \"orders\" {\n\nresource \"aws_dynamodb_table\" \
             \"orders\" {\n}\nmodule \"shop\" {\n  source = \"./modules/shop\"\n}\nmodule \
             \"far\" {\n  source = \"terraform-aws-modules/dynamodb-table/aws\"\n}\n",
        );
        write(
            "modules/shop/tables.tf",
            "resource aws_dynamodb_table carts {\n}\n",
        );
        let mut source = TerraformSource::new(root.path());
        let mut found = |address: &str| {
            let place = source.place_of(address)?;
            let name = Path::new(&place.file).strip_prefix(root.path()).ok()?;
            Some(format!("{}:{}", name.display(), place.line))
        };
        for (address, expected) in [
            ("aws_dynamodb_table.orders[0]", Some("main.tf:3")),
            (
                "module.shop[\"a.b\"].aws_dynamodb_table.carts",
                Some("modules/shop/tables.tf:1"),
            ),
            ("module.far.aws_dynamodb_table.this[0]", Some("main.tf:8")),
            ("aws_dynamodb_table.other", None),
        ] {
            assert_eq!(found(address).as_deref(), expected, "{address}");
        }
    }
}
