//! Settings: a person's own and a room's, kept, changed, handed on, and taken over from other tabs.

use serde_json::Value;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, StorageEvent};

use super::Workbench;
use crate::interop::{language, page};
use crate::memory;
use crate::state::Action;
use crate::state::settings::stored::{LONGEST_FILE, Values};
use crate::state::settings::{Settings, Theme};
use crate::words::catalogue::{self, say};

impl Workbench {
    /// Takes settings as they shall be: what was changed goes to the room's own where it has one, else to the person's.
    pub(crate) fn set(&self, settings: Settings) {
        let (before, own, here) = self.parts();
        let (mut own, mut here) = (own, here);
        for id in settings.differing(&before) {
            let value = settings.value(&id);
            if let Some(kept) = here.get_mut(&id) {
                *kept = value;
            } else if let Ok(with) = own.with(&id, value) {
                own = with;
            }
        }
        self.take_settings(own, here);
    }

    /// Changes one setting, for this room alone if it has its own there; why not, if it can't be.
    pub(crate) fn change_setting(&self, id: &str, value: Value) -> Result<(), String> {
        let (before, ..) = self.parts();
        self.set(before.with(id, value)?);
        Ok(())
    }

    /// Gives one setting its default again; in a room that has its own, the person's.
    pub(crate) fn reset_setting(&self, id: &str) {
        let (_, own, mut here) = self.parts();
        if here.remove(id).is_some() {
            return self.take_settings(own, here);
        }
        if let Ok(own) = own.with(id, Settings::default().value(id)) {
            self.take_settings(own, here);
        }
    }

    /// Lets a setting be this room's own from now on, or no more.
    pub(crate) fn keep_setting_here(&self, id: &str, is_here: bool) {
        let (settings, own, mut here) = self.parts();
        if is_here {
            here.insert(id.to_owned(), settings.value(id));
        } else {
            here.remove(id);
        }
        self.take_settings(own, here);
    }

    /// Lets the room have nothing of its own any more.
    pub(crate) fn forget_room_settings(&self) {
        let (_, own, _) = self.parts();
        self.take_settings(own, Values::new());
    }

    pub(crate) fn set_theme(&self, theme: Theme) {
        let settings = Settings { theme, ..(*self.state().settings).clone() };
        self.set(settings);
    }

    /// Hands the person's own settings to the browser as a file to keep.
    pub(crate) fn export_settings(&self) {
        let file = self.state().own.export();
        if page::download("embedenv-settings.json", file.as_bytes()).is_err() {
            self.alert(say!("settings.export.failed"));
        }
    }

    /// Takes settings from a file; what is wrong with it, and then nothing is taken.
    pub(crate) async fn import_settings(&self, file: &File) -> Result<(), Vec<String>> {
        if file.size() > LONGEST_FILE as f64 {
            return Err(vec![say!("settings.import.too-long").to_owned()]);
        }
        let bytes = page::file_bytes(file).await.map_err(|_| vec![say!("settings.import.unread").to_owned()])?;
        let own = Settings::import(&String::from_utf8_lossy(&bytes))?;
        let here = (*self.state().here).clone();
        self.take_settings(own, here);
        Ok(())
    }

    /// The room is known: what it has instead of the person's own settings.
    pub(super) fn room_is_known(&self) {
        let Some(room) = self.state().me.as_ref().map(|me| me.room) else { return };
        if self.state().is_framed {
            return;
        }
        let here = memory::room_settings(room);
        if here != *self.state().here {
            let (_, own, _) = self.parts();
            self.apply_settings(own, here);
        }
    }

    /// Another tab has set something.
    pub(super) fn storage_changed(&self, event: &web_sys::Event) {
        let key = event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key);
        if !matches!(key.as_deref(), Some(memory::SETTINGS | memory::ROOMS)) {
            return;
        }
        let (own, _) = memory::settings();
        let here = match &self.state().me {
            // What a frame's address sets is nowhere else.
            _ if self.state().is_framed => (*self.state().here).clone(),
            Some(me) => memory::room_settings(me.room),
            None => Values::default(),
        };
        self.apply_settings(own, here);
    }

    pub(super) fn parts(&self) -> (Settings, Settings, Values) {
        let state = self.state();
        ((*state.settings).clone(), (*state.own).clone(), (*state.here).clone())
    }

    /// Keeps what was set, and lets it take effect.
    fn take_settings(&self, own: Settings, here: Values) {
        memory::keep_settings(&own);
        if let Some(me) = self.state().me.clone().filter(|_| !self.state().is_framed) {
            memory::keep_room_settings(me.room, &here);
        }
        self.apply_settings(own, here);
    }

    pub(super) fn apply_settings(&self, own: Settings, here: Values) {
        let before = self.state().settings.clone();
        self.dispatch(Action::Settings { own, here });
        let now = self.state().settings.clone();
        self.apply_theme();
        self.apply_editing(&before);
        if before.language != now.language {
            self.speak();
        }
        if before.user != now.user && self.state().me.is_some() {
            // A name is given when joining.
            self.connection.renew();
        }
    }

    /// Speaks the language that is chosen, and draws everything anew in it.
    fn speak(&self) {
        let workbench = self.clone();
        spawn_local(async move {
            workbench.load_language().await;
            workbench.redraw_now();
        });
    }

    /// Loads the language that is chosen; without it, the page speaks English.
    pub(crate) async fn load_language(&self) {
        let chosen = language::choose(&self.state().settings.language.clone());
        let language = match &chosen {
            None => None,
            Some(code) => match language::load(code).await {
                Ok(language) => Some(language),
                Err(_) => {
                    page::warn("the language could not be loaded");
                    None
                }
            },
        };
        catalogue::speak(language);
        let (code, is_from_right) = catalogue::spoken();
        page::set_language(code, is_from_right);
    }
}
