//! Runs the language-neutral vectors of the state machines; vectors/README.md describes them.

use std::collections::HashMap;

use serde_json::Value;

use super::ack_buffer::Limits;
use super::drain::{self, Step};
use super::failover;
use super::known::KnownEndpoints;
use super::lease::{Delivery, Lease, Selection, Settled, Settlement};
use super::vectors::{file, knows, number, run, small, text};
use super::{AckBuffer, Action, Bundle, Candidate, ConnectionMachine, Drain, Outcome, Phase};
use super::{Farewell, Node, Preference, Pressure, Refusal, Welcome, MAX_R};

pub(super) fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

pub(super) fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let each = |text: &Value| text.as_str().expect("a text").to_owned();
    list(value, key).iter().map(each).collect()
}

fn pressure(value: &Value) -> Pressure {
    match text(value, "pressure") {
        "NORMAL" => Pressure::Normal,
        "ELEVATED" => Pressure::Elevated,
        "THROTTLED" => Pressure::Throttled,
        "OVERLOADED" => Pressure::Overloaded,
        "READ_ONLY" => Pressure::ReadOnly,
        other => panic!("unknown state {other}"),
    }
}

#[test]
fn orders_endpoints() {
    const NOW: u64 = 1_000_000;
    run(
        "failover",
        &["name", "zone", "nearest", "candidates", "expect"],
        |case| {
            let known = [
                "endpoint",
                "breaker",
                "zone",
                "pressure",
                "draining",
                "blocked",
                "failed_ms",
                "leads",
            ];
            let mut candidates = Vec::new();
            for each in list(case, "candidates") {
                knows(&each, &known);
                let mut made = Candidate::new(text(&each, "endpoint"));
                // A breaker opens with five connection failures in a row, for 5 s with this r.
                let opened = match text(&each, "breaker") {
                    "OPEN" => NOW - 1,
                    "HALF_OPEN" => NOW - 10_000,
                    _ => 0,
                };
                for _ in 0..if opened > 0 { 5 } else { 0 } {
                    made.breaker
                        .on_failure(opened, Outcome::ConnectFailed, 0, MAX_R);
                }
                made.zone = text(&each, "zone").into();
                made.pressure = pressure(&each);
                made.failed_ms = number(&each, "failed_ms");
                made.leads = each["leads"].as_bool().unwrap_or(false);
                made.draining_until_ms = if flag(&each, "draining") { NOW + 1 } else { 0 };
                made.blocked_until_ms = if flag(&each, "blocked") { NOW + 1 } else { 0 };
                candidates.push(made);
            }
            let candidates = KnownEndpoints::new(candidates);
            let order: Vec<String> = failover::order(&candidates, &prefers(case), NOW)
                .into_iter()
                .map(|i| candidates.candidates[i].endpoint.clone())
                .collect();
            assert_eq!(order, texts(case, "expect"), "{}", case["name"]);
        },
    );
}

#[test]
fn keeps_connected() {
    run(
        "connection",
        &["name", "zone", "nearest", "endpoints", "steps"],
        |case| {
            let candidates = texts(case, "endpoints");
            let candidates = candidates.iter().map(Candidate::new).collect();
            let mut numbers = HashMap::new();
            let mut machine = ConnectionMachine::new(candidates, prefers(case));
            for step in list(case, "steps") {
                knows(
                    &step,
                    &[
                        "at_ms",
                        "event",
                        "endpoint",
                        "zone",
                        "pressure",
                        "latency_ms",
                        "r",
                        "code",
                        "redirect",
                        "retry_after_ms",
                        "endpoints",
                        "zones",
                        "grace_ms",
                        "reconnect_after_ms",
                        "publishing",
                        "consuming",
                        "expect",
                    ],
                );
                for number in machine.known.all() {
                    let endpoint = machine.known.candidates[*number].endpoint.clone();
                    numbers.insert(endpoint, *number);
                }
                let of = numbers.get(step["endpoint"].as_str().unwrap_or(""));
                let actions = happen(&mut machine, of.copied(), &step);
                let say = |each: &Action| say(*each, &machine.known.candidates);
                let said: Vec<String> = actions.iter().map(say).collect();
                let expect = &step["expect"];
                knows(expect, &["state", "actions", "wake_at_ms", "known"]);
                let name = &case["name"];
                assert_eq!(said, texts(expect, "actions"), "{step} of {name}");
                assert_eq!(
                    state(machine.phase()),
                    text(expect, "state"),
                    "{step} of {name}"
                );
                if !expect["known"].is_null() {
                    let known = machine.known.all().iter();
                    let known: Vec<&String> = known
                        .map(|number| &machine.known.candidates[*number].endpoint)
                        .collect();
                    let expected = texts(expect, "known");
                    assert_eq!(
                        known,
                        expected.iter().collect::<Vec<_>>(),
                        "{step} of {name}"
                    );
                }
                if !expect["wake_at_ms"].is_null() {
                    assert_eq!(
                        machine.wake_at_ms(),
                        number(expect, "wake_at_ms"),
                        "{step} of {name}"
                    );
                }
            }
        },
    );
}

fn prefers(case: &Value) -> Preference {
    Preference {
        zone: text(case, "zone").into(),
        nearest: case["nearest"].as_bool().unwrap_or(false),
    }
}

/// What the machine does about the event of a step.
fn happen(machine: &mut ConnectionMachine, candidate: Option<usize>, step: &Value) -> Vec<Action> {
    let of = || candidate.expect("of a known endpoint");
    let endpoints = texts(step, "endpoints");
    let zone = |i: usize| step["zones"][i].as_str().unwrap_or("").to_string();
    let nodes: Vec<Node> = (0..endpoints.len())
        .map(|i| Node {
            endpoint: endpoints[i].clone(),
            zone: zone(i),
        })
        .collect();
    let redirect = step["redirect"].as_str().unwrap_or("");
    let (at, r) = (number(step, "at_ms"), small(step, "r"));
    match text(step, "event") {
        "START" => {
            machine.know(&nodes);
            machine.start(at, r)
        }
        "METADATA" => {
            machine.know(&nodes);
            Vec::new()
        }
        "CONNECTED" => machine.connected(of()),
        "HELLO_OK" => machine.hello_ok(
            of(),
            &Welcome {
                zone: text(step, "zone"),
                pressure: pressure(step),
                nodes: &nodes,
            },
            number(step, "latency_ms"),
            at,
            r,
        ),
        "FAILED" => machine.failed(
            of(),
            &Refusal {
                code: small(step, "code"),
                redirect,
                retry_after_ms: step["retry_after_ms"].as_u64().unwrap_or(0),
            },
            at,
            r,
        ),
        "NOT_LEADER" => machine.not_leader(redirect, at, r),
        "PRESSURE" => machine.pressure(pressure(step)),
        "GO_AWAY" => machine.go_away(
            &Farewell {
                grace_ms: number(step, "grace_ms"),
                reconnect_after_ms: number(step, "reconnect_after_ms"),
                nodes: &endpoints,
            },
            at,
            r,
        ),
        "LOAD" => machine.load(flag(step, "publishing"), flag(step, "consuming"), at, r),
        "LOST" => machine.lost(of(), at, r),
        "TIMER" => machine.timer(at, r),
        "CLOSE" => machine.close(),
        other => panic!("unknown event {other}"),
    }
}

fn say(action: Action, candidates: &[Candidate]) -> String {
    let (what, candidate) = match action {
        Action::Dial(i) => ("DIAL", i),
        Action::Use(i) => ("USE", i),
        Action::Drain(i) => ("DRAIN", i),
        Action::MovePublishers(i) => ("MOVE_PUBLISHERS", i),
        Action::MoveSubscriptions(i) => ("MOVE_SUBSCRIPTIONS", i),
        Action::Close(i) => ("CLOSE", i),
        Action::Lost(i) => ("LOST", i),
        Action::RoundFailed => return "ROUND_FAILED".into(),
    };
    format!("{what} {}", candidates[candidate].endpoint)
}

fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "IDLE",
        Phase::Connecting => "CONNECTING",
        Phase::Handshaking => "HANDSHAKING",
        Phase::Ready => "READY",
        Phase::Pressured => "PRESSURED",
        Phase::Draining => "DRAINING",
        Phase::Backoff => "BACKOFF",
        Phase::Blocked => "BLOCKED",
        Phase::Closed => "CLOSED",
    }
}

#[test]
fn buffers_acks() {
    let config = &file("ack_buffer")["config"];
    let limits = Limits {
        max_items: number(config, "max_items") as usize,
        max_bytes: number(config, "max_bytes") as usize,
        max_unsent: number(config, "max_unsent") as usize,
    };
    run("ack_buffer", &["name", "steps"], |case| {
        let mut buffer: AckBuffer<u64, ()> = AckBuffer::new(limits);
        let mut ids: HashMap<u64, u64> = HashMap::new();
        for step in list(case, "steps") {
            knows(
                &step,
                &[
                    "at_ms", "event", "item", "bytes", "bundle", "until_ms", "expect",
                ],
            );
            let (mut sent, mut lost) = (Vec::new(), Vec::new());
            let items = |bundle: &Bundle<u64, ()>| bundle.items.clone();
            let id = ids.get(&number(&step, "bundle")).copied().unwrap_or(0);
            match text(&step, "event") {
                "OPEN" => buffer.open(),
                "LOST" => buffer.lost(),
                "TAKE" => {
                    for bundle in buffer.take(number(&step, "at_ms")) {
                        ids.insert(bundle.items[0], bundle.id);
                        sent.push(items(bundle));
                    }
                }
                "END" => lost = buffer.end().iter().map(items).collect(),
                "ADD" => {
                    let added = buffer.add(number(&step, "item"), number(&step, "bytes") as usize);
                    lost.extend(added.iter().map(items));
                }
                "ANSWERED" => {
                    buffer.answered(id);
                }
                "AGAIN" => {
                    let bundle = buffer.answered(id).expect("it is under way");
                    buffer.again(bundle, number(&step, "until_ms"));
                }
                other => panic!("unknown event {other}"),
            }
            let expect = &step["expect"];
            knows(expect, &["sent", "lost", "unsent", "under_way"]);
            let name = &case["name"];
            assert_eq!(
                Value::from(sent_value(&sent)),
                expect["sent"],
                "{step} of {name}"
            );
            assert_eq!(
                Value::from(sent_value(&lost)),
                expect["lost"],
                "{step} of {name}"
            );
            let counts = (
                number(expect, "unsent") as usize,
                number(expect, "under_way") as usize,
            );
            assert_eq!(buffer.counts(), counts, "{step} of {name}");
        }
    });
}

fn sent_value(bundles: &[Vec<u64>]) -> Vec<Value> {
    bundles
        .iter()
        .map(|items| Value::from(items.clone()))
        .collect()
}

#[test]
fn drains() {
    run("drain", &["name", "scope", "timeout_ms", "steps"], |case| {
        let steps = match text(case, "scope") {
            "CLIENT" => drain::CLIENT,
            "SUBSCRIPTION" => drain::SUBSCRIPTION,
            other => panic!("unknown scope {other}"),
        };
        let mut drain = Drain::new(steps, number(case, "timeout_ms"), 0);
        for each in list(case, "steps") {
            knows(&each, &["at_ms", "connected", "expect"]);
            let at = number(&each, "at_ms");
            let step = drain.next(flag(&each, "connected"), at);
            let name = match step {
                Step::Handlers => "HANDLERS",
                Step::Settle => "SETTLE",
                Step::Unsubscribe => "UNSUBSCRIBE",
                Step::Subscriptions => "SUBSCRIPTIONS",
                Step::Producers => "PRODUCERS",
                Step::Bye => "BYE",
                Step::End => "END",
            };
            let expect = &each["expect"];
            knows(expect, &["step", "limit_ms", "cut"]);
            assert_eq!(name, text(expect, "step"), "{each} of {}", case["name"]);
            assert_eq!(
                drain.limit_ms(step, at),
                number(expect, "limit_ms"),
                "{each}"
            );
            assert_eq!(drain.is_cut(), flag(expect, "cut"), "{each}");
        }
    });
}

#[test]
fn settles_leases() {
    run(
        "lease",
        &["name", "segment", "skip_before", "steps"],
        |case| {
            let segment = &case["segment"];
            knows(
                segment,
                &[
                    "base_offset",
                    "count",
                    "selected",
                    "fence",
                    "lease_ms",
                    "attempt",
                    "attempts",
                ],
            );
            let mut bitmap = vec![0; 2];
            for index in list(segment, "selected") {
                let index = index.as_u64().expect("an index") as usize;
                bitmap[index / 8] |= 1 << (index % 8);
            }
            let attempts = list(segment, "attempts");
            let delivery = Delivery {
                base_offset: number(segment, "base_offset"),
                count: number(segment, "count") as usize,
                selected: if segment["selected"].is_null() {
                    &[]
                } else {
                    &bitmap
                },
                leased: number(segment, "fence") != 0,
                lease_ms: small(segment, "lease_ms"),
                attempt: small(segment, "attempt"),
                attempts: attempts
                    .iter()
                    .map(|each| each.as_u64().expect("a number") as u32)
                    .collect(),
                failures: 0,
                skip_before: number(case, "skip_before"),
            };
            let selection = Selection::new(&delivery);
            let mut lease = Lease::new(&delivery, &selection, 0);
            for step in list(case, "steps") {
                knows(
                    &step,
                    &[
                        "at_ms", "event", "index", "from", "outcome", "delay_ms", "lease_ms",
                        "expect",
                    ],
                );
                let said = tell(&mut lease, &selection, delivery.base_offset, &step);
                assert_eq!(said, step["expect"], "{step} of {}", case["name"]);
            }
        },
    );
}

fn tell(lease: &mut Lease, selection: &Selection, base: u64, step: &Value) -> Value {
    let at = number(step, "at_ms");
    let (index, outcome) = (number(step, "index") as usize, small(step, "outcome"));
    let delay = small(step, "delay_ms");
    match text(step, "event") {
        "SETTLE" => {
            serde_json::json!({"counts": lease.settle(index, Settlement::of(outcome, delay, ""))})
        }
        "EXTEND" => {
            serde_json::json!({"counts": lease.extend(index, small(step, "lease_ms"), at)})
        }
        "REST" => {
            let from = number(step, "from") as usize;
            serde_json::json!({"counts": lease.rest(from, outcome, delay)})
        }
        "COLLECT" => {
            let mut items = Vec::new();
            let done = lease.collect(|each: Settled| {
                items.push(serde_json::json!({
                    "first": base + each.first as u64, "last": base + each.last as u64,
                    "outcome": each.outcome, "delay_ms": each.delay_ms,
                }));
            });
            serde_json::json!({"items": items, "done": done})
        }
        "LOOK" => serde_json::json!({
            "over": lease.is_over(at), "may_hand_out": at <= lease.hand_out_until_ms(),
        }),
        "SELECTED" => {
            let all: Vec<usize> = (0..selection.len()).filter(|i| selection.has(*i)).collect();
            assert_eq!(selection.count(), all.len());
            serde_json::json!({"indices": all})
        }
        "ATTEMPT" => serde_json::json!({"attempt": selection.attempt(index)}),
        other => panic!("unknown event {other}"),
    }
}
