/// One step of a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Let running handlers finish; hand nothing more to them.
    Handlers,
    /// Give back what is not settled, and wait until the broker has answered all settlements.
    Settle,
    /// Tell the broker that the subscription is over.
    Unsubscribe,
    /// Close each subscription.
    Subscriptions,
    /// Close each producer: send what is buffered and wait for its acks, across a reconnect if it must be.
    Producers,
    /// Say goodbye and wait for the answer.
    Bye,
    /// End it; what has no outcome fails now.
    End,
}

const BYE_MS: u64 = 1_000;

/// Steps of a client, in their order. Consumers stop first, because their handlers may still publish.
pub(crate) const CLIENT: &[Step] = &[Step::Subscriptions, Step::Producers, Step::Bye, Step::End];
/// Steps of a subscription.
pub(crate) const SUBSCRIPTION: &[Step] =
    &[Step::Handlers, Step::Settle, Step::Unsubscribe, Step::End];

/// In which order something is closed, and how long each step may take. Steps that need a connection are left out without one, and past
/// the deadline everything but the last step is.
#[derive(Debug)]
pub(crate) struct Drain {
    steps: &'static [Step],
    deadline_ms: u64,
    cut: bool,
}

impl Drain {
    pub fn new(steps: &'static [Step], timeout_ms: u64, now_ms: u64) -> Self {
        Self {
            steps,
            deadline_ms: now_ms.saturating_add(timeout_ms),
            cut: false,
        }
    }

    /// What to do now that the step before is done, or its time is over; the end comes last, and again if asked again.
    pub fn next(&mut self, connected: bool, now_ms: u64) -> Step {
        while let [step, rest @ ..] = self.steps {
            if rest.is_empty() {
                break;
            }
            self.steps = rest;
            let needs_connection = matches!(step, Step::Settle | Step::Unsubscribe | Step::Bye);
            if now_ms >= self.deadline_ms {
                self.cut = true;
            } else if connected || !needs_connection {
                return *step;
            }
        }
        Step::End
    }

    /// How long the step may take from now on.
    pub fn limit_ms(&self, step: Step, now_ms: u64) -> u64 {
        let most = match step {
            Step::Bye => BYE_MS,
            Step::End => 0,
            _ => u64::MAX,
        };
        most.min(self.deadline_ms.saturating_sub(now_ms))
    }

    /// Whether steps were left out because the time was over.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}
