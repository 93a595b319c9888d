//! What the page asks of its browser: the address, storage, the clipboard, files, looks, focus.

use crate::link::decoded;
use crate::words::catalogue::{find, say, spoken};
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::WasmClosure;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, Document, Element, File, HtmlAnchorElement, HtmlDialogElement, HtmlElement,
    HtmlInputElement, PerformanceNavigation, Storage, Url, Window,
};

pub(crate) fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

pub(crate) fn document() -> Document {
    window().document().expect("a window has a document")
}

/// Sets a member of an object made here.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("an object made here takes members");
}

/// Texts of the catalogue by their keys, for the page's scripts (`web/js/src/said.ts`).
pub(super) fn words(keys: &[&str]) -> Object {
    let words = Object::new();
    for key in keys {
        // Placeholders are filled in over there.
        set(&words, key, &find(key).unwrap_or(key).into());
    }
    words
}

/// The nonce of this response, which style elements made by scripts must carry.
pub(crate) fn nonce() -> String {
    let script = document().query_selector("script[nonce]").ok().flatten();
    script.and_then(|script| script.dyn_into::<HtmlElement>().ok()).map(|script| script.nonce()).unwrap_or_default()
}

/// A function that lives as long as JavaScript holds it: a module may call back once more after its part is gone.
pub(super) fn callback<T: ?Sized + WasmClosure>(closure: Closure<T>) -> Function {
    closure.into_js_value().unchecked_into()
}

pub(crate) fn meta(name: &str) -> Option<String> {
    document().query_selector(&format!("meta[name=\"{name}\"]")).ok()??.get_attribute("content")
}

pub(crate) fn add_style_sheet(url: &str) {
    let document = document();
    let present = document.query_selector(&format!("link[href=\"{url}\"]")).ok().flatten();
    if present.is_none()
        && let (Ok(link), Some(head)) =
            (document.create_element("link"), document.query_selector("head").ok().flatten())
    {
        // Of an element made here, and so never refused.
        let _ = link.set_attribute("rel", "stylesheet");
        let _ = link.set_attribute("href", url);
        let _ = head.append_child(&link);
    }
}

/// The address's fragment, as it stands there.
pub(crate) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Another one; nothing takes it out of the address bar and its history entry.
pub(crate) fn set_fragment(fragment: &str) {
    let location = window().location();
    if !fragment.is_empty() {
        // Of this page: never refused.
        let _ = location.set_hash(fragment);
        return;
    }
    let bare = format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&bare));
    }
}

/// Says something in place of a page that has failed.
pub(crate) fn say_instead(text: &str) {
    if let Some(body) = document().body() {
        body.set_text_content(Some(text));
    }
}

/// The address's fragment, which is taken out of the address bar and its history entry. In a frame it goes into the state
/// of that entry, where a reload finds it: a frame may be given no storage, or one together with others of its page.
pub(crate) fn take_fragment() -> String {
    let location = window().location();
    let fragment = location.hash().unwrap_or_default();
    if fragment.is_empty() {
        return if is_framed() { kept_fragment().unwrap_or_default() } else { fragment };
    }
    let bare = format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    if let Ok(history) = window().history() {
        let state = if is_framed() { JsValue::from_str(&fragment) } else { JsValue::NULL };
        let _ = history.replace_state_with_url(&state, "", Some(&bare));
    }
    fragment
}

/// Adds a member to the fragment that a frame finds again when it is loaded anew.
pub(crate) fn keep_in_fragment(name: &str, value: &str) {
    let value = String::from(js_sys::encode_uri_component(value));
    let kept = format!("{}&{name}={value}", kept_fragment().unwrap_or_default());
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::from_str(&kept), "", None);
    }
}

fn kept_fragment() -> Option<String> {
    window().history().ok()?.state().ok()?.as_string()
}

/// What stands in the address behind the path, from its `?` on.
pub(crate) fn search() -> String {
    window().location().search().unwrap_or_default()
}

/// Where a page of another site may have this one in a frame of its own.
const FRAMED: &str = "/embed";

/// The widget that this page is the frame of.
pub(crate) fn widget() -> Option<String> {
    let path = window().location().pathname().ok()?;
    let id = path.strip_prefix(FRAMED)?.strip_prefix('/')?.trim_end_matches('/');
    (!id.is_empty()).then(|| decoded(id))
}

/// Whether this page is for frames: of its address alone, so that it is the same wherever it is opened.
pub(crate) fn is_framed() -> bool {
    let path = window().location().pathname().unwrap_or_default();
    path.strip_prefix(FRAMED).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Width and height of the window, in CSS pixels.
pub(crate) fn size() -> (i32, i32) {
    let root = document().document_element();
    root.map_or((0, 0), |root| (root.client_width(), root.client_height()))
}

pub(crate) fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The server's own socket. The space in it is without meaning for who comes with a join key.
/// Whether the server goes by a name of this machine, so that others of such names lead to it as well.
pub(crate) fn is_at_home() -> bool {
    let host = window().location().hostname().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str())
}

pub(crate) fn socket_url() -> String {
    format!("{}/ws/spaces/default/", origin().replacen("http", "ws", 1))
}

pub(crate) fn reload() {
    let _ = window().location().reload();
}

/// Whether the browser believes that there is a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

pub(crate) fn is_visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// The tab's own storage; `None` where a frame is given none.
pub(crate) fn session_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

pub(crate) fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

pub(crate) fn prefers_dark() -> bool {
    dark_query().is_some_and(|query| query.matches())
}

/// Whether one pane is shown at a time. In a frame several are, however small.
pub(crate) fn is_narrow() -> bool {
    if is_framed() {
        return false;
    }
    let query = window().match_media("(max-width: 720px)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// Whether what people point with is a finger.
pub(crate) fn is_touched() -> bool {
    let query = window().match_media("(pointer: coarse)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

pub(crate) fn dark_query() -> Option<web_sys::MediaQueryList> {
    window().match_media("(prefers-color-scheme: dark)").ok().flatten()
}

/// The browser and what it runs on, as it says itself.
pub(crate) fn browser() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

/// Whether the system asks for much contrast.
pub(crate) fn prefers_contrast() -> bool {
    contrast_query().is_some_and(|query| query.matches())
}

pub(crate) fn contrast_query() -> Option<web_sys::MediaQueryList> {
    window().match_media("(prefers-contrast: more)").ok().flatten()
}

/// Sets `data-theme` of the page.
pub(crate) fn set_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        // An attribute of a fixed name is never refused.
        let _ = root.set_attribute("data-theme", theme);
    }
}

/// Sets a custom property for the whole page.
pub(crate) fn set_property(property: &str, value: &str) {
    if let Some(root) = document().document_element() {
        set_style(&root, property, value);
    }
}

/// Says in which language the page is.
pub(crate) fn set_language(code: &str, is_from_right: bool) {
    if let Some(root) = document().document_element() {
        // Attributes of the page's own element are never refused.
        let _ = root.set_attribute("lang", code);
        let _ = root.set_attribute("dir", if is_from_right { "rtl" } else { "ltr" });
    }
}

/// Sets a property through the object model, since the page's policy takes no `style` attributes.
pub(crate) fn set_style(element: &Element, property: &str, value: &str) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.style().set_property(property, value);
    }
}

pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

pub(crate) async fn copy(text: &str) -> bool {
    JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok()
}

/// What the clipboard has, if the page may read it.
pub(crate) async fn clipboard() -> Option<String> {
    JsFuture::from(window().navigator().clipboard().read_text()).await.ok()?.as_string()
}

/// Opens a link of a program's in a tab of its own that knows nothing of this one.
pub(crate) fn open_link(url: &str) {
    let _ = window().open_with_url_and_target_and_features(url, "_blank", "noopener,noreferrer");
}

/// Hands bytes to the browser as a file to keep.
pub(crate) fn download(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let parts = Array::of1(&Uint8Array::from(bytes));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    save(&url, name);
    Url::revoke_object_url(&url)
}

/// Bytes under an address of this page's own, as long as this lives.
#[derive(Debug, PartialEq)]
pub(crate) struct ObjectUrl(String);

impl ObjectUrl {
    pub(crate) fn new(bytes: &[u8], kind: &str) -> Option<Self> {
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        let parts = Array::of1(&Uint8Array::from(bytes));
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
        Url::create_object_url_with_blob(&blob).ok().map(Self)
    }

    pub(crate) fn address(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // It is gone with the page at the latest.
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Has the browser save what is at an address of the server's.
pub(crate) fn save(address: &str, name: &str) {
    let Ok(anchor) = document().create_element("a") else { return };
    let anchor: HtmlAnchorElement = anchor.unchecked_into();
    anchor.set_href(address);
    anchor.set_download(name);
    anchor.click();
}

pub(crate) async fn file_bytes(file: &File) -> Result<Vec<u8>, JsValue> {
    bytes_between(file, 0, file.size() as u64).await
}

/// Some bytes of a file of the person's own.
pub(crate) async fn bytes_between(file: &File, from: u64, to: u64) -> Result<Vec<u8>, JsValue> {
    let part = file.slice_with_f64_and_f64(from as f64, to as f64)?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

pub(crate) fn focused() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok()
}

/// Whether the keyboard is at no element of the page.
pub(crate) fn is_nothing_focused() -> bool {
    let focused = focused();
    focused.is_none() || focused.as_deref() == document().body().as_deref().map(AsRef::as_ref)
}

pub(crate) fn give_focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // One that is not shown takes none.
        let _ = element.focus();
    }
}

/// Gives the keyboard to the item `steps` from the one that has it, around the end.
pub(crate) fn step_focus(within: &Element, items: &str, steps: i32) {
    let Ok(items) = within.query_selector_all(items) else { return };
    let count = i32::try_from(items.length()).unwrap_or(0);
    let focused = focused();
    let is_focused = |index: &i32| items.get(*index as u32).as_ref() == focused.as_deref().map(AsRef::as_ref);
    let at = (0..count).find(is_focused).unwrap_or(0);
    if let Some(item) = items.get((at + steps).rem_euclid(count.max(1)) as u32)
        && let Ok(item) = item.dyn_into::<Element>()
    {
        give_focus(&item);
    }
}

/// Gives the keyboard to the first element that fits, and says whether there is one.
pub(crate) fn focus(selector: &str) -> bool {
    let element = document().query_selector(selector).ok().flatten();
    element.and_then(|element| element.dyn_into::<HtmlElement>().ok()).is_some_and(|element| element.focus().is_ok())
}

/// Gives the keyboard to the first input that fits, and selects all of its text.
pub(crate) fn focus_and_select_all(selector: &str) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(input) = element.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        let _ = input.focus();
        input.select();
    }
}

/// The text that is selected in the page.
pub(crate) fn selected_text() -> String {
    let selection = window().get_selection().ok().flatten();
    selection.map(|selection| String::from(selection.to_string())).unwrap_or_default()
}

/// Whether something within the first element that fits has the keyboard.
pub(crate) fn has_focus_within(selector: &str) -> bool {
    focused().is_some_and(|element| element.closest(selector).ok().flatten().is_some())
}

/// Gives the keyboard to the first element that fits and takes it: one that is not shown does not. Says whether one did.
pub(crate) fn takes_focus(selector: &str) -> bool {
    let Ok(elements) = document().query_selector_all(selector) else { return false };
    (0..elements.length()).filter_map(|at| elements.get(at)?.dyn_into::<Element>().ok()).any(|element| {
        give_focus(&element);
        focused().is_some_and(|focused| *focused == element)
    })
}

/// Whether the keyboard is a Mac's, where Cmd does what Ctrl does elsewhere.
pub(crate) fn is_mac() -> bool {
    window().navigator().platform().is_ok_and(|platform| platform.starts_with("Mac") || platform.starts_with("iP"))
}

/// Gives the keyboard to an input and selects its first characters.
pub(crate) fn focus_and_select(input: &HtmlInputElement, characters: u32) {
    let _ = input.focus();
    let _ = input.set_selection_range(0, characters);
}

/// Shows a dialog; what is marked as its first has the keyboard then.
pub(crate) fn show_modal(dialog: &Element) {
    if let Some(dialog) = dialog.dyn_ref::<HtmlDialogElement>()
        && !dialog.open()
    {
        // Browsers complain of an element that comes with this into a frame of another site's.
        if let Ok(Some(first)) = dialog.query_selector("[data-first]") {
            let _ = first.set_attribute("autofocus", "");
        }
        let _ = dialog.show_modal();
    }
}

pub(crate) fn close_modal(dialog: &Element) {
    if let Some(dialog) = dialog.dyn_ref::<HtmlDialogElement>() {
        dialog.close();
    }
}

pub(crate) fn click(selector: &str) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.click();
    }
}

pub(crate) fn warn(text: &str) {
    web_sys::console::warn_1(&text.into());
}

/// The page's own code has failed, and nothing of it can be relied on: says so without it.
pub(crate) fn has_failed(what: &str) {
    web_sys::console::error_1(&what.into());
    let document = document();
    let (Some(body), Ok(alert)) = (document.body(), document.create_element("div")) else { return };
    // There is nobody left to tell what goes wrong here.
    let _ = alert.set_attribute("class", "alerts");
    let _ = alert.set_attribute("role", "alert");
    alert.set_inner_html(
        "<div class=\"alert\"><div class=\"alert-text\"><p></p><div class=\"alert-actions\"><button class=\"primary\"></button>\
         <button class=\"plain\"></button></div></div></div>",
    );
    let details = format!("what: {what}\nversion: {}\nbrowser: {}\n", crate::words::details::VERSION, browser());
    // Nothing of the page's own is used by these: it may be in the middle of something.
    let copy = move || drop(window().navigator().clipboard().write_text(&details));
    let part = |selector: &str, text: &str| {
        let part = alert.query_selector(selector).ok().flatten()?;
        part.set_text_content(Some(text));
        Some(part)
    };
    let on_click = |part: Option<Element>, act: Closure<dyn Fn()>| {
        if let Some(part) = part {
            let _ = part.add_event_listener_with_callback("click", &callback(act));
        }
    };
    part("p", crate::words::page_failed());
    on_click(part(".primary", say!("page-failed.reload")), Closure::new(reload));
    on_click(part(".plain", say!("details.copy")), Closure::new(copy));
    let _ = body.append_child(&alert);
}

/// The hour and the minute of now, as people here write them.
pub(crate) fn time_of_day() -> String {
    time_of(now())
}

/// The hour and the minute of a time in milliseconds since 1970; of another day with that day before them.
pub(crate) fn time_of(at: f64) -> String {
    let options = Object::new();
    // Of twelve hours or twenty-four, with a zero before a single figure or without, as is usual there.
    set(&options, "timeStyle", &"short".into());
    let (then, today) = (js_sys::Date::new(&at.into()), js_sys::Date::new_0());
    let time = String::from(then.to_locale_time_string_with_options(&locale(), &options));
    if then.to_date_string() == today.to_date_string() {
        return time;
    }
    let day = then.to_locale_date_string(&locale(), &Object::new());
    format!("{} {time}", String::from(day))
}

/// The language that is spoken, as the browser's people write it in their country if that is one of theirs.
pub(crate) fn locale() -> String {
    let (spoken, _) = spoken();
    let stem = |code: &str| code.split('-').next().map(str::to_ascii_lowercase);
    let languages = window().navigator().languages();
    let own = languages.iter().filter_map(|language| language.as_string());
    own.into_iter().find(|own| stem(own) == stem(spoken)).unwrap_or_else(|| spoken.to_owned())
}

/// A time in milliseconds since 1970, for programs (RFC 3339).
pub(crate) fn rfc3339(at: f64) -> String {
    js_sys::Date::new(&at.into()).to_iso_string().into()
}

/// A name that no other page has.
pub(crate) fn unique() -> String {
    let mut bytes = [0; 16];
    let chosen = window().crypto().ok().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).ok());
    chosen.expect("a browser has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this page takes the place of itself, and not of another.
pub(crate) fn was_reloaded() -> bool {
    window().performance().is_some_and(|clock| clock.navigation().type_() == PerformanceNavigation::TYPE_RELOAD)
}

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    js_sys::Date::now()
}
