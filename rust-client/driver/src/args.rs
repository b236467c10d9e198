use std::time::Duration;

use serde_json::{Map, Value};

use crate::values::Failure;

/// The arguments of one request. Each must be taken: one that nobody took is an error.
pub struct Args {
    what: String,
    values: Map<String, Value>,
}

impl Args {
    pub fn new(request: &Value) -> Self {
        let mut values = request.as_object().cloned().unwrap_or_default();
        values.remove("id");
        let what = values
            .get("op")
            .and_then(Value::as_str)
            .unwrap_or("a value")
            .to_owned();
        Self { what, values }
    }

    pub fn op(&mut self) -> String {
        self.values.remove("op");
        self.what.clone()
    }

    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    pub fn need(&mut self, name: &str) -> Result<Value, Failure> {
        self.take(name)
            .ok_or_else(|| Failure::Driver(format!("{} needs the argument {name}", self.what)))
    }

    pub fn text(&mut self, name: &str) -> Result<String, Failure> {
        match self.need(name)? {
            Value::String(text) => Ok(text),
            other => Err(Failure::Driver(format!("{name} is {other}, not a text"))),
        }
    }

    pub fn find_text(&mut self, name: &str) -> Option<String> {
        self.take(name)
            .and_then(|value| value.as_str().map(str::to_owned))
    }

    pub fn find_number(&mut self, name: &str) -> Option<i64> {
        self.take(name).and_then(|value| value.as_i64())
    }

    pub fn number(&mut self, name: &str) -> Result<i64, Failure> {
        let value = self.need(name)?;
        value
            .as_i64()
            .ok_or_else(|| Failure::Driver(format!("{name} is {value}, not a number")))
    }

    pub fn find_millis(&mut self, name: &str) -> Option<Duration> {
        self.find_number(name)
            .map(|ms| Duration::from_millis(ms.max(0) as u64))
    }

    pub fn millis(&mut self, name: &str) -> Result<Duration, Failure> {
        self.number(name)
            .map(|ms| Duration::from_millis(ms.max(0) as u64))
    }

    /// Why something is done.
    pub fn reason(&mut self) -> String {
        self.find_text("reason")
            .unwrap_or_else(|| "conformance".into())
    }

    /// An object of texts.
    pub fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let value = self.take(name);
        let pairs = value.as_ref().and_then(Value::as_object);
        pairs
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    pub fn finish(self) -> Result<(), Failure> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(name) => Err(Failure::Driver(format!(
                "unknown argument {name} of {}",
                self.what
            ))),
        }
    }
}
