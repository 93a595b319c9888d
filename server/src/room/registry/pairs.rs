//! What the registry does for the holder of a key pair: whose rooms and widgets are theirs, what they spent. Another pair's look like none.

use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::MAX_KEY;
use embedenv_shared::id::RoomId;

use super::Registry;
use crate::ledger::{CreditRow, LedgerError, Mark, NewWidget, Payer, RoomRow, UsageRow, Widget, WidgetRow, failed};
use crate::room::Room;

/// Rooms that are ended before the next ones are looked for.
const ENDED_AT_ONCE: u32 = 100;

impl Registry {
    /// A pair that proves itself by its secret.
    pub async fn pair(&self, public_key: &str, secret_key: &str) -> Result<Payer, Failure> {
        // No key has a character of code 0, which not every database can be asked about.
        if public_key.len() > MAX_KEY || secret_key.len() > MAX_KEY || public_key.contains('\0') {
            return Err(failed(LedgerError::BadCredentials));
        }
        self.ledger.authenticate(public_key, secret_key).await.map_err(failed)
    }

    /// The living rooms that a pair's account pays for, by id, so many of those behind `after`; those alone whose metadata have
    /// these members.
    pub async fn rooms_of(
        &self,
        payer: &Payer,
        after: &str,
        most: u32,
        metadata: &[(String, String)],
    ) -> Result<Vec<RoomRow>, Failure> {
        let (first, more) = (metadata.first(), metadata.get(1..).unwrap_or_default());
        let (mut found, mut after) = (Vec::new(), after.to_owned());
        loop {
            let rows = self.ledger.rooms_of(payer.account(), &after, most, first).await.map_err(failed)?;
            let is_last = rows.len() < most as usize;
            if let Some(last) = rows.last() {
                after = last.room.to_string();
            }
            found.extend(rows.into_iter().filter(|row| more.iter().all(|(name, value)| row.says(name, value))));
            if is_last || found.len() >= most as usize {
                found.truncate(most as usize);
                return Ok(found);
            }
        }
    }

    /// A living room, if the pair's account pays for it.
    pub async fn room_of(&self, payer: &Payer, room: RoomId) -> Result<(Arc<Room>, RoomRow), Failure> {
        let row = self.ledger.room_of(payer.account(), room).await.map_err(failed)?;
        let room = self.find(room).ok_or_else(|| failed(LedgerError::UnknownRoom))?;
        Ok((room, row))
    }

    /// Ends every room that a pair's account pays for, with its files.
    pub async fn end_rooms_of(&self, payer: &Payer) -> Result<(), Failure> {
        loop {
            let rows = self.rooms_of(payer, "", ENDED_AT_ONCE, &[]).await?;
            for row in &rows {
                match self.find(row.room) {
                    Some(room) => self.end(&room).await,
                    None => self.ledger.end_room(row.room).await.map_err(failed)?,
                }
            }
            if rows.len() < ENDED_AT_ONCE as usize {
                return Ok(());
            }
        }
    }

    /// The lines of a pair's account, the newest first, so many of those behind `after`.
    pub async fn credits_of(&self, payer: &Payer, after: Option<&Mark>, most: u32) -> Result<Vec<CreditRow>, Failure> {
        self.ledger.credits(payer.account(), after, most).await.map_err(failed)
    }

    /// What a pair's account used on each of the last days.
    pub async fn usage_of(&self, payer: &Payer, days: u32) -> Result<Vec<UsageRow>, Failure> {
        self.ledger.usage(payer.account(), days).await.map_err(failed)
    }

    /// Makes a widget, and returns its id.
    pub async fn create_widget(&self, new: NewWidget) -> Result<String, Failure> {
        if !self.has_space(&new.space) {
            return Err(Failure::new(ErrorCode::UnknownSpace, "no such space"));
        }
        let space = self.config.space_name(&new.space).to_owned();
        self.ledger.create_widget(NewWidget { space, ..new }).await.map_err(failed)
    }

    pub async fn widgets_of(&self, payer: &Payer) -> Result<Vec<WidgetRow>, Failure> {
        self.ledger.widgets(Some(payer.account())).await.map_err(failed)
    }

    pub async fn revoke_widget_of(&self, payer: &Payer, id: &str) -> Result<(), Failure> {
        self.ledger.revoke_widget(id, Some(payer.account())).await.map_err(failed)
    }

    /// What may be opened by an id.
    pub async fn widget(&self, id: &str) -> Result<Widget, Failure> {
        if id.len() > MAX_KEY {
            return Err(failed(LedgerError::UnknownWidget));
        }
        self.ledger.widget(id).await.map_err(failed)
    }
}
