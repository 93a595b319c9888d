//! Which database a run of the tests is for: `EMBEDENV_TEST_STORE=postgres`, with a server in `EMBEDENV_TEST_POSTGRES`, or
//! SQLite.

use std::path::Path;

use embedenv::config::SecretUrl;

/// The address of the database that belongs to a server's data directory; nothing if that is in the directory itself.
pub fn url(data: &Path) -> Option<String> {
    if std::env::var("EMBEDENV_TEST_STORE").as_deref() != Ok("postgres") {
        return None;
    }
    let server = std::env::var("EMBEDENV_TEST_POSTGRES").expect("EMBEDENV_TEST_POSTGRES names a server");
    let folder = data.file_name().expect("a folder's name").to_string_lossy();
    let name: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // Names that differ in case alone are different folders.
    let told_apart: String = folder.bytes().map(|byte| if byte.is_ascii_uppercase() { '1' } else { '0' }).collect();
    Some(format!("{server}/{}_{told_apart}", name.to_lowercase()))
}

/// The same as a setting.
pub fn database(data: &Path) -> Option<SecretUrl> {
    url(data).and_then(|url| SecretUrl::postgres(&url))
}
