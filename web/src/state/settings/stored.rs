//! Settings as they are kept and handed on: values by their ids. What this page does not know is kept as it is, and one
//! value that can't be used costs the others nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Settings, table};
use crate::words::catalogue::say;

/// Values by the ids of their settings.
pub type Values = BTreeMap<String, Value>;

/// How a file of settings says what it is.
const KIND: &str = "embedenv-settings";
/// The longest file of settings that is read, in bytes; a longer one is none.
pub const LONGEST_FILE: usize = 256 * 1024;

impl Settings {
    /// Settings from values, and what is wrong with those that can't be used.
    pub fn read(values: &Values) -> (Self, Vec<String>) {
        let (mut settings, mut wrong) = (Self::default(), Vec::new());
        for (id, value) in values {
            match settings.with(id, value.clone()) {
                Ok(with) => settings = with,
                Err(why) => wrong.push(why),
            }
        }
        (settings, wrong)
    }

    /// What differs from the defaults, and what this page does not know.
    pub fn values(&self) -> Values {
        let default = Self::default().fields();
        let changed = self.fields().into_iter().filter(|(id, value)| default.get(id) != Some(value));
        changed.chain(self.others.clone()).collect()
    }

    /// The same with another value.
    pub fn with(&self, id: &str, value: Value) -> Result<Self, String> {
        let mut fields = self.fields();
        if !fields.contains_key(id) {
            let mut settings = self.clone();
            settings.others.insert(id.to_owned(), value);
            return Ok(settings);
        }
        if let Some(why) = table::of(id).and_then(|row| row.refuses(&value)) {
            return Err(say!("settings.wrong", id = id, why = why));
        }
        fields.insert(id.to_owned(), value);
        let read = serde_json::from_value::<Self>(Value::Object(fields));
        let read = read.map_err(|error| say!("settings.wrong", id = id, why = error))?;
        Ok(Self { others: self.others.clone(), ..read })
    }

    /// The same with what a room has instead; what can't be used there is left out.
    pub fn with_all(&self, values: &Values) -> Self {
        let take =
            |settings: Self, (id, value): (&String, &Value)| settings.with(id, value.clone()).unwrap_or(settings);
        values.iter().fold(self.clone(), take)
    }

    pub fn value(&self, id: &str) -> Value {
        self.fields().remove(id).unwrap_or_default()
    }

    /// The ids of the settings that differ from `other`'s.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let theirs = other.fields();
        let ours = self.fields().into_iter();
        ours.filter(|(id, value)| theirs.get(id) != Some(value)).map(|(id, _)| id).collect()
    }

    pub fn is_default(&self, id: &str) -> bool {
        self.value(id) == Self::default().value(id)
    }

    /// A file for people to keep and to hand on.
    pub fn export(&self) -> String {
        let file = json!({ "kind": KIND, "version": 1, "settings": self.values() });
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Reads such a file; what is wrong with it, line by line, if it can't be used.
    pub fn import(file: &str) -> Result<Self, Vec<String>> {
        if file.len() > LONGEST_FILE {
            return Err(vec![say!("settings.import.too-long").to_owned()]);
        }
        let file: Value =
            serde_json::from_str(file).map_err(|error| vec![say!("settings.import.not-json", why = error)])?;
        if file.get("kind").and_then(Value::as_str) != Some(KIND) {
            return Err(vec![say!("settings.import.other-kind", kind = KIND)]);
        }
        let Some(Value::Object(values)) = file.get("settings") else {
            return Err(vec![say!("settings.import.no-settings").to_owned()]);
        };
        let values = values.iter().map(|(id, value)| (id.clone(), value.clone())).collect();
        let (settings, wrong) = Self::read(&values);
        if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
    }

    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Theme;
    use super::*;

    fn values(text: &str) -> Values {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_can_not_be_used_is_told_and_costs_the_others_nothing() {
        let (settings, wrong) = Settings::read(&values(r#"{"theme":"pink","screen_reader":true,"user":"Ada"}"#));
        assert_eq!((settings.theme, settings.screen_reader, &*settings.user), (Theme::System, true, "Ada"));
        assert!(
            wrong.len() == 1 && wrong[0].starts_with("theme: it has to be one of system, dark, light"),
            "{wrong:?}"
        );
    }

    #[test]
    fn what_this_page_does_not_know_is_kept() {
        let kept = values(r#"{"theme":"dark","of_a_newer_page":[1]}"#);
        let (settings, wrong) = Settings::read(&kept);
        assert!(wrong.is_empty());
        assert_eq!(settings.values(), kept);
        assert_eq!(settings.with("user", "x".into()).unwrap().values().len(), 3);
    }

    #[test]
    fn an_exported_file_is_imported_as_the_same() {
        let keys = values(r#"{"keys":{"save":["Ctrl+K S"]},"theme":"light","gone":true}"#);
        let (settings, _) = Settings::read(&keys);
        assert_eq!(Settings::import(&settings.export()), Ok(settings));
    }

    #[test]
    fn a_file_that_is_not_one_of_settings_says_why() {
        let why = |file: &str| Settings::import(file).unwrap_err().join(" ");
        assert!(why("{").contains("line 1"));
        assert!(why("[]").contains("embedenv-settings"));
        assert!(why(r#"{"kind":"embedenv-settings"}"#).contains("settings"));
        let wrong = r#"{"kind":"embedenv-settings","settings":{"screen_reader":1,"theme":2}}"#;
        assert_eq!(Settings::import(wrong).unwrap_err().len(), 2);
    }

    #[test]
    fn a_room_has_its_own_and_the_rest_is_the_persons() {
        let own = Settings { user: "Ada".to_owned(), ..Settings::default() };
        let here = own.with_all(&values(r#"{"theme":"dark","screen_reader":"no"}"#));
        assert_eq!((here.theme, here.screen_reader, &*here.user), (Theme::Dark, false, "Ada"));
        assert_eq!(here.differing(&own), ["theme"]);
    }
}
