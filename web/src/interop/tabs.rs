//! Tabs that are opened while a click lasts, and led somewhere once it is known where: later ones are taken for what nobody
//! asked for.

use web_sys::Window;

use super::page::window;

/// A tab of this page's making, while it shows nothing yet; none where the browser opens none.
#[derive(Debug)]
pub(crate) struct Tab(Option<Window>);

impl Tab {
    pub(crate) fn open() -> Self {
        let opened = window().open_with_url_and_target("about:blank", "_blank").ok().flatten();
        if let Some(opened) = &opened {
            // What it will show has no business with this page.
            let _ = opened.set_opener(&wasm_bindgen::JsValue::NULL);
        }
        Self(opened)
    }

    /// Shows an address in it, or here if there is no such tab.
    pub(crate) fn lead(self, url: &str) {
        let to = self.0.unwrap_or_else(window);
        // Of this origin: never refused.
        let _ = to.location().set_href(url);
    }

    pub(crate) fn close(self) {
        if let Some(opened) = self.0 {
            let _ = opened.close();
        }
    }
}
