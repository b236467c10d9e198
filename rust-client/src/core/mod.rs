//! The resilience contract without sockets, clocks or tasks: time and randomness come in, decisions come out. The same vectors
//! drive it in every language.

mod backoff;
mod breaker;
mod budget;
mod classify;
mod window;

pub(crate) use backoff::{scaled, Backoff, CONNECTS, MAX_R, REQUESTS};
pub(crate) use breaker::{Breaker, Outcome};
pub(crate) use budget::RetryBudget;
pub(crate) use classify::{backoff_of, class, classify, Decision};
pub(crate) use window::{Pressure, Signal, Window};

#[cfg(test)]
pub(crate) mod vectors;

pub use classify::RetryClass;
