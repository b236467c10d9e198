//! Runs the vectors of health; vectors/README.md describes them.

use serde_json::Value;

use super::machines::{flag, list};
use super::vectors::{knows, number, run, small, text};
use super::{HealthMachine, HealthState, Sample};

#[test]
fn says_how_it_is() {
    run("health", &["name", "gc_full_pm", "steps"], |case| {
        let mut machine = HealthMachine::new(small(case, "gc_full_pm"));
        for step in list(case, "steps") {
            knows(
                &step,
                &[
                    "at_ms",
                    "event",
                    "gc_cpu_pm",
                    "heap_pm",
                    "mem_pm",
                    "sched_p99_us",
                    "psi_mem_some_pm",
                    "psi_mem_full_pm",
                    "psi_io_full_pm",
                    "inflight",
                    "max_inflight",
                    "app_state",
                    "app_util_pm",
                    "draining",
                    "expect",
                ],
            );
            let at = number(&step, "at_ms");
            let report = match text(&step, "event") {
                "SAMPLE" => machine.sample(&sample(&step), at),
                "DRAIN" => machine.drain(flag(&step, "draining"), at),
                "CONNECTED" => machine.connected(at),
                "TIMER" => machine.timer(at),
                other => panic!("unknown event {other}"),
            };
            let expect = &step["expect"];
            knows(
                expect,
                &[
                    "state",
                    "reasons",
                    "app_util_pm",
                    "handoff",
                    "brake",
                    "report",
                ],
            );
            let reasons = list(expect, "reasons");
            let reasons: Vec<u64> = reasons.iter().filter_map(Value::as_u64).collect();
            let is: Vec<u64> = machine.reasons.iter().copied().map(u64::from).collect();
            let place = format!("{step} of {}", case["name"]);
            assert_eq!(
                format!("{:?}", machine.state).to_uppercase(),
                text(expect, "state"),
                "{place}"
            );
            assert_eq!(is, reasons, "{place}");
            assert_eq!(
                u64::from(machine.util_pm),
                number(expect, "app_util_pm"),
                "{place}"
            );
            let flags = (machine.handoff, machine.brake, report);
            let expected = (
                flag(expect, "handoff"),
                flag(expect, "brake"),
                flag(expect, "report"),
            );
            assert_eq!(flags, expected, "{place}");
        }
    });
}

fn sample(step: &Value) -> Sample {
    let pm = |key: &str| step[key].as_u64().unwrap_or(0) as u32;
    Sample {
        gc_cpu_pm: pm("gc_cpu_pm"),
        heap_pm: pm("heap_pm"),
        mem_pm: pm("mem_pm"),
        sched_p99_us: pm("sched_p99_us"),
        psi_mem_some_pm: pm("psi_mem_some_pm"),
        psi_mem_full_pm: pm("psi_mem_full_pm"),
        psi_io_full_pm: pm("psi_io_full_pm"),
        inflight: pm("inflight"),
        max_inflight: pm("max_inflight"),
        app_state: match step["app_state"].as_str() {
            Some("DEGRADED") => HealthState::Degraded,
            Some("CRITICAL") => HealthState::Critical,
            _ => HealthState::Ready,
        },
        app_util_pm: pm("app_util_pm"),
    }
}
