//! Runs the language-neutral vectors of the core.

use serde_json::Value;

use super::breaker::BreakerState;
use super::{
    backoff_of, classify, Backoff, Breaker, Decision, Outcome, Pressure, RetryBudget, RetryClass,
    Signal, Window, REQUESTS,
};
use crate::codes;

/// Runs each case of a suite and says how many passed; a key that is not known fails.
pub(crate) fn run(suite: &str, known: &[&str], each: impl Fn(&Value)) {
    run_some(suite, known, |case| {
        each(case);
        true
    });
}

/// The same; false for a case that is not this client's to decide.
pub(crate) fn run_some(suite: &str, known: &[&str], each: impl Fn(&Value) -> bool) {
    let file = file(suite);
    let cases = file["cases"].as_array().expect("cases");
    let mut tally = Tally {
        suite,
        passed: 0,
        total: cases.len(),
    };
    for case in cases {
        knows(case, known);
        tally.passed += usize::from(each(case));
    }
    assert!(tally.passed > 0, "suite {suite} has no cases");
}

/// Says it at the end, also of a case that fails.
struct Tally<'a> {
    suite: &'a str,
    passed: usize,
    total: usize,
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        println!("suite {} {}/{}", self.suite, self.passed, self.total);
    }
}

/// A whole suite, for what it says beside its cases.
pub(crate) fn file(suite: &str) -> Value {
    let path = format!("{}/../vectors/{suite}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

pub(crate) fn knows(step: &Value, known: &[&str]) {
    for key in step.as_object().expect("an object").keys() {
        assert!(known.contains(&key.as_str()), "unknown key {key} in {step}");
    }
}

pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

pub(crate) fn small(value: &Value, key: &str) -> u32 {
    u32::try_from(number(value, key)).expect("a small number")
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

fn kind(name: &str) -> Backoff {
    match name {
        "TRANSIENT" => Backoff::Transient,
        "THROTTLE" => Backoff::Throttle,
        other => panic!("unknown class {other}"),
    }
}

#[test]
fn classifies_errors() {
    let keys = [
        "code",
        "payload_retry",
        "kind",
        "idempotent",
        "expect",
        "breaker",
        "backoff_class",
        "note",
    ];
    run("retry_classify", &keys, |case| {
        let payload = match case["payload_retry"].as_str() {
            None | Some("NEVER") => RetryClass::Never,
            Some("SAFE") => RetryClass::Safe,
            Some("UNKNOWN_OUTCOME") => RetryClass::UnknownOutcome,
            Some("REFRESH") => RetryClass::Refresh,
            Some(other) => panic!("unknown class {other}"),
        };
        let code = small(case, "code");
        let decision = classify(
            payload,
            code,
            text(case, "kind") == "PUBLISH",
            case["idempotent"] == true,
        );
        let name = match decision {
            Decision::Fail => "FAIL",
            Decision::Retry => "RETRY",
            Decision::RefreshThenRetry => "REFRESH_THEN_RETRY",
            Decision::FailOutcomeUnknown => "FAIL_OUTCOME_UNKNOWN",
        };
        assert_eq!(name, text(case, "expect"), "{case}");
        if case["breaker"].is_string() {
            let breaker = match codes::lookup(code).expect("a known code").breaker {
                Outcome::Ignore => "IGNORE",
                Outcome::Failed => "FAIL",
                Outcome::ConnectFailed => "CONN_FAIL",
            };
            assert_eq!(breaker, text(case, "breaker"), "{case}");
            let throttles = backoff_of(code) == Backoff::Throttle;
            assert_eq!(
                throttles,
                text(case, "backoff_class") == "THROTTLE",
                "{case}"
            );
        }
    });
}

#[test]
fn backs_off() {
    let keys = [
        "cls",
        "retry_no",
        "r",
        "retry_after_ms",
        "remaining_ms",
        "expect",
    ];
    run("backoff", &keys, |case| {
        let delay = REQUESTS.delay(
            kind(text(case, "cls")),
            small(case, "retry_no"),
            small(case, "r"),
            number(case, "retry_after_ms"),
        );
        let expect = &case["expect"];
        let fits = delay + REQUESTS.min_attempt_ms <= number(case, "remaining_ms");
        assert_eq!(fits, text(expect, "decision") == "RETRY", "{case}");
        if fits {
            assert_eq!(delay, number(expect, "delay_ms"), "{case}");
        }
    });
}

#[test]
fn budgets_retries() {
    run(
        "retry_budget",
        &["name", "initial_tokens", "steps"],
        |case| {
            let mut budget = RetryBudget {
                tokens: small(case, "initial_tokens"),
            };
            let mut held = 0;
            for step in case["steps"].as_array().expect("steps") {
                knows(step, &["event", "cls", "expect"]);
                let expect = &step["expect"];
                if text(step, "event") == "OK" {
                    budget.on_success(held);
                    held = 0;
                } else {
                    let cost = budget.take(kind(text(step, "cls")));
                    assert_eq!(
                        if cost > 0 { "RETRY" } else { "FAIL_BUDGET" },
                        text(expect, "decision"),
                        "{case}"
                    );
                    held = if cost > 0 { cost } else { held };
                }
                assert_eq!(budget.tokens, small(expect, "tokens"), "{case}");
            }
        },
    );
}

#[test]
fn breaks_circuits() {
    run("breaker", &["name", "steps"], |case| {
        let mut breaker = Breaker::new();
        for step in case["steps"].as_array().expect("steps") {
            knows(
                step,
                &[
                    "at_ms",
                    "event",
                    "outcome",
                    "latency_ms",
                    "r",
                    "times",
                    "expect",
                ],
            );
            let (at, latency) = (number(step, "at_ms"), number(step, "latency_ms"));
            let expect = &step["expect"];
            if text(step, "event") == "ALLOW?" {
                assert_eq!(
                    breaker.allow(at),
                    expect["allowed"] == true,
                    "{step} of {}",
                    case["name"]
                );
            } else {
                for _ in 0..number(step, "times") {
                    match text(step, "outcome") {
                        "OK" => breaker.on_success(at, latency),
                        "IGNORE" => {
                            breaker.on_failure(at, Outcome::Ignore, latency, small(step, "r"));
                        }
                        "FAIL" => {
                            breaker.on_failure(at, Outcome::Failed, latency, small(step, "r"));
                        }
                        "CONN_FAIL" => breaker.on_failure(
                            at,
                            Outcome::ConnectFailed,
                            latency,
                            small(step, "r"),
                        ),
                        other => panic!("unknown outcome {other}"),
                    }
                }
            }
            let state = match breaker.state() {
                BreakerState::Closed => "CLOSED",
                BreakerState::Open => "OPEN",
                BreakerState::HalfOpen => "HALF_OPEN",
            };
            assert_eq!(state, text(expect, "state"), "{step} of {}", case["name"]);
            if !expect["open_until_ms"].is_null() {
                assert_eq!(
                    breaker.open_until_ms(),
                    number(expect, "open_until_ms"),
                    "{step}"
                );
            }
        }
    });
}

#[test]
fn sizes_the_window() {
    run("window", &["name", "steps"], |case| {
        let mut window = Window::new();
        for step in case["steps"].as_array().expect("steps") {
            knows(
                step,
                &[
                    "at_ms", "event", "inflight", "times", "state", "signal", "expect",
                ],
            );
            match text(step, "event") {
                "ACK" => {
                    for _ in 0..number(step, "times") {
                        window.on_ack(small(step, "inflight") as usize);
                    }
                }
                "STATE" => window.on_state(match text(step, "state") {
                    "NORMAL" => Pressure::Normal,
                    "ELEVATED" => Pressure::Elevated,
                    "THROTTLED" => Pressure::Throttled,
                    "OVERLOADED" => Pressure::Overloaded,
                    "READ_ONLY" => Pressure::ReadOnly,
                    other => panic!("unknown state {other}"),
                }),
                "REFUSED" => window.on_refused(),
                _ => window.on_signal(
                    match text(step, "signal") {
                        "ELEVATED" => Signal::Elevated,
                        "THROTTLED" => Signal::Throttled,
                        "OVERLOADED" => Signal::Overloaded,
                        "TIMEOUT" => Signal::Timeout,
                        other => panic!("unknown signal {other}"),
                    },
                    number(step, "at_ms"),
                ),
            }
            assert_eq!(
                window.limit() as u64,
                number(&step["expect"], "limit"),
                "{step} of {}",
                case["name"]
            );
        }
    });
}
