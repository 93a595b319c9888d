//! What is reckoned before it is drawn: days of usage, lists that people type, what the address says. Pure.

use super::bodies::{Day, Usage};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// What was spent on each of the last days, today's last, also where it was nothing. `now` in milliseconds since 1970.
pub fn by_day(usage: &Usage, days: usize, now: u64) -> Vec<(u64, i64)> {
    let today = now / DAY * DAY;
    let began = (0..days as u64).rev().map(|back| today.saturating_sub(back * DAY));
    let spent = |began: u64| usage.days.iter().find(|day| day.began == began).map_or(0, |day| day.spent);
    began.map(|began| (began, spent(began))).collect()
}

/// What each pair spent, the most first.
pub fn by_key(days: &[Day]) -> Vec<(String, i64)> {
    let mut sums: Vec<(String, i64)> = Vec::new();
    for key in days.iter().flat_map(|day| &day.keys) {
        match sums.iter_mut().find(|(name, _)| *name == key.public_key) {
            Some((_, sum)) => *sum += key.spent,
            None => sums.push((key.public_key.clone(), key.spent)),
        }
    }
    sums.retain(|(_, sum)| *sum != 0);
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    sums
}

/// What stands between commas, or on lines.
pub fn list(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A whole number that was typed, into a field that takes nothing else.
pub fn whole(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// A number of bytes, in the largest unit of which there is one.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// What a link from a mail, or the server, brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    Confirm(String),
    Reset(String),
    Invitation(String),
    Operator(String),
}

impl Errand {
    /// From the address's fragment.
    pub fn read(fragment: &str) -> Option<Self> {
        let (name, token) = fragment.trim_start_matches('#').split_once('=')?;
        let token = token.to_owned();
        match name {
            "confirm" => Some(Self::Confirm(token)),
            "reset" => Some(Self::Reset(token)),
            "invitation" => Some(Self::Invitation(token)),
            "operator" => Some(Self::Operator(token)),
            _ => None,
        }
    }
}

/// A part of the console, by its name in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Keys,
    Rooms,
    Widgets,
    Webhooks,
    Account,
    Operator,
    Server,
}

impl Section {
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Keys,
        Self::Rooms,
        Self::Widgets,
        Self::Webhooks,
        Self::Account,
        Self::Operator,
        Self::Server,
    ];

    /// Whether it is for operators of the server alone.
    pub fn is_operators(self) -> bool {
        matches!(self, Self::Operator | Self::Server)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Keys => "keys",
            Self::Rooms => "rooms",
            Self::Widgets => "widgets",
            Self::Webhooks => "webhooks",
            Self::Account => "account",
            Self::Operator => "operator",
            Self::Server => "server",
        }
    }

    /// From the address's fragment; the overview if that says nothing.
    pub fn read(fragment: &str) -> Self {
        let name = fragment.trim_start_matches("#/");
        Self::ALL.into_iter().find(|section| section.name() == name).unwrap_or(Self::Overview)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bodies::DayOfKey;
    use super::*;

    fn day(began: u64, spent: i64, keys: &[(&str, i64)]) -> Day {
        let keys = keys.iter().map(|(key, spent)| DayOfKey { public_key: (*key).to_owned(), spent: *spent }).collect();
        Day { began, spent, keys }
    }

    #[test]
    fn every_day_has_a_place_and_the_last_is_today() {
        let usage = Usage { days: vec![day(2 * DAY, 3, &[]), day(4 * DAY, 1, &[])] };
        assert_eq!(by_day(&usage, 3, 4 * DAY + 5), [(2 * DAY, 3), (3 * DAY, 0), (4 * DAY, 1)]);
    }

    #[test]
    fn what_keys_spent_is_added_up() {
        let days = [day(0, 3, &[("a", 1), ("b", 2)]), day(DAY, 4, &[("a", 4), ("c", 0)])];
        assert_eq!(by_key(&days), [("a".to_owned(), 5), ("b".to_owned(), 2)]);
    }

    #[test]
    fn bytes_are_told_in_the_largest_unit() {
        let told: Vec<_> = [512 * 1024, 1 << 30, 3 << 29, 20 << 20].map(bytes).into();
        assert_eq!(told, ["512 KiB", "1 GiB", "1.5 GiB", "20 MiB"]);
    }

    #[test]
    fn what_is_typed_and_what_the_address_says_is_read() {
        assert_eq!(list(" a, b\nc,, "), ["a", "b", "c"]);
        assert_eq!((whole(" 7 "), whole(""), whole("x")), (Some(7), None, None));
        assert_eq!(Errand::read("#confirm=ot_1"), Some(Errand::Confirm("ot_1".to_owned())));
        assert_eq!(Errand::read("#/keys"), None);
        assert_eq!((Section::read("#/keys"), Section::read("#/none")), (Section::Keys, Section::Overview));
        assert_eq!(Section::read(""), Section::Overview);
    }
}
