//! The console's start: hands over to the library. Nothing else belongs here.

fn main() {
    #[cfg(target_arch = "wasm32")]
    embedenv_web::console::start();
}
