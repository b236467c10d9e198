//! What the application sees of toggles.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{pb, Arc, Broker, Bytes, Client, Kind};

fn toggle(name: &str, rollout_bp: u32, value: &str, fallback: &str) -> pb::Toggle {
    pb::Toggle {
        name: name.into(),
        rollout_bp,
        value: value.into(),
        fallback: fallback.into(),
        ..pb::Toggle::default()
    }
}

fn tell(broker: &Broker, revision: u64, toggles: Vec<pb::Toggle>) {
    let update = pb::ToggleUpdate {
        revision,
        toggles,
        full: true,
    };
    broker.send(Kind::TOGGLE_UPDATE, 0, (0, 0), &update, Bytes::new());
}

#[tokio::test]
async fn a_client_keeps_what_the_broker_toggled_and_says_when_it_changes() {
    let changes = Arc::new(AtomicU32::new(0));
    let counted = changes.clone();
    let builder = Client::builder().on_toggles(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let broker = Broker::of(builder);
    let client = &broker.client;
    assert!(!client.is_enabled("app.beta"));
    assert_eq!(client.toggle_value("app.theme"), None);

    let all = toggle("app.beta", 10_000, "on", "off");
    let theme = toggle("app.theme", 0, "dark", "light");
    tell(&broker, 1, vec![all.clone(), theme.clone()]);
    assert!(client.is_enabled("app.beta"));
    assert_eq!(client.toggle_value("app.theme").as_deref(), Some("light"));
    assert_eq!(client.toggles_revision(), 1);

    tell(&broker, 1, vec![all, theme]);
    assert_eq!(changes.load(Ordering::Relaxed), 1, "the same is no change");
    tell(&broker, 2, vec![]);
    assert!(!client.is_enabled("app.beta"));
    assert_eq!(changes.load(Ordering::Relaxed), 2);
}
