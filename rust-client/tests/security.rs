//! Encrypted connections and logins, against a real broker.
#![cfg(feature = "tls")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use spillway::{codes, Client, ClientBuilder, Error, Record, Tls};
use support::{Broker, SOON};

fn command(arguments: &[&str]) -> String {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../bin/spillway");
    let binary = std::env::var("SPILLWAY_BROKER_BIN").unwrap_or_else(|_| default.into());
    let done = Command::new(binary).args(arguments).output();
    let done = done.expect("a command that runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("text").trim().into()
}

fn file(directory: &Path, name: &str) -> String {
    directory.join(name).to_str().expect("a path").into()
}

fn refusal(outcome: Result<Client, Error>) -> Error {
    match outcome {
        Ok(_) => panic!("the client was let in"),
        Err(e) => e,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_logs_in_with_password_token_and_certificate_and_not_without() {
    let root = std::env::temp_dir().join(format!("spillway-rust-secure-{}", std::process::id()));
    let secure = root.join("secure");
    let keys = root.join("keys");
    std::fs::create_dir_all(&keys).expect("a directory");
    std::fs::write(keys.join("main.hmac"), "A".repeat(48)).expect("a key");
    command(&[
        "secure",
        "init",
        "--directory",
        secure.to_str().expect("a path"),
    ]);
    let broker = Broker::start_with(vec![
        "--config".into(),
        file(&secure, "spillway.yaml"),
        "--set".into(),
        format!("auth.token-keys={}", keys.display()),
    ]);
    let authority = file(&secure, "authority.pem");
    let trusting = Tls::trusting(&authority).expect("an authority");
    let showing = Tls::showing(
        &authority,
        file(&secure, "admin.pem"),
        file(&secure, "admin.key"),
    )
    .expect("a certificate");
    let builder = |tls: &Tls| {
        Client::builder()
            .endpoints([broker.endpoint()])
            .tls(tls.clone())
    };
    let password = std::fs::read_to_string(secure.join("admin.password")).expect("a password");
    let password = password.trim().to_owned();
    let key = file(&keys, "main.hmac");
    let token = command(&["token", "issue", "admin", "--key", &key, "--valid", "1m"]);

    let let_in: [ClientBuilder; 3] = [
        builder(&trusting).user("admin", move || Ok(password.clone())),
        builder(&trusting).token(move || Ok(token.clone())),
        builder(&showing),
    ];
    for (number, builder) in let_in.into_iter().enumerate() {
        let client = builder.connect().await.expect("let in");
        let topic = format!("t{number}");
        let admin = client.admin();
        admin.create_topic(&topic, 1, &[]).await.expect("a topic");
        let producer = client.producer(&topic).open().await.expect("a producer");
        let ack = producer.publish(Record::new("x")).await.expect("space");
        let ack = tokio::time::timeout(SOON, ack).await.expect("in time");
        assert_eq!(ack.expect("stored").offset, Some(0));
    }

    let kept_out: [ClientBuilder; 4] = [
        builder(&trusting),
        builder(&trusting).user("admin", || Ok("not the password".into())),
        builder(&trusting).token(|| Ok("a.b.c".into())),
        builder(&trusting).token(|| Err("the vault is closed".into())),
    ];
    for builder in kept_out {
        let e = refusal(builder.connect().await);
        assert_eq!(e.code(), codes::UNAUTHENTICATED, "{e}");
    }
    let misnamed = trusting.clone().server_name("elsewhere");
    let e = refusal(builder(&misnamed).connect().await);
    assert!(e.to_string().contains("another name"), "{e}");
    let plain = Client::builder().endpoints([broker.endpoint()]).connect();
    let e = refusal(
        tokio::time::timeout(Duration::from_secs(20), plain)
            .await
            .expect("in time"),
    );
    assert_eq!(e.code(), codes::CONNECT_FAILED, "{e}");
    drop(broker);
    std::fs::remove_dir_all(root).expect("it was there");
}
