//! The configuration file: TOML, whose keys are flags, at the top or in tables.
//!
//! A table is a command's (`[serve]`, `[store]`, `[app]` …), and holds for that command alone; or a heading's of the
//! help (`[signing]`, `[callback]`, `[tls]`, `[access-key]` …), and holds for all commands that have such flags. `store`
//! is both, and so is what `[store]` says: for the command `store` all of it, for `serve`, which runs a store too, what
//! its help lists under Store. What is said twice for one command is refused: no table outweighs another.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config_error::ConfigError;
use super::given::Value;
use super::nearest::nearest;
use super::setting::{self, Kind, Setting};

/// The longest file; one that never ends is not read for ever.
const BYTES_MAX: u64 = 1024 * 1024;

/// A file that was read, its lines not yet judged.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(super) path: PathBuf,
    lines: Vec<Line>,
    tables: Vec<(String, usize)>,
    /// Whether others than its owner and group may read it.
    pub(super) open: bool,
}

#[derive(Debug)]
struct Line {
    table: Option<String>,
    /// With dashes.
    key: String,
    number: usize,
    value: Written,
}

/// A value as it is written.
#[derive(Debug, Clone)]
enum Written {
    Truth(bool),
    Word(String),
    List(Vec<Written>),
    Other(&'static str),
}

/// All settings of all commands, by the words of each.
pub(crate) type Everything = BTreeMap<Vec<String>, Vec<Setting>>;

impl ConfigFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
        let opened = File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        opened.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(unreadable(std::io::Error::other("it is longer than a configuration can be")));
        }
        let mut file = Self::parse(path, &text)?;
        file.open = super::secret_file::is_open(&std::fs::metadata(path).map_err(unreadable)?);
        Ok(file)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let number = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let at_line = |line, problem| ConfigError::Line { path: path.to_path_buf(), line, problem };
        let document = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| number(span.start));
            at_line(line, format!("is not TOML: {}", error.message()))
        })?;
        let mut file =
            ConfigFile { path: path.to_path_buf(), lines: Vec::new(), tables: Vec::new(), open: false };
        let dashes = |key: &str| key.replace('_', "-");
        for (key, value) in document.get_ref() {
            match value.get_ref() {
                DeValue::Table(table) => {
                    let name = dashes(key.get_ref());
                    file.tables.push((name.clone(), number(key.span().start)));
                    file.take(Some(&name), table, &number);
                }
                _ => file.take_one(None, key, value, &number),
            }
        }
        file.lines.sort_by_key(|line| line.number);
        Ok(file)
    }

    fn take(&mut self, table: Option<&str>, lines: &DeTable<'_>, number: &impl Fn(usize) -> usize) {
        for (key, value) in lines {
            self.take_one(table, key, value, number);
        }
    }

    fn take_one(
        &mut self,
        table: Option<&str>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        number: &impl Fn(usize) -> usize,
    ) {
        self.lines.push(Line {
            table: table.map(str::to_owned),
            key: key.get_ref().replace('_', "-"),
            number: number(key.span().start),
            value: written(value.get_ref()),
        });
    }

    /// What the file says for a command: a value and its line for each setting.
    ///
    /// # Errors
    /// Every line must be one of some command's, at a place where it can be; the first that is not is named.
    pub(crate) fn for_command(
        &self,
        words: &[String],
        everything: &Everything,
    ) -> Result<BTreeMap<String, (Value, usize)>, ConfigError> {
        let places = LineOwners { words, everything };
        for (table, number) in &self.tables {
            places.check_table(table).map_err(|problem| self.refused(*number, problem))?;
        }
        let mut said: BTreeMap<String, (Value, usize)> = BTreeMap::new();
        for line in &self.lines {
            let refused = |problem| self.refused(line.number, problem);
            let Some(setting) = places.setting_of(line.table.as_deref(), &line.key).map_err(refused)? else {
                continue;
            };
            let value = value(setting, &line.value).map_err(refused)?;
            if let Some((_, before)) = said.insert(setting.name.clone(), (value, line.number)) {
                return Err(refused(format!(
                    "`{}` is said twice for {}, in line {before} too",
                    line.key,
                    words.join(" ")
                )));
            }
        }
        Ok(said)
    }

    fn refused(&self, line: usize, problem: String) -> ConfigError {
        ConfigError::Line { path: self.path.clone(), line, problem }
    }
}

/// Which lines are whose.
struct LineOwners<'a> {
    words: &'a [String],
    everything: &'a Everything,
}

impl<'a> LineOwners<'a> {
    /// The setting of the command that a line gives; none when it is another command's.
    fn setting_of(&self, table: Option<&str>, key: &str) -> Result<Option<&'a Setting>, String> {
        let own = self.everything.get(self.words).into_iter().flatten().find(|setting| setting.name == key);
        let Some(table) = table else {
            return match own {
                Some(setting) => Ok(Some(setting)),
                None if self.owners(key).is_empty() => Err(self.unknown(key, None)),
                None if setting::is_server(self.words) => Err(format!(
                    "`{key}` is no setting of {}, but of {}: write it into a table, as in [{}]",
                    self.words.join(" "),
                    self.owners(key).join(", "),
                    self.tables_for(key).join("] or ["),
                )),
                None => Ok(None),
            };
        };
        let under_it =
            |setting: &&Setting| setting.heading.as_deref().is_some_and(|heading| slug(heading) == table);
        let is_own_table = self.words.first().is_some_and(|word| word == table);
        if let Some(setting) = own.filter(|setting| is_own_table || under_it(setting)) {
            return Ok(Some(setting));
        }
        let fits = self.everything.iter().any(|(words, settings)| {
            let commands = words.first().is_some_and(|word| word == table);
            settings.iter().any(|setting| setting.name == key && (commands || under_it(&setting)))
        });
        if fits { Ok(None) } else { Err(self.unknown(key, Some(table))) }
    }

    fn check_table(&self, table: &str) -> Result<(), String> {
        let tables = self.tables();
        if tables.contains(table) {
            return Ok(());
        }
        let meant = nearest(table, tables.iter().map(String::as_str)).map(|table| format!("[{table}]"));
        let all = || format!("one of [{}]", tables.iter().cloned().collect::<Vec<_>>().join("], ["));
        Err(format!("there is no table [{table}]; write {}", meant.unwrap_or_else(all)))
    }

    fn tables(&self) -> BTreeSet<String> {
        let commands = self.everything.keys().filter_map(|words| words.first().cloned());
        let headings =
            self.everything.values().flatten().filter_map(|setting| setting.heading.as_deref().map(slug));
        commands.chain(headings).collect()
    }

    /// The commands that have a setting.
    fn owners(&self, key: &str) -> Vec<String> {
        let having =
            self.everything.iter().filter(|(_, settings)| settings.iter().any(|setting| setting.name == key));
        having.map(|(words, _)| words.join(" ")).collect()
    }

    /// The tables that a key can stand in.
    fn tables_for(&self, key: &str) -> Vec<String> {
        let mut tables = BTreeSet::new();
        for (words, settings) in self.everything {
            for setting in settings.iter().filter(|setting| setting.name == key) {
                tables.extend(words.first().cloned());
                tables.extend(setting.heading.as_deref().map(slug));
            }
        }
        tables.into_iter().collect()
    }

    fn unknown(&self, key: &str, table: Option<&str>) -> String {
        if table.is_some() && !self.owners(key).is_empty() {
            let tables = self.tables_for(key).join("], [");
            return format!(
                "`{key}` does not belong into [{}]; write it at the top, or in [{tables}]",
                table.unwrap_or_default()
            );
        }
        let fits = |setting: &&Setting, words: &[String]| match table {
            None => !setting::is_server(self.words) || words == self.words,
            Some(table) => {
                words.first().is_some_and(|word| word == table)
                    || setting.heading.as_deref().is_some_and(|heading| slug(heading) == table)
            }
        };
        let candidates = self.everything.iter().flat_map(|(words, settings)| {
            settings.iter().filter(move |setting| fits(setting, words)).map(|setting| setting.name.as_str())
        });
        let all = self.everything.values().flatten().map(|setting| setting.name.as_str());
        let meant = nearest(key, candidates).or_else(|| nearest(key, all));
        let hint = match meant {
            Some(meant) => format!("is it `{meant}`?"),
            None => format!("see `countersign {} --help`", self.words.join(" ")),
        };
        format!("there is no setting `{key}`; {hint}")
    }
}

/// A heading as a table is called.
fn slug(heading: &str) -> String {
    heading.to_ascii_lowercase().replace(' ', "-")
}

fn written(value: &DeValue<'_>) -> Written {
    match value {
        DeValue::Boolean(truth) => Written::Truth(*truth),
        DeValue::String(text) => Written::Word(text.clone().into_owned()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Written::Word(number.to_string()),
            Err(_) => Written::Other("a number that is too large"),
        },
        DeValue::Array(items) => Written::List(items.iter().map(|item| written(item.get_ref())).collect()),
        DeValue::Float(_) => Written::Other("a number with a fraction"),
        DeValue::Datetime(_) => Written::Other("a date"),
        DeValue::Table(_) => Written::Other("a table"),
    }
}

fn value(setting: &Setting, written: &Written) -> Result<Value, String> {
    let key = &setting.name;
    let word = |written: &Written| match written {
        Written::Word(text) => Ok(OsString::from(text)),
        Written::Truth(_) => Err(format!("`{key}` is text or a number, not true or false")),
        Written::List(_) => Err(format!("`{key}` has one value, not a list")),
        Written::Other(what) => Err(format!("`{key}` is {what}, where text or a number belongs")),
    };
    match (setting.kind, written) {
        (Kind::Switch | Kind::SwitchWithValue, Written::Truth(true)) => Ok(Value::On),
        (Kind::Switch | Kind::SwitchWithValue, Written::Truth(false)) => Ok(Value::Off),
        (Kind::Switch, _) => Err(format!("write `{key} = true` or `{key} = false`")),
        (Kind::List { .. }, Written::List(items)) => {
            Ok(Value::Words(items.iter().map(word).collect::<Result<_, _>>()?))
        }
        (_, written) => Ok(Value::Words(vec![word(written)?])),
    }
}
