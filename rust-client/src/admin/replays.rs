//! The calls about replays.

use std::time::Duration;

use prost::Message as _;
use tokio::time::{sleep, Instant};

use super::replay::{
    job, plan, ReplayJob, ReplayOptions, ReplayPlan, ReplayPlanState, ReplayRange, ReplaySelection,
    ReplayState, ReplayTarget,
};
use super::{key, reasoned, unreadable, Admin};
use crate::calls::AdminHeader;
use crate::client::deadline;
use crate::codes;
use crate::pb;
use crate::wire::Kind;
use crate::Error;

const PLAN: u32 = 1;
const START: u32 = 2;
const STATUS: u32 = 3;
const LIST: u32 = 4;
const PAUSE: u32 = 5;
const RESUME: u32 = 6;
const CANCEL: u32 = 7;
const DIFF: u32 = 8;
const DELETE: u32 = 9;
const POLL: Duration = Duration::from_millis(100);

impl Admin {
    /// Finds the records a replay would deliver and counts them; waits until the plan is ready, however long that takes. When it is
    /// dropped, the broker goes on; [`replay_plans`](Admin::replay_plans) has the plan.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, INVALID_ARGUMENT, and WRONG_STATE with the reason when the plan failed.
    pub async fn plan_replay(&self, selection: &ReplaySelection) -> Result<ReplayPlan, Error> {
        selection.check()?;
        let header = pb::ReplayAdmin {
            op: PLAN,
            selection: Some(selection.0.clone()),
            idempotency_key: key(),
            ..pb::ReplayAdmin::default()
        };
        let what = format!("plan a replay of {}", selection.topic());
        let mut plan = self.one_plan(&what, header, true).await?;
        while plan.state == ReplayPlanState::Scanning {
            sleep(POLL).await;
            plan = self.replay_plan(&plan.id).await?;
        }
        if plan.state == ReplayPlanState::Failed {
            let why = plan.failure.map(|failure| failure.to_string());
            return Err(Error::new(
                codes::WRONG_STATE,
                format!("plan {} failed", plan.id),
                why.unwrap_or_default(),
                "plan again with another selection",
            ));
        }
        Ok(plan)
    }

    /// A plan as it is now.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub async fn replay_plan(&self, id: &str) -> Result<ReplayPlan, Error> {
        self.one_plan(&format!("show plan {id}"), by_id(STATUS, id)?, false)
            .await
    }

    /// All plans the broker keeps.
    ///
    /// # Errors
    /// As every call.
    pub async fn replay_plans(&self) -> Result<Vec<ReplayPlan>, Error> {
        let list = self.replay_list().await?;
        Ok(list.plans.into_iter().map(plan).collect())
    }

    /// Forgets a plan.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE while a job of it has not ended.
    pub async fn delete_replay_plan(&self, id: &str) -> Result<(), Error> {
        let what = format!("delete plan {id}");
        self.replay_call(&what, by_id(DELETE, id)?, true)
            .await
            .map(drop)
    }

    /// Delivers the records of a plan again.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE when the plan is not ready, POSITION_OUT_OF_RANGE when records of it are gone, ALREADY_EXISTS for a
    /// new group that is there, INVALID_ARGUMENT for a target that takes no replays.
    pub async fn start_replay(
        &self,
        plan_id: &str,
        target: &ReplayTarget,
        options: &ReplayOptions,
    ) -> Result<ReplayJob, Error> {
        if matches!(target, ReplayTarget::File(_)) {
            return Err(Error::invalid(
                "a file is no target the broker can write",
                "use replay_to_file",
            ));
        }
        let header = started(plan_id, target, options)?;
        self.one_job(&format!("start a replay of plan {plan_id}"), header, true)
            .await
    }

    /// Notes in the audit that the records of a plan are copied to a file, and says where they are, for the caller to read them.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE when the plan is not ready, POSITION_OUT_OF_RANGE when records of it are gone.
    pub async fn replay_to_file(
        &self,
        plan_id: &str,
        path: &str,
        reason: &str,
    ) -> Result<Vec<ReplayRange>, Error> {
        let target = ReplayTarget::File(path.into());
        let header = started(plan_id, &target, &ReplayOptions::because(reason))?;
        let plan = self
            .one_plan(&format!("copy plan {plan_id} to a file"), header, true)
            .await?;
        Ok(plan.partitions)
    }

    /// A job as it is now.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub async fn replay(&self, id: &str) -> Result<ReplayJob, Error> {
        self.one_job(&format!("show replay {id}"), by_id(STATUS, id)?, false)
            .await
    }

    /// All jobs the broker keeps.
    ///
    /// # Errors
    /// As every call.
    pub async fn replays(&self) -> Result<Vec<ReplayJob>, Error> {
        let list = self.replay_list().await?;
        Ok(list.jobs.into_iter().map(job).collect())
    }

    /// Holds a job back; what is delivered stays so.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE when it has ended.
    pub async fn pause_replay(&self, id: &str, reason: &str) -> Result<ReplayJob, Error> {
        self.change_job("pause", PAUSE, id, reason).await
    }

    /// Goes on with a paused job.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE when it is not paused.
    pub async fn resume_replay(&self, id: &str, reason: &str) -> Result<ReplayJob, Error> {
        self.change_job("resume", RESUME, id, reason).await
    }

    /// Ends a job; what was delivered or stored stays so.
    ///
    /// # Errors
    /// NOT_FOUND, WRONG_STATE when it has ended.
    pub async fn cancel_replay(&self, id: &str, reason: &str) -> Result<ReplayJob, Error> {
        self.change_job("cancel", CANCEL, id, reason).await
    }

    /// What a job has changed: redelivered, acked, failed, still open, duplicates; counted anew.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub async fn replay_diff(&self, id: &str) -> Result<ReplayJob, Error> {
        let what = format!("show what replay {id} changed");
        self.one_job(&what, by_id(DIFF, id)?, false).await
    }

    /// Waits until a job does not run any more: it is done, paused, cancelled or failed. Cancel-safe: the job goes on.
    ///
    /// # Errors
    /// NOT_FOUND, DEADLINE_EXCEEDED when it still runs after that time.
    pub async fn await_replay(&self, id: &str, limit: Duration) -> Result<ReplayJob, Error> {
        let end = deadline(limit);
        loop {
            let job = self.replay(id).await?;
            if job.state != ReplayState::Running {
                return Ok(job);
            }
            if Instant::now() >= end {
                return Err(Error::new(
                    codes::DEADLINE_EXCEEDED,
                    format!("replay {id} still runs after {} ms", limit.as_millis()),
                    format!("{} of {} records are done", job.done, job.records),
                    "wait longer; the job goes on",
                ));
            }
            sleep(POLL).await;
        }
    }

    async fn change_job(
        &self,
        verb: &str,
        op: u32,
        id: &str,
        reason: &str,
    ) -> Result<ReplayJob, Error> {
        reasoned("the change of a replay", reason)?;
        let header = pb::ReplayAdmin {
            reason: reason.into(),
            ..by_id(op, id)?
        };
        self.one_job(&format!("{verb} replay {id}"), header, true)
            .await
    }

    async fn replay_list(&self) -> Result<pb::ReplayList, Error> {
        let header = pb::ReplayAdmin {
            op: LIST,
            ..pb::ReplayAdmin::default()
        };
        self.replay_call("list replays", header, false).await
    }

    async fn one_plan(
        &self,
        what: &str,
        header: pb::ReplayAdmin,
        changes: bool,
    ) -> Result<ReplayPlan, Error> {
        let mut list = self.replay_call(what, header, changes).await?;
        let found = list.plans.pop().map(plan);
        found.ok_or_else(|| other_kind(what, "plan"))
    }

    async fn one_job(
        &self,
        what: &str,
        header: pb::ReplayAdmin,
        changes: bool,
    ) -> Result<ReplayJob, Error> {
        let mut list = self.replay_call(what, header, changes).await?;
        let found = list.jobs.pop().map(job);
        found.ok_or_else(|| other_kind(what, "job"))
    }

    async fn replay_call(
        &self,
        what: &str,
        header: pb::ReplayAdmin,
        changes: bool,
    ) -> Result<pb::ReplayList, Error> {
        let (_, payload) = self
            .call(
                what,
                Kind::REPLAY_ADMIN,
                AdminHeader::Replay(header),
                changes,
            )
            .await?;
        pb::ReplayList::decode(payload).map_err(|e| unreadable(what, &e))
    }
}

fn other_kind(what: &str, wanted: &str) -> Error {
    Error::new(
        codes::NOT_FOUND,
        format!("the answer to {what} has no {wanted}"),
        "the id may be of the other kind: there are plans and jobs",
        "look at both: list the replays",
    )
}

fn by_id(op: u32, id: &str) -> Result<pb::ReplayAdmin, Error> {
    if id.is_empty() {
        return Err(Error::invalid(
            "the id of a replay is empty",
            "plans and jobs have one",
        ));
    }
    Ok(pb::ReplayAdmin {
        op,
        id: id.into(),
        ..pb::ReplayAdmin::default()
    })
}

fn started(
    plan_id: &str,
    target: &ReplayTarget,
    options: &ReplayOptions,
) -> Result<pb::ReplayAdmin, Error> {
    reasoned("a replay", &options.reason)?;
    Ok(pb::ReplayAdmin {
        target: Some(target.wire()?),
        rate: options.rate,
        stops: Some(options.stops),
        reason: options.reason.clone(),
        idempotency_key: key(),
        ..by_id(START, plan_id)?
    })
}
