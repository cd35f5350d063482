//! Which file imports which, and which names it imports.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Names, Written};
use super::tree::{File, ModulePath};

/// The most renamings by `use` lines that are followed.
const MOST_ALIASES: u8 = 4;

/// The imports among the files of one library or program.
#[derive(Debug)]
pub(crate) struct Graph {
    /// For each file: the files that it imports, by their index, with the imported names.
    pub(crate) imports: Vec<BTreeMap<usize, BTreeSet<String>>>,
}

impl Graph {
    pub(crate) fn of(files: &[File]) -> Self {
        let names: Vec<Names> = files.iter().map(Names::of).collect();
        let modules = Modules::of(files, &names);
        let imports = names
            .iter()
            .enumerate()
            .map(|(file, names)| modules.imports_of(file, names))
            .collect();
        Self { imports }
    }
}

/// The modules by name, and the names in each of them.
#[derive(Default)]
struct Modules<'a> {
    /// There is more than one file if a module differs by system.
    files: BTreeMap<&'a [String], BTreeSet<usize>>,
    aliases: BTreeMap<(&'a [String], &'a str), &'a Written>,
    globs: BTreeMap<&'a [String], Vec<&'a Written>>,
}

/// Where a path ends: a module, and the name in it.
struct Place {
    module: ModulePath,
    item: Option<String>,
}

impl<'a> Modules<'a> {
    fn of(files: &'a [File], names: &'a [Names]) -> Self {
        let mut modules = Self::default();
        for (index, (file, names)) in files.iter().zip(names).enumerate() {
            let inline = names.inline.iter().map(ModulePath::as_slice);
            for module in inline.chain([file.module.as_slice()]) {
                modules.files.entry(module).or_default().insert(index);
            }
            for import in &names.imports {
                let scope = import.scope.as_slice();
                match &import.alias {
                    Some(alias) => {
                        modules.aliases.insert((scope, alias), &import.path);
                    }
                    None => modules.globs.entry(scope).or_default().push(&import.path),
                }
            }
        }
        modules
    }

    fn imports_of(&self, file: usize, names: &Names) -> BTreeMap<usize, BTreeSet<String>> {
        let imports = names.imports.iter().map(|import| {
            let all = import.alias.is_none();
            (&import.scope, &import.path, all)
        });
        let paths = names.paths.iter().map(|(scope, path)| (scope, path, false));
        let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (scope, path, all) in imports.chain(paths) {
            let Some(place) = self.place(scope, path, MOST_ALIASES) else {
                continue;
            };
            let name = match place.item {
                Some(item) => item,
                None if all => "*".to_owned(),
                None => "the module itself".to_owned(),
            };
            for other in &self.files[place.module.as_slice()] {
                if *other != file {
                    found.entry(*other).or_default().insert(name.clone());
                }
            }
        }
        found
    }

    /// Where `path` leads from `scope`. `None`: to another crate, or to something local.
    fn place(&self, scope: &[String], path: &[String], aliases: u8) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let (mut module, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (scope.to_vec(), rest),
            "super" => {
                let mut module = scope.to_vec();
                let ups = path.iter().take_while(|word| *word == "super").count();
                module.truncate(module.len().checked_sub(ups)?);
                (module, &path[ups..])
            }
            _ if self.has(scope, first) => (scope.to_vec(), path),
            _ => {
                let aliases = aliases.checked_sub(1)?;
                if let Some(meant) = self.aliases.get(&(scope, first.as_str())) {
                    // `use other_crate;` keeps the name.
                    let other_crate = meant.first() == Some(first);
                    return match other_crate {
                        true => None,
                        false => self.place(scope, &[meant.as_slice(), rest].concat(), aliases),
                    };
                }
                let globs = self.globs.get(scope).into_iter().flatten();
                let module = globs
                    .filter_map(|glob| self.place(scope, glob, aliases))
                    .filter(|place| place.item.is_none())
                    .find(|place| self.has(&place.module, first))?;
                (module.module, path)
            }
        };
        while let Some((next, after)) = rest.split_first() {
            if !self.has(&module, next) {
                break;
            }
            module.push(next.clone());
            rest = after;
        }
        Some(Place {
            module,
            item: rest.first().cloned(),
        })
    }

    fn has(&self, module: &[String], child: &str) -> bool {
        let child = [module, &[child.to_owned()]].concat();
        self.files.contains_key(child.as_slice())
    }
}
