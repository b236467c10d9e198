//! Runs the vectors of pressure; vectors/README.md describes them.

use serde_json::Value;

use super::machines::{flag, list};
use super::vectors::{knows, number, run, text};
use super::{Pressure, PressureSignal, PressureView};

fn state(value: &Value) -> Pressure {
    let all = [
        Pressure::Normal,
        Pressure::Elevated,
        Pressure::Throttled,
        Pressure::Overloaded,
        Pressure::ReadOnly,
    ];
    let name = value["state"].as_str().unwrap_or("NORMAL");
    let found = all.into_iter().find(|state| state.name() == name);
    found.unwrap_or_else(|| panic!("unknown state {name}"))
}

fn reasons(value: &Value) -> Vec<u32> {
    let each = |reason: &Value| reason.as_u64().expect("a number") as u32;
    list(value, "reasons").iter().map(each).collect()
}

#[test]
fn knows_the_pressure() {
    run("client_pressure", &["name", "steps"], |case| {
        let mut view = PressureView::default();
        for step in list(case, "steps") {
            let keys = [
                "at_ms",
                "event",
                "seq",
                "state",
                "reasons",
                "scope",
                "retry_after_ms",
                "valid_for_ms",
                "throttle_ms",
                "expect",
            ];
            knows(&step, &keys);
            let ms = |key: &str| step[key].as_u64().unwrap_or(0);
            let at = number(&step, "at_ms");
            let scope = step["scope"].as_str().unwrap_or_default();
            let changed = match text(&step, "event") {
                "CONNECTED" => view.connected(state(&step), at),
                "SIGNAL" => {
                    let signal = PressureSignal {
                        seq: ms("seq"),
                        state: state(&step),
                        reasons: reasons(&step),
                        scope,
                        retry_after_ms: ms("retry_after_ms"),
                        valid_for_ms: ms("valid_for_ms"),
                    };
                    view.signal(signal, at)
                }
                "ACK" => view.ack(state(&step), ms("throttle_ms"), at),
                "REFUSED" => {
                    let after = ms("retry_after_ms");
                    view.refused(state(&step), reasons(&step), scope, after, at)
                }
                "TIMER" => view.timer(at),
                other => panic!("unknown event {other}"),
            };
            let expect = &step["expect"];
            let keys = ["state", "reasons", "scope", "retry_after_ms", "changed"];
            knows(expect, &keys);
            let is = (view.state, view.reasons.clone(), view.scope.as_str());
            let expected = (state(expect), reasons(expect), text(expect, "scope"));
            let place = format!("{step} of {}", case["name"]);
            assert_eq!(is, expected, "{place}");
            let is = (view.retry_after_ms(at), changed);
            let expected = (number(expect, "retry_after_ms"), flag(expect, "changed"));
            assert_eq!(is, expected, "{place}");
        }
    });
}
