//! What one handshake proves, on both sides.

use std::sync::Arc;

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::codes;
use crate::error::wire_error;
use crate::pb;

const SCRAM: &str = "SCRAM-SHA-256";
const TOKEN: &str = "TOKEN";
const GS2_HEADER: &str = "n,,";
/// The base64 of it.
const NO_BINDING: &str = "biws";
const ITERATIONS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;
const KEY_BYTES: usize = 32;

/// Why there is no password or token to be had.
pub type Unavailable = Box<dyn std::error::Error + Send + Sync>;

type Secret = Arc<dyn Fn() -> Result<String, Unavailable> + Send + Sync>;

/// How a client proves who it is.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// By the certificate of its connection, or not at all.
    None,
    User(String, Secret),
    Token(Secret),
}

/// One handshake.
pub(crate) struct Login {
    user: String,
    secret: String,
    nonce: String,
    /// The broker's signature, once the challenge was answered.
    expected: Vec<u8>,
}

impl Login {
    /// Asks for the secret and fills in what HELLO says of who the client is.
    pub fn begin(
        credentials: &Credentials,
        endpoint: &str,
        hello: &mut pb::Hello,
    ) -> Result<Self, pb::Error> {
        let mut login = Self {
            user: String::new(),
            secret: String::new(),
            nonce: String::new(),
            expected: Vec::new(),
        };
        match credentials {
            Credentials::None => {}
            Credentials::User(name, secret) => {
                login.user.clone_from(name);
                login.secret = ask(secret, endpoint)?;
                let mut random = [0; 24];
                getrandom::fill(&mut random).map_err(|e| no_secret(endpoint, &e.to_string()))?;
                login.nonce = BASE64.encode(random);
                hello.auth_mechanism = SCRAM.into();
                hello.auth_data = format!("{GS2_HEADER}{}", login.first_bare())
                    .into_bytes()
                    .into();
            }
            Credentials::Token(secret) => {
                hello.auth_mechanism = TOKEN.into();
                hello.auth_data = ask(secret, endpoint)?.into_bytes().into();
            }
        }
        Ok(login)
    }

    fn first_bare(&self) -> String {
        format!("n={},r={}", self.user, self.nonce)
    }

    /// The proof for a challenge; None for one that no broker of ours would send.
    pub fn answer(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let mut fields = challenge.split(',');
        let both = fields.next()?.strip_prefix("r=")?;
        let salt = BASE64.decode(fields.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let goes_on = both.len() > self.nonce.len() && both.starts_with(&self.nonce);
        if self.nonce.is_empty() || !goes_on || !ITERATIONS.contains(&iterations) || salt.is_empty()
        {
            return None;
        }
        let mut salted = [0; KEY_BYTES];
        pbkdf2::pbkdf2_hmac::<Sha256>(self.secret.as_bytes(), &salt, iterations, &mut salted);
        let client_key = mac(&salted, "Client Key");
        let without_proof = format!("c={NO_BINDING},r={both}");
        let all = format!("{},{challenge},{without_proof}", self.first_bare());
        let signature = mac(&Sha256::digest(&client_key), &all);
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, sign)| key ^ sign)
            .collect();
        self.expected = mac(&mac(&salted, "Server Key"), &all);
        Some(format!("{without_proof},p={}", BASE64.encode(proof)).into_bytes())
    }

    /// Whether the broker has proved, too, that it knows what it must.
    pub fn check(&self, endpoint: &str, last: &[u8]) -> Result<(), pb::Error> {
        let said = last
            .strip_prefix(b"v=")
            .and_then(|text| BASE64.decode(text).ok());
        if self.nonce.is_empty()
            || !self.expected.is_empty() && said.as_deref() == Some(&self.expected[..])
        {
            return Ok(());
        }
        Err(wire_error(
            codes::UNAUTHENTICATED,
            format!("{endpoint} is not believed"),
            "it did not prove that it knows the user's credential",
            "check that this is the broker that is meant, and that it is not older than 0.1",
        ))
    }
}

fn ask(secret: &Secret, endpoint: &str) -> Result<String, pb::Error> {
    match secret() {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(no_secret(endpoint, "it is empty")),
        Err(e) => Err(no_secret(endpoint, &e.to_string())),
    }
}

fn no_secret(endpoint: &str, why: &str) -> pb::Error {
    wire_error(
        codes::UNAUTHENTICATED,
        format!("cannot connect to {endpoint}"),
        format!("there is no password or token to be had: {why}"),
        "look at what the client was given as its credentials",
    )
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn a_login_is_as_the_standard_has_it() {
        let mut login = Login {
            user: "user".into(),
            secret: "pencil".into(),
            nonce: "rOprNGfwEbeRWgbNEkqO".into(),
            expected: Vec::new(),
        };
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = login
            .answer(challenge.as_bytes())
            .expect("a good challenge");
        assert_eq!(
            String::from_utf8(proof).expect("text"),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(login
            .check("b", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
            .is_ok());
        assert!(login.check("b", b"v=AAAA").is_err());
    }

    #[test]
    fn a_challenge_that_asks_for_less_than_the_standard_is_not_answered() {
        let mut login = Login {
            user: "user".into(),
            secret: "pencil".into(),
            nonce: "abc".into(),
            expected: Vec::new(),
        };
        assert!(login.answer(b"r=abcdef,s=W22Z,i=1").is_none());
        assert!(login.answer(b"r=xbcdef,s=W22Z,i=4096").is_none());
    }
}
