//! What the examples share: flags, the digest that both sides print, and the signals that end them.
#![allow(dead_code)] // each example uses its part of it

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The values of `--name value` flags; an unknown flag is an error.
pub fn flags(known: &[&str]) -> Result<HashMap<String, String>, String> {
    flags_after(0, known)
}

/// The same after that many other arguments.
pub fn flags_after(others: usize, known: &[&str]) -> Result<HashMap<String, String>, String> {
    let mut arguments = std::env::args().skip(1 + others);
    let mut flags = HashMap::new();
    while let Some(flag) = arguments.next() {
        let name = flag.strip_prefix("--").filter(|name| known.contains(name));
        let name = name.ok_or_else(|| {
            format!(
                "unknown argument {flag}; known are --{}",
                known.join(", --")
            )
        })?;
        let value = arguments
            .next()
            .ok_or_else(|| format!("{flag} needs a value"))?;
        flags.insert(name.to_owned(), value);
    }
    Ok(flags)
}

/// Does not depend on the order of the records: the exclusive or of the first 8 bytes of SHA-256(key length, key, value).
#[derive(Default)]
pub struct Sum {
    value: u64,
}

impl Sum {
    /// Adds a record.
    pub fn add(&mut self, key: Option<&[u8]>, value: &[u8]) {
        let mut hash = Sha256::new();
        hash.update(key.map_or(u32::MAX, |key| key.len() as u32).to_be_bytes());
        hash.update(key.unwrap_or_default());
        hash.update(value);
        self.value ^= u64::from_be_bytes(hash.finalize()[..8].try_into().expect("eight bytes"));
    }

    /// 16 hex digits.
    pub fn hex(&self) -> String {
        format!("{:016x}", self.value)
    }
}

/// Completes with SIGTERM or SIGINT.
pub async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{signal, SignalKind};
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    tokio::select! {
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    }
}
