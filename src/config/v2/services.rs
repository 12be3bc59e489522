//! `services[]`: what stands in the catalogue while the application runs.

use crate::config::tree::{Kind, Node};
use crate::config::walk::{Field, Finding, Walk, scalar_text};

use super::keys::{Keys, moved};
use super::{APP, Context, check_name, command, name, positive};

/// Where a service is when the file does not say; version 3 takes any other interface as well.
const INTERFACE: &str = "eth0:inet";

/// An address that others can reach from everywhere: `publicIp` of version 1.
const PUBLIC: &str = "inet:public";

/// The names of the jobs that the services become, for those that have to wait for them.
pub(super) fn names(services: &[Field<'_>]) -> Vec<String> {
    let names = services.iter().filter_map(|service| {
        let name = scalar_text(service.node.get("name")?)?;
        (!name.is_empty()).then(|| job_name(&name))
    });
    let mut names: Vec<String> = names.collect();
    names.dedup();
    names
}

/// The job of a service that is called as the application is another one.
fn job_name(name: &str) -> String {
    if name == APP {
        format!("{name}.service")
    } else {
        name.to_owned()
    }
}

pub(super) fn translate(walk: &mut Walk<'_>, context: &mut Context<'_>, services: &[Field<'_>]) {
    for service in services {
        if let Some(job) = job(walk, context, service) {
            context.jobs.push(job);
        }
    }
}

/// `None` has been reported.
fn job(walk: &mut Walk<'_>, context: &mut Context<'_>, field: &Field<'_>) -> Option<Node> {
    let mut section = walk.older_section(field)?;
    let mut job = Keys::of(field);
    let named = name(walk, &mut section);
    let poll = positive(walk, &mut section, "poll");
    let ttl = positive(walk, &mut section, "ttl");
    let port = positive(walk, &mut section, "port");
    let health = section.take(walk, "health");
    let timeout = section.take(walk, "timeout");
    let interfaces = section.take(walk, "interfaces");
    let public = section.take(walk, "publicIp");
    let tags = section.take(walk, "tags");
    let consul = section.take(walk, "consul");
    let all_known = section.finish(walk);
    let exec = match &health {
        Some(health) => Some(command(walk, health)?),
        None => None,
    };
    let (service, place) = named?;
    let is_good = check_name(walk, &place, &service);
    if !all_known {
        return None;
    }
    let name = job_name(&service);
    // The second service of a name is numbered by the readers, and gets an id of its own there.
    context.taken.insert(name.clone());
    let is_other = !is_good || name != service;
    job.text("name", name);
    job.node("port", port?);
    let mut check = Keys::new(job.range());
    let has_exec = exec.is_some();
    if let Some(exec) = exec {
        check.node("exec", exec);
    }
    check.node("interval", poll?);
    check.node("ttl", ttl?);
    if has_exec {
        match timeout.filter(|field| !is_empty(field.node)) {
            Some(timeout) => check.field("timeout", &timeout),
            None => check.text("timeout", "0"),
        }
    }
    let check = check.object();
    job.node(
        "health",
        match &health {
            Some(health) => check.with_origin(&health.place.path),
            None => check.with_origin(&field.place.path),
        },
    );
    job.node(
        "interfaces",
        interfaces_of(walk, &job, interfaces, public.as_ref()),
    );
    if let Some(tags) = tags {
        job.field("tags", &tags);
    }
    let own_name = is_other.then_some(service);
    job.node("consul", extras(walk, &job, consul.as_ref(), own_name)?);
    if let Some(when) = when(context, &job) {
        job.node("when", when);
    }
    Some(job.object())
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::String(text) if text.is_empty())
}

fn interfaces_of(
    walk: &mut Walk<'_>,
    job: &Keys,
    interfaces: Option<Field<'_>>,
    public: Option<&Field<'_>>,
) -> Node {
    let wants_public = public.and_then(|field| walk.boolean(field));
    if let (Some(true), Some(field)) = (wants_public, public) {
        if interfaces.is_some() {
            let finding = Finding::new("`publicIp` is ignored beside `interfaces`");
            walk.warning(&field.place, finding.help("remove it"));
        } else {
            let public = Node::text(PUBLIC, &field.place.range);
            return Node::array(vec![public], &field.place.range).with_origin(&field.place.path);
        }
    }
    let is_blank = |field: &Field<'_>| {
        matches!(&field.node.kind, Kind::Array(elements) if elements.is_empty())
            || is_empty(field.node)
    };
    match interfaces.filter(|field| !is_blank(field)) {
        Some(field) => moved(&field),
        None => Node::array(vec![Node::text(INTERFACE, job.range())], job.range()),
    }
}

/// What the catalogue is told in its own words. `None` has been reported.
fn extras(
    walk: &mut Walk<'_>,
    job: &Keys,
    consul: Option<&Field<'_>>,
    name: Option<String>,
) -> Option<Node> {
    let mut extras = match consul {
        Some(consul) => Keys::of(consul),
        None => Keys::new(job.range()),
    };
    if let Some(consul) = consul {
        let mut section = walk.older_section(consul)?;
        for key in ["enableTagOverride", "deregisterCriticalServiceAfter"] {
            if let Some(field) = section.take(walk, key) {
                extras.field(key, &field);
            }
        }
        if !section.finish(walk) {
            return None;
        }
    }
    if let Some(name) = name {
        extras.text("name", name);
    }
    // Others may look for the check under the id that it always had.
    extras.boolean("plainCheckId", true);
    Some(extras.object())
}

/// Up while the application runs, and so gone before it is told to stop.
fn when(context: &Context<'_>, job: &Keys) -> Option<Node> {
    let range = job.range();
    if context.app.words().is_empty() {
        return context.pre_start_done(range);
    }
    let is = Node::text("running", range);
    let running = Node::object([("source", Node::text(APP, range)), ("is", is)], range);
    let all = Node::array(vec![running], range);
    Some(Node::object([("all", all)], range))
}
