//! The resilience contract without sockets, clocks or tasks: time and randomness come in, decisions come out. The same vectors
//! drive it in every language.

mod ack_buffer;
mod backoff;
mod breaker;
mod budget;
mod classify;
mod connect_limit;
mod connection;
pub(crate) mod drain;
mod events;
mod failover;
pub(crate) mod health;
mod known;
pub(crate) mod lease;
mod preference;
mod pressure;
mod round;
mod window;

pub(crate) use ack_buffer::{AckBuffer, Bundle, ACK_LIMITS};
pub(crate) use backoff::{scaled, Backoff, CONNECTS, MAX_R, REQUESTS};
pub(crate) use breaker::{Breaker, Outcome};
pub(crate) use budget::RetryBudget;
pub(crate) use classify::{backoff_of, class, classify, Decision};
pub(crate) use connect_limit::ConnectLimit;
pub(crate) use connection::ConnectionMachine;
pub(crate) use drain::Drain;
pub(crate) use events::{Action, Farewell, Node, Phase, Refusal, Welcome};
pub(crate) use failover::Candidate;
pub(crate) use health::{HealthMachine, Sample};
pub(crate) use preference::Preference;
pub(crate) use pressure::{PressureSignal, PressureView};
pub(crate) use window::{Signal, Window};

#[cfg(test)]
mod health_vectors;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod pressure_vectors;
#[cfg(test)]
pub(crate) mod vectors;

pub use classify::RetryClass;
pub use health::HealthState;
pub use window::Pressure;
