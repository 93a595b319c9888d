//! The tour: a few cards that say where things are. Pure; who may see it, and when it ends, stands in `workbench::help`.

use super::settings::Pane;
use crate::words::catalogue::find;

/// Where somebody is in the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tour {
    /// The card that is shown, from 0; the first one only asks.
    pub at: usize,
}

/// A card: its id in the catalogue (`tour.ID.title`, `tour.ID.text`), what it points at, and the pane that has to be in
/// sight for it on a narrow screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Card {
    pub id: &'static str,
    pub pane: Option<Pane>,
}

pub const CARDS: [Card; 7] = [
    Card { id: "welcome", pane: None },
    Card { id: "files", pane: Some(Pane::Files) },
    Card { id: "editor", pane: Some(Pane::Editor) },
    Card { id: "run", pane: Some(Pane::Editor) },
    Card { id: "terminal", pane: Some(Pane::Terminal) },
    Card { id: "share", pane: None },
    Card { id: "palette", pane: None },
];

impl Tour {
    pub fn card(self) -> Card {
        CARDS[self.at.min(CARDS.len() - 1)]
    }

    /// The card after this one, or before it; `None` behind the last.
    pub fn step(self, forwards: bool) -> Option<Self> {
        let at = if forwards { self.at + 1 } else { self.at.saturating_sub(1).max(1) };
        (at < CARDS.len()).then_some(Self { at })
    }

    pub fn is_last(self) -> bool {
        self.at + 1 == CARDS.len()
    }
}

impl Card {
    pub fn title(self) -> &'static str {
        find(&format!("tour.{}.title", self.id)).unwrap_or(self.id)
    }

    pub fn text(self) -> &'static str {
        find(&format!("tour.{}.text", self.id)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tour_goes_forwards_and_back_and_ends() {
        let mut tour = Some(Tour { at: 0 });
        let mut seen = 0;
        while let Some(now) = tour {
            seen += 1;
            tour = now.step(true);
        }
        assert_eq!(seen, CARDS.len());
        assert_eq!(Tour { at: 1 }.step(false), Some(Tour { at: 1 }), "back to the question leads nowhere");
        assert_eq!(Tour { at: 3 }.step(false), Some(Tour { at: 2 }));
    }

    #[test]
    fn every_card_has_its_words() {
        for card in CARDS {
            assert!(card.title() != card.id && !card.text().is_empty(), "{card:?}");
        }
    }
}
