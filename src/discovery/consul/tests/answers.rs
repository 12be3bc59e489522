use super::fake::{Fake, about, question, say};
use crate::services::{CheckStatus, Registered, Weights};
use crate::watches::{Entry, Found, Instance, Mode, Question, Target};

async fn found(question: &Question, body: &str) -> Found {
    let fake = Fake::start(say(200, body)).await;
    let answered = fake.client().ask(question).await.unwrap();
    assert_eq!(answered.index, Some(42));
    answered.found
}

fn entry(id: &str, address: &str, tags: &str, statuses: &[&str]) -> String {
    let checks: Vec<String> = statuses
        .iter()
        .map(|status| format!(r#"{{"CheckID":"c","Status":"{status}","Output":"x"}}"#))
        .collect();
    format!(
        r#"{{"Node":{{"ID":"n","Node":"node1","Address":"10.0.0.1","Meta":null}},"Service":{{"ID":"{id}","Service":"app","Tags":{tags},"Address":"{address}","Meta":null,"Port":80,"Weights":{{"Passing":1,"Warning":1}}}},"Checks":[{}]}}"#,
        checks.join(",")
    )
}

fn everything(tags: &[&str]) -> Question {
    let mut question = question(tags, Mode::Now);
    if let Target::Service { passing_only, .. } = &mut question.subject.target {
        *passing_only = false;
    }
    question
}

#[tokio::test]
async fn instances_are_sorted_and_complete() {
    let body = format!(
        "[{},{}]",
        entry(
            "b",
            "10.0.0.9",
            r#"["z","a"]"#,
            &["passing", "critical", "warning"]
        ),
        entry("a", "", "null", &[])
    );
    let instance = |id: &str, address: &str, tags: &[&str], health| Instance {
        id: id.to_owned(),
        // D41: the node's address where the service has none.
        address: address.to_owned(),
        port: 80,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        health,
        node: "node1".to_owned(),
    };
    let expected = vec![
        instance("a", "10.0.0.1", &[], CheckStatus::Passing),
        instance("b", "10.0.0.9", &["a", "z"], CheckStatus::Critical),
    ];
    assert_eq!(
        found(&everything(&[]), &body).await,
        Found::Instances(expected)
    );
    assert!(found(&everything(&[]), "null").await.is_empty());
}

#[tokio::test]
async fn a_server_that_ignores_tags_or_health_is_corrected() {
    let body = format!(
        "[{},{},{}]",
        entry("both", "", r#"["A","b"]"#, &["passing"]),
        entry("one", "", r#"["a"]"#, &["passing"]),
        entry("ill", "", r#"["a","b"]"#, &["maintenance"])
    );
    let ids = |found| match found {
        Found::Instances(instances) => instances
            .into_iter()
            .map(|instance| instance.id)
            .collect::<Vec<_>>(),
        Found::Entries(_) => panic!("entries for a service"),
    };
    let passing = question(&["a", "B"], Mode::Now);
    assert_eq!(ids(found(&passing, &body).await), ["both"]);
    assert_eq!(
        ids(found(&everything(&["a", "b"]), &body).await),
        ["both", "ill"]
    );
}

#[tokio::test]
async fn what_is_no_port_is_none() {
    let body = entry("a", "", "[]", &[]).replace("\"Port\":80", "\"Port\":-1");
    let Found::Instances(instances) = found(&everything(&[]), &format!("[{body}]")).await else {
        panic!("entries for a service");
    };
    assert_eq!(instances[0].port, 0);
}

#[tokio::test]
async fn values_are_decoded() {
    let body = r#"[{"LockIndex":0,"Key":"b","Flags":7,"Value":"aGk=","CreateIndex":1},{"Key":"a","Flags":0,"Value":null},{"Key":"c","Flags":0,"Value":"aGk\u003d"}]"#;
    let prefix = about(Target::Prefix(String::new()), Mode::Now);
    let Found::Entries(entries) = found(&prefix, body).await else {
        panic!("instances for a key");
    };
    let shape = |entry: &Entry| (entry.key.clone(), entry.flags, entry.value.clone());
    let shapes: Vec<_> = entries.iter().map(shape).collect();
    let expected = [
        ("a".to_owned(), 0, Some(Vec::new())),
        ("b".to_owned(), 7, Some(b"hi".to_vec())),
        ("c".to_owned(), 0, Some(b"hi".to_vec())),
    ];
    assert_eq!(shapes, expected);
    assert_eq!(entries[1].digest, entries[2].digest);
    assert_ne!(entries[0].digest, entries[1].digest);
    let fake = Fake::start(say(200, r#"[{"Key":"a","Value":"not base64"}]"#)).await;
    assert!(fake.client().ask(&prefix).await.is_err());
}

/// C21: values are kept up to a megabyte together, and told apart beyond.
#[test]
fn c21_large_values_are_told_apart_and_not_kept() {
    use base64::Engine as _;
    let answer = |length: usize, last: u8| {
        let mut value = vec![0; length];
        value.push(last);
        let value = base64::engine::general_purpose::STANDARD.encode(value);
        let body = format!(r#"[{{"Key":"a","Value":"{value}"}},{{"Key":"b","Value":"{value}"}}]"#);
        let target = Target::Prefix(String::new());
        match super::super::answer::found(&target, body.as_bytes()).unwrap() {
            Found::Entries(entries) => entries,
            Found::Instances(_) => panic!("instances for a key"),
        }
    };
    let small = answer((1 << 19) - 10, 1);
    assert!(small.iter().all(|entry| entry.value.is_some()));
    let (one, other) = (answer(1 << 19, 1), answer(1 << 19, 2));
    assert!(one.iter().chain(&other).all(|entry| entry.value.is_none()));
    assert_ne!(one[0].digest, other[0].digest);
    assert_eq!(one[0].digest, answer(1 << 19, 1)[0].digest);
}

#[tokio::test]
async fn what_stands_in_the_agent_is_read() {
    let body = r#"{"Kind":"","ID":"app-h","Service":"app","Tags":["b","a"],"Meta":{"k":"v"},"Port":80,"Address":"","Weights":{"Passing":2,"Warning":1},"EnableTagOverride":true,"ContentHash":"x"}"#;
    let fake = Fake::start(say(200, body)).await;
    let standing = fake.client().inspect("app-h").await.unwrap();
    let expected = Registered {
        name: "app".to_owned(),
        tags: vec!["b".to_owned(), "a".to_owned()],
        address: String::new(),
        port: 80,
        meta: [("k".to_owned(), "v".to_owned())].into(),
        weights: Some(Weights {
            passing: 2,
            warning: 1,
        }),
        enable_tag_override: true,
    };
    assert_eq!(standing, Some(expected));
    assert!(
        fake.last()
            .starts_with("GET /v1/agent/service/app-h HTTP/1.1")
    );
}
