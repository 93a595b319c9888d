//! Ties the build to `target/embed`, the staged page and agent that a release binary carries.
//! Never stages anything itself: that is `cargo xtask`'s work.

use std::path::Path;

/// What a complete `target/embed` holds at least.
const STAGED: [&str; 3] = ["agent.gz", "web/index.html", "site/live/index.html"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the folder at run time, so only a release build depends on what is in it.
    if std::env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return;
    }
    let embed = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../target/embed");
    // A path that is missing would make cargo build this crate anew each time.
    if let Err(error) = std::fs::create_dir_all(&embed) {
        println!("cargo:warning=cannot create {}: {error}", embed.display());
    }
    println!("cargo:rerun-if-changed=../target/embed");
    let missing: Vec<_> = STAGED.into_iter().filter(|name| !embed.join(name).exists()).collect();
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(" and ");
    let required = std::env::var("EMBEDENV_REQUIRE_EMBED").is_ok_and(|value| value == "1");
    assert!(!required, "target/embed lacks {missing}; `cargo xtask build` stages what the binary carries");
    println!("cargo:warning=target/embed lacks {missing}: this binary will serve no page or start no sandbox");
}
