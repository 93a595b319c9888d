//! Every JavaScript binding of the page: its own modules ([`modules`], [`editor`], [`terminal`], [`language`], [`views`],
//! [`frame`]) and what it asks of the browser ([`page`], [`tabs`], [`keyboard`], [`dropped`],
//! [`framed`]). Nothing here knows the room or
//! the state.

pub(crate) mod dropped;
pub(crate) mod editor;
pub(crate) mod frame;
pub(crate) mod framed;
pub(crate) mod keyboard;
pub(crate) mod language;
pub(crate) mod modules;
pub(crate) mod page;
pub(crate) mod size;
pub(crate) mod tabs;
pub(crate) mod terminal;
pub(crate) mod toml;
pub(crate) mod touch;
pub(crate) mod views;
