//! The console: a page of its own beside the IDE's, from the same sources, for accounts, key pairs, credits, rooms and widgets.
//! Everything goes through the REST API that everybody has; it knows no socket and no workbench.
//!
//! `bodies`, `reckoning` and `words` are pure and tested on the host; the rest exists in a browser alone.

pub mod bodies;
pub mod reckoning;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod account;
#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod door;
#[cfg(target_arch = "wasm32")]
mod keys;
#[cfg(target_arch = "wasm32")]
mod links;
#[cfg(target_arch = "wasm32")]
mod operator;
#[cfg(target_arch = "wasm32")]
mod overview;
#[cfg(target_arch = "wasm32")]
mod parts;
#[cfg(target_arch = "wasm32")]
mod rooms;
#[cfg(target_arch = "wasm32")]
mod server;
#[cfg(target_arch = "wasm32")]
mod webhooks;
#[cfg(target_arch = "wasm32")]
mod widgets;

/// Draws the console, in the browser's language if it has that.
#[cfg(target_arch = "wasm32")]
pub fn start() {
    use crate::interop::{language, page};
    use crate::words::catalogue;
    use reckoning::Errand;

    wasm_bindgen_futures::spawn_local(async move {
        if let Some(code) = language::choose("") {
            // Without it the console speaks English.
            catalogue::speak(language::load(&code).await.ok());
        }
        let (code, is_from_right) = catalogue::spoken();
        page::set_language(code, is_from_right);
        page::set_title(words::tell!("title"));
        yew::set_custom_panic_hook(Box::new(|_| page::say_instead(words::tell!("page.failed"))));
        // A token has no business in the address bar, its history, or a copied link.
        let errand = Errand::read(&page::fragment());
        if errand.is_some() {
            page::set_fragment("");
        }
        let root = page::document().get_element_by_id("app").expect("the page has an element #app");
        yew::Renderer::<app::App>::with_root_and_props(root, app::AppProps { errand }).render();
    });
}
