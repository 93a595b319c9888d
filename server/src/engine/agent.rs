//! The program that runs inside sandboxes, as the server's binary carries it: packed, so that its megabytes are touched
//! when it is installed and never again. Knows nothing of where it is put.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read as _, Write};

use flate2::read::GzDecoder;

/// The agent's program, packed with gzip (RFC 1952).
#[derive(Clone)]
pub struct Agent {
    sha256: [u8; 32],
    packed: Cow<'static, [u8]>,
}

impl Agent {
    /// `sha256` is that of `packed`.
    pub fn new(sha256: [u8; 32], packed: Cow<'static, [u8]>) -> Self {
        Self { sha256, packed }
    }

    /// What another agent doesn't have: 16 hexadecimal digits.
    pub fn version(&self) -> String {
        self.sha256[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn write_to(&self, file: &mut impl Write) -> io::Result<()> {
        io::copy(&mut GzDecoder::new(&*self.packed), file).map(drop)
    }

    pub fn unpacked(&self) -> io::Result<Vec<u8>> {
        let mut program = Vec::new();
        GzDecoder::new(&*self.packed).read_to_end(&mut program)?;
        Ok(program)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Agent").field(&self.version()).finish()
    }
}
