//! The files of a library or a program, found by following `mod` lines from the root.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

use super::attributes::for_tests_only;

/// The name of a module from the root on. The root's own name is empty.
pub(crate) type ModulePath = Vec<String>;

/// A file, and the module that it is.
pub(crate) struct File {
    /// Its path from the root's folder, with `/`.
    pub(crate) name: String,
    pub(crate) module: ModulePath,
    pub(crate) syntax: syn::File,
}

/// Reads a file. `None`: there is none.
pub(crate) type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The file at `root` and all files that it declares, directly or not. The root comes first.
pub(crate) fn read(root: &Path, read: Read<'_>) -> Result<Vec<File>> {
    let folder = root.parent().context("a root lies in a folder")?;
    let mut files = Vec::new();
    let mut open = vec![Declared {
        path: root.to_owned(),
        module: Vec::new(),
        children: folder.to_owned(),
    }];
    while let Some(next) = open.pop() {
        let shown = next.path.display();
        let text = read(&next.path).with_context(|| format!("{shown} cannot be read"))?;
        let syntax = syn::parse_file(&text).with_context(|| format!("{shown} is no Rust"))?;
        if for_tests_only(&syntax.attrs) {
            continue;
        }
        next.declared(&syntax.items, read, &mut open)?;
        files.push(File {
            name: name(folder, &next.path),
            module: next.module,
            syntax,
        });
    }
    Ok(files)
}

/// A file that a `mod` line declares, or an inline module in it.
struct Declared {
    path: PathBuf,
    module: ModulePath,
    /// The folder of its children.
    children: PathBuf,
}

impl Declared {
    /// Adds the files that `items` declare to `open`.
    fn declared(&self, items: &[Item], read: Read<'_>, open: &mut Vec<Self>) -> Result<()> {
        for item in items {
            let Item::Mod(child) = item else { continue };
            if for_tests_only(&child.attrs) {
                continue;
            }
            let module = [self.module.as_slice(), &[child.ident.to_string()]].concat();
            match &child.content {
                Some((_, items)) => {
                    let inline = Self {
                        path: self.path.clone(),
                        children: self.children.join(child.ident.to_string()),
                        module,
                    };
                    inline.declared(items, read, open)?;
                }
                None => open.push(self.file_of(child, module, read)?),
            }
        }
        Ok(())
    }

    fn file_of(&self, child: &ItemMod, module: ModulePath, read: Read<'_>) -> Result<Self> {
        let name = child.ident.to_string();
        let folder = self.children.join(&name);
        let beside = self.path.parent().unwrap_or(Path::new(""));
        let candidates = match path_attribute(&child.attrs) {
            Some(path) => vec![beside.join(path)],
            None => vec![
                self.children.join(format!("{name}.rs")),
                folder.join("mod.rs"),
            ],
        };
        let Some(path) = candidates.into_iter().find(|path| read(path).is_some()) else {
            bail!(
                "{} declares `mod {name}`, which has no file",
                self.path.display()
            );
        };
        let children = match path.file_name() {
            Some(file) if file == "mod.rs" => path.parent().unwrap_or(Path::new("")).to_owned(),
            Some(_) | None => path.with_extension(""),
        };
        Ok(Self {
            path,
            module,
            children,
        })
    }
}

/// The value of `#[path = "…"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("path")
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(path) = &value.lit
        {
            return Some(path.value());
        }
        None
    })
}

fn name(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the files that are found, with their modules.
    fn found(files: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let text = |path: &Path| {
            let name = path.to_str().unwrap().replace('\\', "/");
            let file = files.iter().find(|(file, _)| *file == name);
            file.map(|(_, text)| (*text).to_owned())
        };
        let read = read(Path::new("src/lib.rs"), &text)?;
        let mut found: Vec<_> = read
            .into_iter()
            .map(|file| (file.name, file.module.join("::")))
            .collect();
        found.sort();
        Ok(found)
    }

    fn pair(name: &str, module: &str) -> (String, String) {
        (name.to_owned(), module.to_owned())
    }

    #[test]
    fn files_are_found_in_both_styles_and_by_their_paths() {
        let files = found(&[
            (
                "src/lib.rs",
                "mod a; mod b; #[path = \"other/c.rs\"] mod d;",
            ),
            ("src/a/mod.rs", "mod x;"),
            ("src/a/x.rs", ""),
            ("src/b.rs", "mod y; mod inline { mod z; }"),
            ("src/b/y.rs", ""),
            ("src/b/inline/z.rs", ""),
            ("src/other/c.rs", ""),
        ]);

        let expected = [
            pair("a/mod.rs", "a"),
            pair("a/x.rs", "a::x"),
            pair("b.rs", "b"),
            pair("b/inline/z.rs", "b::inline::z"),
            pair("b/y.rs", "b::y"),
            pair("lib.rs", ""),
            pair("other/c.rs", "d"),
        ];
        assert_eq!(files.unwrap(), expected);
    }

    #[test]
    fn files_of_tests_are_not_looked_at() {
        let files = found(&[
            ("src/lib.rs", "#[cfg(test)] mod tests; mod a;"),
            ("src/a.rs", "#![cfg(test)]"),
        ]);

        assert_eq!(files.unwrap(), [pair("lib.rs", "")]);
    }

    #[test]
    fn a_module_without_a_file_is_an_error() {
        let error = found(&[("src/lib.rs", "mod a;")]).unwrap_err();

        assert!(error.to_string().contains("mod a"), "{error}");
    }
}
