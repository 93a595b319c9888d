//! The languages in which single programs are run ([`crate::execute`]): for each how a sandbox is asked for its version, and the
//! lines of bash by which a program is compiled and run. What a sandbox does not have is offered to nobody.
//!
//! A line is run in the folder of the program's files. `$MAIN` is the first of them, and the program's arguments are `"$@"`.

use std::collections::BTreeMap;

/// How programs of one language are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Language {
    /// Prints the version, somewhere; fails where the language is not.
    pub version: String,
    /// What else it is called.
    pub aliases: Vec<String>,
    /// What a file without a name is called.
    pub file: String,
    pub compile: Option<String>,
    pub run: String,
}

/// Name, aliases, file, version, compile (or nothing), run.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str, &'static str, &'static str);

const COMPILED: &str = r#"exec ./a.out "$@""#;

const BUILT_IN: &[Row] = &[
    ("bash", &["sh", "shell"], "main.sh", "bash --version", "", r#"exec bash "$MAIN" "$@""#),
    (
        "c",
        &["gcc"],
        "main.c",
        "gcc -dumpfullversion",
        r#"set -- *.c; [ -e "$1" ] || set -- "$MAIN"; exec gcc -std=c17 -O2 -x c -o a.out "$@" -lm"#,
        COMPILED,
    ),
    (
        "c++",
        &["cpp", "g++"],
        "main.cpp",
        "g++ -dumpfullversion",
        r#"set -- *.cpp; [ -e "$1" ] || set -- "$MAIN"; exec g++ -std=c++20 -O2 -x c++ -o a.out "$@""#,
        COMPILED,
    ),
    ("go", &["golang"], "main.go", "go version", r#"exec go build -o a.out "$MAIN""#, COMPILED),
    ("java", &[], "Main.java", "java --version", "", r#"exec java "$MAIN" "$@""#),
    ("javascript", &["js", "node", "node-js"], "main.js", "node --version", "", r#"exec node "$MAIN" "$@""#),
    ("lua", &[], "main.lua", "lua -v", "", r#"exec lua "$MAIN" "$@""#),
    ("perl", &["pl"], "main.pl", "perl -e 'print $^V'", "", r#"exec perl "$MAIN" "$@""#),
    ("php", &[], "main.php", "php --version", "", r#"exec php "$MAIN" "$@""#),
    ("python", &["py", "py3", "python3"], "main.py", "python3 --version", "", r#"exec python3 "$MAIN" "$@""#),
    ("ruby", &["rb"], "main.rb", "ruby --version", "", r#"exec ruby "$MAIN" "$@""#),
    ("rust", &["rs"], "main.rs", "rustc --version", r#"exec rustc -O -o a.out "$MAIN""#, COMPILED),
    (
        "typescript",
        &["ts"],
        "main.ts",
        "tsc --version",
        r#"exec tsc --outDir .compiled "$MAIN""#,
        r#"main="${MAIN##*/}"; exec node ".compiled/${main%.ts}.js" "$@""#,
    ),
];

/// The languages that need no setting.
pub fn built_in() -> BTreeMap<String, Language> {
    let language = |(name, aliases, file, version, compile, run): &Row| {
        let text = |text: &str| text.to_owned();
        let language = Language {
            version: text(version),
            aliases: aliases.iter().map(|alias| text(alias)).collect(),
            file: text(file),
            compile: (!compile.is_empty()).then(|| text(compile)),
            run: text(run),
        };
        (text(name), language)
    };
    BUILT_IN.iter().map(language).collect()
}
