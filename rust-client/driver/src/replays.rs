use std::time::Duration;

use serde_json::{json, Value};
use spillway::{Admin, ReplayOptions, ReplaySelection, ReplayTarget};
use tokio::time::timeout;

use crate::args::Args;
use crate::clients::client;
use crate::values::{self, Failure};
use crate::Driver;

const PLAN_TIMEOUT: Duration = Duration::from_secs(60);

fn of(d: &Driver, a: &mut Args, what: &str) -> Result<(Admin, String), Failure> {
    Ok((client(d, a)?.client.admin(), a.text(what)?))
}

pub async fn plan(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic) = of(d, &mut a, "topic")?;
    let mut selection = ReplaySelection::of(topic);
    if let Some(partitions) = a.take("partitions") {
        selection = selection.partitions(values::numbers(&partitions));
    }
    if let Some(from) = a.take("from") {
        selection = selection.from(values::start(&from)?);
    }
    if let Some(to) = a.take("to") {
        selection = selection.to(values::start(&to)?);
    }
    for key in a
        .take("keys")
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        selection = selection.key(values::content(key)?);
    }
    if let Some(filter) = a.find_text("filter") {
        selection = selection.filter(filter);
    }
    if let Some(cause) = a.find_text("dead_letter_cause") {
        selection = selection.dead_letter_cause(cause);
    }
    if let Some(group) = a.find_text("unacked_by") {
        selection = selection.unacked_by(group);
    }
    if let Some(records) = a.find_number("sample_pm") {
        selection = selection.sample_per_mille(records as u32);
    }
    let limit = a.find_millis("timeout_ms").unwrap_or(PLAN_TIMEOUT);
    a.finish()?;
    match timeout(limit, admin.plan_replay(&selection)).await {
        Ok(plan) => Ok(values::plan(&plan?)),
        Err(_) => Err(Failure::Driver(format!(
            "the plan is not ready after {limit:?}"
        ))),
    }
}

fn target(text: &str) -> Result<ReplayTarget, Failure> {
    match text.split_once(':') {
        Some(("group", name)) => Ok(ReplayTarget::Group(name.into())),
        Some(("new-group", name)) => Ok(ReplayTarget::NewGroup(name.into())),
        Some(("topic", name)) => Ok(ReplayTarget::Topic(name.into())),
        None if text == "origin" => Ok(ReplayTarget::Origin),
        _ => Err(Failure::Driver(format!("unknown target {text}"))),
    }
}

pub async fn start(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, plan) = of(d, &mut a, "plan")?;
    let target = target(&a.text("target")?)?;
    let mut options = ReplayOptions::because(a.reason());
    if let Some(rate) = a.find_number("rate") {
        options = options.rate(rate as u32);
    }
    if let Some(errors) = a.find_number("stop_errors") {
        options = options.max_errors(errors as u64);
    }
    if let Some(dead_letters) = a.find_number("stop_dead_letters") {
        options = options.max_dead_letters(dead_letters as u64);
    }
    if let Some(lag) = a.find_number("stop_consumer_lag") {
        options = options.max_lag(lag as u64);
    }
    a.finish()?;
    Ok(values::job(
        &admin.start_replay(&plan, &target, &options).await?,
    ))
}

pub async fn status(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    a.finish()?;
    Ok(values::job(&admin.replay(&job).await?))
}

pub async fn pause(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    let reason = a.reason();
    a.finish()?;
    Ok(values::job(&admin.pause_replay(&job, &reason).await?))
}

pub async fn resume(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    let reason = a.reason();
    a.finish()?;
    Ok(values::job(&admin.resume_replay(&job, &reason).await?))
}

pub async fn cancel(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    let reason = a.reason();
    a.finish()?;
    Ok(values::job(&admin.cancel_replay(&job, &reason).await?))
}

pub async fn wait(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    let limit = a.millis("timeout_ms")?;
    a.finish()?;
    Ok(values::job(&admin.await_replay(&job, limit).await?))
}

pub async fn diff(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, job) = of(d, &mut a, "job")?;
    a.finish()?;
    let job = admin.replay_diff(&job).await?;
    Ok(
        json!({"redelivered": job.redelivered, "acked": job.acked, "failed": job.failed, "open": job.open,
        "duplicates": job.duplicates}),
    )
}

pub async fn list(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let admin = client(d, &mut a)?.client.admin();
    a.finish()?;
    let (plans, jobs) = (admin.replay_plans().await?, admin.replays().await?);
    let plans: Vec<&String> = plans.iter().map(|plan| &plan.id).collect();
    let jobs: Vec<&String> = jobs.iter().map(|job| &job.id).collect();
    Ok(json!({"plans": plans, "jobs": jobs}))
}

pub async fn delete(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, plan) = of(d, &mut a, "plan")?;
    a.finish()?;
    admin.delete_replay_plan(&plan).await?;
    Ok(json!({}))
}
