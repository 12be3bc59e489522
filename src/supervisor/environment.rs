//! The children's environment: a value of ours, passed on at each start. Our own environment never changes (D45).

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsString};
use std::net::IpAddr;
use std::os::unix::ffi::OsStringExt;

use super::attributes::Changes;
use crate::config::{Variables, address_variable};
use crate::events::{PublicEvent, Source};

/// The environment of the children, in four layers; a higher one hides a lower one of the same name.
///
/// | layer | what | lasts |
/// | --- | --- | --- |
/// | base | what we were started with, and `CONTAINERPILOT_PID` | for ever |
/// | overlay | what was set or unset through the control socket | until the program ends (decision 19) |
/// | addresses | `CONTAINERPILOT_<JOB>_IP` | for one configuration |
/// | pids | `CONTAINERPILOT_<JOB>_PID` | while that process lives |
#[derive(Debug)]
pub(super) struct Environment {
    base: BTreeMap<String8, CString>,
    overlay: BTreeMap<String8, Option<CString>>,
    addresses: BTreeMap<String8, CString>,
    pids: BTreeMap<String8, CString>,
    /// What the layers come to, `NAME=value` by name: kept ready, since a start of the thousandth job hands a thousand
    /// of them over.
    merged: BTreeMap<String8, CString>,
}

/// A name, in bytes: the environment need not be UTF-8.
pub(super) type String8 = Vec<u8>;

impl Environment {
    /// Starts from this environment. What the kernel could not have given us (a name with `=` or NUL) is left out.
    pub(super) fn new(
        variables: impl Iterator<Item = (OsString, OsString)>,
        pid: u32,
    ) -> Environment {
        let pairs = variables.map(|(name, value)| (name.into_vec(), value.into_vec()));
        let mut base: BTreeMap<String8, CString> = pairs
            .filter_map(|(name, value)| Some((name.clone(), entry(&name, &value)?)))
            .collect();
        let own = b"CONTAINERPILOT_PID".to_vec();
        if let Some(entry) = entry(&own, pid.to_string().as_bytes()) {
            base.insert(own, entry);
        }
        let merged = base.clone();
        Environment {
            base,
            overlay: BTreeMap::new(),
            addresses: BTreeMap::new(),
            pids: BTreeMap::new(),
            merged,
        }
    }

    /// What a template sees: base, overlay and addresses (decision 19). Text that is not UTF-8 is replaced.
    pub(super) fn template_variables(&self) -> Variables {
        let visible = self
            .merged
            .iter()
            .filter(|(name, _)| !self.pids.contains_key(*name));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        visible
            .map(|(name, entry)| (text(name), text(&entry.to_bytes()[name.len() + 1..])))
            .collect()
    }

    /// How large the overlay may become, in bytes: each child gets it, and the kernel limits what an exec takes.
    const OVERLAY: usize = 256 * 1024;

    /// The longest `NAME=value` with its NUL that the kernel takes (execve(2)). With a longer one nothing could be started.
    const LONGEST: usize = 128 * 1024;

    /// Changes the overlay; `None` unsets. All changes or, with the reason, none.
    pub(super) fn overlay(&mut self, changes: Vec<(String, Option<String>)>) -> Result<(), String> {
        let mut overlay = self.overlay.clone();
        let mut changed = Vec::with_capacity(changes.len());
        for (name, value) in changes {
            let (shown, name) = (name.clone(), name.into_bytes());
            match value {
                Some(value) => {
                    let entry = entry(&name, value.as_bytes())
                        .ok_or_else(|| format!("cannot set {shown:?}"))?;
                    if entry.count_bytes() >= Self::LONGEST {
                        return Err(format!(
                            "cannot set {shown:?}: name and value are longer than the {} bytes that the system takes",
                            Self::LONGEST - 2
                        ));
                    }
                    overlay.insert(name.clone(), Some(entry));
                }
                None if self.base.contains_key(&name) => {
                    overlay.insert(name.clone(), None);
                }
                None => {
                    overlay.remove(&name);
                }
            }
            changed.push(name);
        }
        if overlay.iter().map(cost).sum::<usize>() > Self::OVERLAY {
            return Err(format!(
                "cannot set more than {} bytes of variables",
                Self::OVERLAY
            ));
        }
        self.overlay = overlay;
        for name in changed {
            self.refresh(name);
        }
        Ok(())
    }

    /// Replaces the addresses: the advertised one of each job that has one.
    pub(super) fn set_addresses<'a>(&mut self, jobs: impl Iterator<Item = (&'a str, String)>) {
        let old = std::mem::take(&mut self.addresses);
        for (job, address) in jobs {
            let name = address_variable(job).into_bytes();
            if let Some(entry) = entry(&name, address.as_bytes()) {
                self.addresses.insert(name, entry);
            }
        }
        let new: Vec<String8> = self.addresses.keys().cloned().collect();
        for name in old.into_keys().chain(new) {
            self.refresh(name);
        }
    }

    /// The advertised address of one job has changed.
    pub(super) fn set_address(&mut self, job: &str, address: &str) {
        let name = address_variable(job).into_bytes();
        if let Some(entry) = entry(&name, address.as_bytes()) {
            self.addresses.insert(name.clone(), entry);
            self.refresh(name);
        }
    }

    /// A job's process runs, or (`None`) no longer does.
    pub(super) fn set_pid(&mut self, job: &str, pid: Option<i32>) {
        let name = pid_name(job).into_bytes();
        match pid.and_then(|pid| entry(&name, pid.to_string().as_bytes())) {
            Some(entry) => self.pids.insert(name.clone(), entry),
            None => self.pids.remove(&name),
        };
        self.refresh(name);
    }

    /// The whole environment of a child: what all share, then what is its alone, then what its job changes. A later entry
    /// of the same name is never there: it replaces.
    pub(super) fn for_child<'a>(
        &'a self,
        own: &'a [(String8, CString)],
        changes: &'a Changes,
    ) -> Vec<&'a CStr> {
        let shared = self
            .merged
            .iter()
            .filter(|(name, _)| !own.iter().any(|(own, _)| own == *name));
        shared
            .chain(own.iter().map(|(name, entry)| (name, entry)))
            .filter(|(name, _)| !changes.contains_key(*name))
            .map(|(_, entry)| entry.as_c_str())
            .chain(changes.values().flatten().map(CString::as_c_str))
            .collect()
    }

    /// What all children share under this name, as `NAME=value`.
    pub(super) fn find(&self, name: &[u8]) -> Option<&CStr> {
        self.merged.get(name).map(CString::as_c_str)
    }

    fn refresh(&mut self, name: String8) {
        let lower = || match self.overlay.get(&name) {
            Some(overlay) => overlay.as_ref(),
            None => self.base.get(&name),
        };
        let entry = self
            .pids
            .get(&name)
            .or_else(|| self.addresses.get(&name))
            .or_else(lower)
            .cloned();
        match entry {
            Some(entry) => self.merged.insert(name, entry),
            None => self.merged.remove(&name),
        };
    }
}

/// What only this child finds: the event that started it (decision 18), and the pid of its job's check (D44: of its own
/// job's, not of whichever check came last).
pub(super) fn own_variables(
    cause: Option<PublicEvent>,
    source: impl FnOnce(Source) -> String,
    check: Option<i32>,
) -> Vec<(String8, CString)> {
    let mut own = Vec::new();
    let mut push = |name: &str, value: &str| own.extend(own_variable(name, value));
    if let Some(event) = cause {
        push("CONTAINERPILOT_EVENT", event.code.name());
        push("CONTAINERPILOT_EVENT_SOURCE", &source(event.source));
    }
    if let Some(pid) = check {
        push("CONTAINERPILOT_CHECK_PID", &pid.to_string());
    }
    own
}

/// One more variable that only this child finds; `None` if no child could be started with it.
pub(super) fn own_variable(name: &str, value: &str) -> Option<(String8, CString)> {
    let entry = entry(name.as_bytes(), value.as_bytes())?;
    Some((name.as_bytes().to_vec(), entry))
}

/// What an entry of the overlay costs a child: its bytes, the NUL and the pointer to it. An unset one costs us as much.
fn cost((name, value): (&String8, &Option<CString>)) -> usize {
    let text = value.as_ref().map_or(name.len(), |v| v.count_bytes());
    text + 1 + size_of::<usize>()
}

/// `NAME=value`; `None` if no child could be started with it.
pub(super) fn entry(name: &[u8], value: &[u8]) -> Option<CString> {
    if name.is_empty() || name.contains(&b'=') {
        return None;
    }
    CString::new([name, b"=", value].concat()).ok()
}

/// `CONTAINERPILOT_<JOB>_PID`: the last element of the name as a path, without its extension, each run of other
/// characters than letters and digits one `_`, upper case. What a hook is called is no extension (decision 15).
fn pid_name(job: &str) -> String {
    let last = job.rsplit('/').next().unwrap_or(job);
    let hooks = [".preStart", ".postStart", ".preStop", ".postStop"];
    let is_hook = hooks.iter().any(|hook| last.ends_with(hook)) || last.contains(".onChange.");
    let stem = match last.rfind('.').filter(|_| !is_hook) {
        Some(dot) => last.replacen(&last[dot..], "", 1),
        None => last.to_owned(),
    };
    let mut name = String::new();
    for letter in stem.chars() {
        if letter.is_alphanumeric() {
            name.extend(letter.to_uppercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    format!("CONTAINERPILOT_{name}_PID")
}

/// An address as its variable shows it.
pub(super) fn address_text(address: Option<IpAddr>, text: Option<&String>) -> Option<String> {
    address
        .map(|address| address.to_string())
        .or_else(|| text.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let pairs = [("PATH", "/bin"), ("A", "a=b=c")];
        Environment::new(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
            1,
        )
    }

    fn seen(environment: &Environment) -> Vec<String> {
        environment
            .for_child(&[], &Changes::new())
            .into_iter()
            .map(|entry| entry.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn names_follow_the_rules_of_the_original() {
        for (job, name) in [
            ("test-case", "TEST_CASE"),
            ("/bin/to/test-Case--now.sh", "TEST_CASE_NOW"),
            ("a.b", "A"),
            ("app.preStop", "APP_PRESTOP"),
            ("app.onChange.db", "APP_ONCHANGE_DB"),
        ] {
            assert_eq!(pid_name(job), format!("CONTAINERPILOT_{name}_PID"));
        }
        assert_eq!(address_variable("my-App"), "CONTAINERPILOT_MY_APP_IP");
    }

    #[test]
    fn a_higher_layer_hides_a_lower_one_until_it_goes() {
        let mut environment = environment();
        environment
            .overlay(vec![("PATH".into(), Some("/x".into())), ("A".into(), None)])
            .expect("valid");
        environment.set_pid("app", Some(42));
        assert_eq!(
            seen(&environment),
            [
                "CONTAINERPILOT_APP_PID=42",
                "CONTAINERPILOT_PID=1",
                "PATH=/x"
            ]
        );
        environment.set_pid("app", None);
        environment
            .overlay(vec![("A".into(), Some("again".into()))])
            .expect("valid");
        assert_eq!(
            seen(&environment),
            ["A=again", "CONTAINERPILOT_PID=1", "PATH=/x"]
        );
    }

    #[test]
    fn all_changes_or_none() {
        let mut environment = environment();
        let bad = vec![
            ("A".to_owned(), None),
            ("B=".to_owned(), Some(String::new())),
        ];
        assert!(environment.overlay(bad).is_err());
        assert!(seen(&environment).contains(&"A=a=b=c".to_owned()));
    }

    #[test]
    fn what_no_child_could_be_started_with_is_refused() {
        let mut environment = environment();
        let mut set = |name: &str, length: usize| {
            environment.overlay(vec![(name.to_owned(), Some("x".repeat(length)))])
        };
        // `A=`, the value, NUL: 131,072 bytes are one too many for the kernel.
        assert!(set("A", 131_072 - 2).is_err());
        assert_eq!(set("A", 131_072 - 3), Ok(()));
        assert_eq!(set("B", 100_000), Ok(()));
        assert!(set("C", 100_000).is_err());
        // What is replaced makes room for its successor.
        assert_eq!(set("B", 100_000), Ok(()));
        assert_eq!(set("A", 10), Ok(()));
        assert_eq!(set("C", 100_000), Ok(()));
    }

    #[test]
    fn unsetting_what_was_never_there_costs_nothing() {
        let mut environment = environment();
        let names = (0..100_000).map(|number| (format!("N{number}"), None));
        assert_eq!(environment.overlay(names.collect()), Ok(()));
        assert!(environment.overlay.is_empty());
        environment
            .overlay(vec![("N".to_owned(), Some("v".to_owned()))])
            .expect("valid");
        environment
            .overlay(vec![("N".to_owned(), None), ("A".to_owned(), None)])
            .expect("valid");
        assert_eq!(seen(&environment), ["CONTAINERPILOT_PID=1", "PATH=/bin"]);
        assert_eq!(environment.overlay.len(), 1);
    }

    #[test]
    fn templates_see_addresses_and_no_pids() {
        let mut environment = environment();
        environment.set_addresses([("my-app", "10.0.0.2".to_owned())].into_iter());
        environment.set_pid("app", Some(42));
        let variables = environment.template_variables();
        assert_eq!(variables["CONTAINERPILOT_MY_APP_IP"], "10.0.0.2");
        assert_eq!(variables["A"], "a=b=c");
        assert!(!variables.contains_key("CONTAINERPILOT_APP_PID"));
        environment.set_addresses(std::iter::empty());
        assert!(
            !environment
                .template_variables()
                .contains_key("CONTAINERPILOT_MY_APP_IP")
        );
    }

    #[test]
    fn a_child_s_own_variables_replace_shared_ones() {
        let environment = environment();
        let cause = Some(PublicEvent::global(
            crate::events::EventCode::EnterMaintenance,
        ));
        let own = own_variables(cause, |_| "global".to_owned(), Some(7));
        let none = Changes::new();
        let seen: Vec<_> = environment
            .for_child(&own, &none)
            .into_iter()
            .map(CStr::to_string_lossy)
            .collect();
        assert!(seen.contains(&"CONTAINERPILOT_EVENT=enterMaintenance".into()));
        assert!(seen.contains(&"CONTAINERPILOT_EVENT_SOURCE=global".into()));
        assert!(seen.contains(&"CONTAINERPILOT_CHECK_PID=7".into()));
    }
}
