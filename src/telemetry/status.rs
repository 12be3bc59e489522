//! `/status`, in the original's shape (spec 8.1).

use std::fmt;

use serde::{Serialize, Serializer};

/// Everything that there is. An empty list is `null`, as in the original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Status {
    pub version: String,
    /// The jobs without a service, in the order of the file.
    #[serde(serialize_with = "or_null")]
    pub jobs: Vec<JobEntry>,
    /// The jobs with one, in the order of the file, and our own last.
    #[serde(serialize_with = "or_null")]
    pub services: Vec<ServiceEntry>,
    /// The names of the watches.
    #[serde(serialize_with = "or_null")]
    pub watches: Vec<String>,
}

/// A job that is not in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JobEntry {
    pub name: String,
    /// `unknown`, `healthy`, `unhealthy` or `maintenance`.
    pub status: &'static str,
}

/// A job that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceEntry {
    pub name: String,
    pub address: String,
    pub port: u16,
    pub status: &'static str,
}

fn or_null<T: Serialize, S: Serializer>(list: &Vec<T>, out: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() {
        out.serialize_none()
    } else {
        list.serialize(out)
    }
}

impl fmt::Display for Status {
    /// One line of JSON.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        out.write_str(&text)
    }
}
