//! The other end of `/api/v1/`: what the command line asks about what runs.

use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Client, FOLLOW_TIMEOUT, refused};
use super::error::ClientError;
use super::live::{EventView, JobDetail, Status};
use crate::jobs::Operation;

/// The largest answer that is read, in bytes: ten thousand jobs.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

impl Client {
    /// Everything that runs, and the same as it came, for tools.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get(&["status"]).await
    }

    /// One job with its reasons.
    pub async fn job(&self, name: &str) -> Result<JobDetail, ClientError> {
        self.get(&["jobs", name]).await
    }

    /// Does something to a job; says how far that has come.
    pub async fn operate(&self, job: &str, operation: Operation) -> Result<String, ClientError> {
        let switch = |on: bool| if on { "enable" } else { "disable" };
        let (path, body): (Vec<&str>, Value) = match operation {
            Operation::Start => (vec!["start"], Value::Null),
            Operation::Stop => (vec!["stop"], Value::Null),
            Operation::Restart => (vec!["restart"], Value::Null),
            Operation::Signal(signal) => (
                vec!["signal"],
                json!({ "signal": signal.number().to_string() }),
            ),
            Operation::Check(on) => (vec!["check", switch(on)], Value::Null),
            Operation::Maintenance(on) => (vec!["maintenance", switch(on)], Value::Null),
        };
        let path = [&["jobs", job], path.as_slice()].concat();
        let answer: Value = self.post(&path, &body).await?;
        let result = answer.get("result").and_then(Value::as_str);
        Ok(result.unwrap_or_default().to_owned())
    }

    /// Publishes an event; says how many jobs hear it.
    pub async fn publish(&self, event: &str) -> Result<u64, ClientError> {
        let answer: Value = self.post(&["events"], &json!({ "event": event })).await?;
        Ok(answer
            .get("heard")
            .and_then(Value::as_u64)
            .unwrap_or_default())
    }

    /// The last events, oldest first.
    pub async fn events(&self) -> Result<Vec<EventView>, ClientError> {
        let mut answer: Value = self.get(&["events"]).await?;
        let events = answer.get_mut("events").map(Value::take);
        Ok(serde_json::from_value(events.unwrap_or_default()).unwrap_or_default())
    }

    /// The last lines of a job, oldest first.
    pub async fn lines(&self, job: &str) -> Result<Vec<String>, ClientError> {
        let mut answer: Value = self.get(&["jobs", job, "logs"]).await?;
        let lines = answer.get_mut("lines").map(Value::take);
        Ok(serde_json::from_value(lines.unwrap_or_default()).unwrap_or_default())
    }

    /// The last events as JSON, and those that come.
    pub async fn follow_events(&self) -> Result<Followed, ClientError> {
        self.follow(&["events"]).await
    }

    /// The last lines of a job, and those that come.
    pub async fn follow_lines(&self, job: &str) -> Result<Followed, ClientError> {
        self.follow(&["jobs", job, "logs"]).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ClientError> {
        let request = self.http.request(Method::GET, self.api(path)?);
        self.read(request).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &Value,
    ) -> Result<T, ClientError> {
        let request = self.http.request(Method::POST, self.api(path)?);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        self.read(request).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ClientError> {
        let (status, text) = self.send(request, ANSWER_LIMIT).await?;
        match serde_json::from_str(&text) {
            Ok(answer) if status.is_success() => Ok(answer),
            _ => Err(refused(status, &text)),
        }
    }

    async fn follow(&self, path: &[&str]) -> Result<Followed, ClientError> {
        let mut address = self.api(path)?;
        address.query_pairs_mut().append_pair("follow", "true");
        let request = self.http.get(address).timeout(FOLLOW_TIMEOUT);
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.unwrap_or_default();
            return Err(refused(status, &text));
        }
        Ok(Followed {
            client: self.clone(),
            response,
            bytes: Vec::new(),
        })
    }

    /// The address of a path; its parts may have any character in them.
    fn api(&self, path: &[&str]) -> Result<Url, ClientError> {
        let setup = |reason: String| ClientError::Setup {
            socket: self.socket.clone(),
            reason,
        };
        let mut url =
            Url::parse("http://control/api/v1").map_err(|error| setup(error.to_string()))?;
        let mut segments = url
            .path_segments_mut()
            .map_err(|()| setup("no path".to_owned()))?;
        segments.extend(path);
        drop(segments);
        Ok(url)
    }
}

/// What comes from something that is followed.
#[derive(Debug)]
pub struct Followed {
    client: Client,
    response: Response,
    bytes: Vec<u8>,
}

impl Followed {
    /// The next message. `Ok(None)`: the supervisor has ended; an error also says that this client was too slow.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let block = String::from_utf8_lossy(&block);
                let is_end = block.starts_with("event: end");
                let data = block.lines().find_map(|line| line.strip_prefix("data: "));
                match data {
                    Some(reason) if is_end && reason.contains("too slow") => {
                        return Err(ClientError::TooSlow);
                    }
                    Some(_) if is_end => return Ok(None),
                    Some(data) => return Ok(Some(data.to_owned())),
                    // A sign of life.
                    None => {}
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.bytes.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.client.failed(&error)),
            }
        }
    }
}
