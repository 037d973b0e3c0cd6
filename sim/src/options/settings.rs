//! The options as a tree of settings, whatever they are: for text, for statistics and for shrinking.

use std::time::Duration;

use toml::{Table, Value};

use super::options::Options;

/// Options as a tree whose leaves are numbers, flags, durations and names.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings(Table);

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A time.
    Duration(Duration),
}

impl Settings {
    /// The settings of these options.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        // By way of text, because only there a number may be a key.
        let text = toml::to_string(options).expect("numbers, names and lists of them have a TOML form");
        Settings(toml::from_str(&text).expect("it was just written"))
    }

    /// The options with these settings, if there are such.
    #[must_use]
    pub fn to_options(&self) -> Option<Options> {
        toml::from_str(&toml::to_string(&self.0).ok()?).ok()
    }

    /// All leaves with their paths, such as `faults.crashes` or `network.delay.0`.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, Setting)> {
        let mut leaves = Vec::new();
        visit(&Value::Table(self.0.clone()), "", &mut |path, value| {
            leaves.extend(setting(value).map(|setting| (path.to_owned(), setting)));
        });
        leaves
    }

    /// The paths of all lists, with their lengths.
    #[must_use]
    pub fn lists(&self) -> Vec<(String, usize)> {
        let mut lists = Vec::new();
        visit(&Value::Table(self.0.clone()), "", &mut |path, value| {
            lists.extend(value.as_array().map(|list| (path.to_owned(), list.len())));
        });
        lists
    }

    /// The setting at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Setting> {
        let (first, mut rest) = halves(path);
        rest.try_fold(self.0.get(first)?, child).and_then(setting)
    }

    /// The same with another setting at a path.
    #[must_use]
    pub fn with(mut self, path: &str, setting: Setting) -> Self {
        if let Some(place) = self.place(path) {
            *place = match setting {
                Setting::Number(number) => Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)),
                Setting::Flag(flag) => Value::Boolean(flag),
                Setting::Duration(duration) => Value::try_from(duration).expect("a duration is two numbers"),
            };
        }
        self
    }

    /// The same without an element of a list.
    #[must_use]
    pub fn without(mut self, path: &str, element: usize) -> Self {
        if let Some(Value::Array(list)) = self.place(path)
            && element < list.len()
        {
            list.remove(element);
        }
        self
    }

    fn place(&mut self, path: &str) -> Option<&mut Value> {
        let (first, mut rest) = halves(path);
        rest.try_fold(self.0.get_mut(first)?, |at, key| match at {
            Value::Table(table) => table.get_mut(key),
            Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
            Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
        })
    }
}

/// The first key of a path, and the others.
fn halves(path: &str) -> (&str, impl Iterator<Item = &str>) {
    let mut keys = path.split('.');
    (keys.next().unwrap_or_default(), keys)
}

fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Table(table) => table.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
    }
}

/// Hands every node below to `take`; a duration is a leaf.
fn visit(value: &Value, path: &str, take: &mut impl FnMut(&str, &Value)) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    take(path, value);
    if setting(value).is_some() {
        return;
    }
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| visit(value, &inner(key), take)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, value)| visit(value, &inner(&place.to_string()), take));
        }
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

fn setting(value: &Value) -> Option<Setting> {
    match value {
        Value::Integer(number) => u64::try_from(*number).ok().map(Setting::Number),
        Value::Boolean(flag) => Some(Setting::Flag(*flag)),
        Value::Table(table) if table.len() == 2 && table.contains_key("secs") && table.contains_key("nanos") => {
            value.clone().try_into().ok().map(Setting::Duration)
        }
        Value::Table(_) | Value::Array(_) | Value::String(_) | Value::Float(_) | Value::Datetime(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use quorate::ReplicaId;

    use super::*;
    use crate::choices::Choices;

    fn drawn(seed: u64) -> Options {
        Options::draw(&mut Choices::from_seed(seed), None)
    }

    #[test]
    fn options_survive_the_way_to_settings_and_back() {
        for seed in 0..200 {
            assert_eq!(Settings::of(&drawn(seed)).to_options(), Some(drawn(seed)), "seed {seed}");
        }
        let mut lying = drawn(0);
        lying.lying.attacks.insert(ReplicaId(3), lying.attacks_of(ReplicaId(3)));
        assert_eq!(Settings::of(&lying).to_options(), Some(lying));
    }

    #[test]
    fn a_leaf_is_found_and_replaced_by_its_path() {
        let settings = Settings::of(&drawn(1));
        assert_eq!(settings.get("members"), Some(Setting::Number(drawn(1).members.into())));
        assert!(matches!(settings.get("network.delay.0"), Some(Setting::Duration(_))));
        assert_eq!(settings.get("network.nothing"), None);
        let changed = settings
            .with("faults.crashes", Setting::Number(77))
            .with("network.delay.1", Setting::Duration(Duration::from_secs(9)))
            .with("faults.nothing", Setting::Flag(true));
        let options = changed.to_options().expect("they are options");
        assert_eq!((options.faults.crashes, options.network.delay.1), (77, Duration::from_secs(9)));
    }

    #[test]
    fn an_element_of_a_list_can_be_left_out() {
        let mut options = drawn(2);
        options.faults.spared = vec![3, 4, 5];
        let settings = Settings::of(&options);
        assert!(settings.lists().contains(&("faults.spared".to_owned(), 3)));
        let changed = settings.without("faults.spared", 1).without("faults.spared", 9);
        assert_eq!(changed.to_options().expect("they are options").faults.spared, [3, 5]);
    }
}
