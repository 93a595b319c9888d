//! What is shown besides texts that are edited: pictures (`web/js/src/picture.ts`), Markdown as it looks
//! (`web/js/src/markdown.ts`), and the code on a poster (`web/js/src/poster.ts`).

use js_sys::{Function, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::Element;

use super::editor::Editor;
use super::modules::{Module, load};
use super::page::{callback, nonce, set, words};

const PICTURE_WORDS: [&str; 6] =
    ["picture.toolbar", "picture.smaller", "picture.larger", "picture.fit", "picture.actual", "picture.broken"];
const MARKDOWN_WORDS: [&str; 5] =
    ["markdown.name", "markdown.done", "markdown.to-do", "markdown.missing", "markdown.elsewhere"];

#[wasm_bindgen]
extern "C" {
    type PictureModule;
    #[wasm_bindgen(method, catch, js_name = createPicture)]
    fn create_picture(this: &PictureModule, options: &Object) -> Result<PictureHandle, JsValue>;

    type PictureHandle;
    #[wasm_bindgen(method)]
    fn show(this: &PictureHandle, bytes: &Uint8Array, mime: &str);
    #[wasm_bindgen(method)]
    fn fail(this: &PictureHandle, why: &str);
    #[wasm_bindgen(method)]
    fn destroy(this: &PictureHandle);

    type PosterModule;
    #[wasm_bindgen(method)]
    fn paint(this: &PosterModule, code: &Element, path: &str, nonce: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn edit(
        this: &PosterModule,
        parent: &Element,
        path: &str,
        text: &str,
        label: &str,
        nonce: &str,
        on_run: &Function,
    ) -> DraftHandle;

    type DraftHandle;
    #[wasm_bindgen(method)]
    fn text(this: &DraftHandle) -> String;
    #[wasm_bindgen(method)]
    fn reset(this: &DraftHandle);
    #[wasm_bindgen(method)]
    fn destroy(this: &DraftHandle);

    type MarkdownModule;
    #[wasm_bindgen(method, catch, js_name = createMarkdown)]
    fn create_markdown(this: &MarkdownModule, options: &Object) -> Result<MarkdownHandle, JsValue>;

    type MarkdownHandle;
    #[wasm_bindgen(method)]
    fn destroy(this: &MarkdownHandle);
}

/// A picture in a tab.
pub(crate) struct Picture(PictureHandle);

impl Picture {
    pub(crate) fn new(module: JsValue, parent: &Element, label: &str) -> Result<Self, JsValue> {
        let options = Object::new();
        set(&options, "parent", parent);
        set(&options, "label", &label.into());
        set(&options, "words", &words(&PICTURE_WORDS));
        Ok(Self(module.unchecked_into::<PictureModule>().create_picture(&options)?))
    }

    pub(crate) fn show(&self, bytes: &[u8], mime: &str) {
        self.0.show(&Uint8Array::from(bytes), mime);
    }

    /// Says why there is nothing to be seen.
    pub(crate) fn fail(&self, why: &str) {
        self.0.fail(why);
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// Colours the text in an element as the file at `path` is written.
pub(crate) async fn paint(code: &Element, path: &str) -> Result<(), JsValue> {
    let module = load(Module::Poster).await?;
    JsFuture::from(module.unchecked_into::<PosterModule>().paint(code, path, &nonce())).await.map(drop)
}

/// A text on a poster that is edited before there is a room for it.
pub(crate) struct Draft(DraftHandle);

impl Draft {
    pub(crate) async fn new(
        parent: &Element,
        path: &str,
        text: &str,
        label: &str,
        run: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        let module = load(Module::Poster).await?.unchecked_into::<PosterModule>();
        let run = callback(Closure::wrap(Box::new(run) as Box<dyn Fn()>));
        Ok(Self(module.edit(parent, path, text, label, &nonce(), &run)))
    }

    pub(crate) fn text(&self) -> String {
        self.0.text()
    }

    /// Has the text be what it was at first.
    pub(crate) fn reset(&self) {
        self.0.reset();
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// The bytes of a picture, and what browsers call its kind.
pub(crate) type Bytes = Option<(Vec<u8>, &'static str)>;

/// A Markdown file as it looks.
pub(crate) struct Markdown(MarkdownHandle);

impl Markdown {
    /// `open` shows a file by its path; `picture` reads one.
    pub(crate) fn new<F: Future<Output = Bytes> + 'static>(
        module: JsValue,
        parent: &Element,
        path: &str,
        source: &Editor,
        open: impl Fn(String) + 'static,
        picture: impl Fn(String) -> F + 'static,
    ) -> Result<Self, JsValue> {
        let options = Object::new();
        set(&options, "parent", parent);
        set(&options, "path", &path.into());
        set(&options, "words", &words(&MARKDOWN_WORDS));
        set(&options, "source", source.handle());
        set(&options, "onOpen", &callback(Closure::wrap(Box::new(open) as Box<dyn Fn(String)>)));
        let picture = move |path: String| -> Promise {
            let bytes = picture(path);
            future_to_promise(async move {
                let Some((bytes, mime)) = bytes.await else { return Ok(JsValue::NULL) };
                let found = Object::new();
                set(&found, "bytes", &Uint8Array::from(bytes.as_slice()));
                set(&found, "mime", &mime.into());
                Ok(found.into())
            })
        };
        set(&options, "onPicture", &callback(Closure::wrap(Box::new(picture) as Box<dyn Fn(String) -> Promise>)));
        Ok(Self(module.unchecked_into::<MarkdownModule>().create_markdown(&options)?))
    }
}

impl Drop for Markdown {
    fn drop(&mut self) {
        self.0.destroy();
    }
}
