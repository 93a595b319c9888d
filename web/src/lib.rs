//! The page: a file tree, an editor and a terminal on a room's sandbox.
//!
//! What it shows is [`state`], which is pure and knows no browser; so are [`run`], [`words`], [`backoff`], [`link`],
//! [`standing`], [`queue`], [`places`] and [`wire`], and all of them are tested on the host. The rest exists in a browser
//! alone: `connection` is the socket, `workbench` turns what people do and what the server says into state, `components`
//! draw it, and nothing but `interop` and `connection` binds JavaScript. [`console`] is another page, with a program of its own.

pub mod backoff;
pub mod console;
pub mod link;
pub mod places;
pub mod queue;
pub mod run;
pub mod standing;
pub mod state;
pub mod wire;
pub mod words;

#[cfg(target_arch = "wasm32")]
pub mod components;
#[cfg(target_arch = "wasm32")]
mod connection;
#[cfg(test)]
mod corpora;
#[cfg(target_arch = "wasm32")]
mod documents;
#[cfg(target_arch = "wasm32")]
mod gate;
#[cfg(target_arch = "wasm32")]
mod interop;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod signal;
#[cfg(target_arch = "wasm32")]
mod terminals;
#[cfg(target_arch = "wasm32")]
mod workbench;

/// Draws the page and joins the room that the address names.
#[cfg(target_arch = "wasm32")]
pub fn start() {
    // A panic would leave a page that looks well and does nothing.
    yew::set_custom_panic_hook(Box::new(|panic| interop::page::has_failed(&panic.to_string())));
    let workbench = workbench::Workbench::new();
    wasm_bindgen_futures::spawn_local(async move {
        workbench.load_language().await;
        components::mount(workbench.clone());
        workbench.start();
    });
}
