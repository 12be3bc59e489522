//! The key store.

use super::*;

contracts!(
    a_key_is_written_read_and_deleted,
    keys_are_listed_by_their_beginning,
    a_write_can_depend_on_the_index,
    keys_can_be_waited_for,
);

/// The `ModifyIndex` of a key.
fn modified(consul: &Consul, key: &str) -> u64 {
    let entry = consul.get(&format!("/v1/kv/{key}")).json();
    entry[0]["ModifyIndex"].as_u64().expect("an index")
}

fn a_key_is_written_read_and_deleted(consul: &Consul) {
    let absent = consul.get("/v1/kv/a");
    assert_eq!((absent.status, absent.body.as_str()), (404, ""));
    assert!(absent.index() > 0);
    assert_eq!(absent.header("x-consul-knownleader"), Some("true"));
    assert_eq!(absent.header("x-consul-lastcontact"), Some("0"));
    assert_eq!(done(consul, "/v1/kv/a?flags=7", "hello"), "true");
    let entry = consul.get("/v1/kv/a");
    assert_eq!(entry.header("content-type"), Some("application/json"));
    let expected = json!([{ "LockIndex": 0, "Key": "a", "Flags": 7, "Value": "aGVsbG8=" }]);
    assert_eq!(without_numbers(entry.json()), expected);
    let raw = consul.get("/v1/kv/a?raw");
    assert_eq!((raw.status, raw.body.as_str()), (200, "hello"));
    assert_eq!(raw.header("content-type"), Some("text/plain"));
    assert_eq!(raw.header("x-content-type-options"), Some("nosniff"));
    // Writing the same again changes nothing, not even the index.
    let before = modified(consul, "a");
    assert_eq!(done(consul, "/v1/kv/a?flags=7", "hello"), "true");
    assert_eq!(modified(consul, "a"), before);
    assert_eq!(done(consul, "/v1/kv/a", "hello"), "true");
    assert!(modified(consul, "a") > before);
    // An empty value is none.
    done(consul, "/v1/kv/empty", "");
    assert_eq!(consul.get("/v1/kv/empty").json()[0]["Value"], Value::Null);
    assert_eq!(consul.get("/v1/kv/empty?raw").body, "");
    // Escapes are undone.
    done(consul, "/v1/kv/a%20b%2Fc", "1");
    assert_eq!(consul.get("/v1/kv/a%20b/c?raw").body, "1");

    let delete = |path: &str| consul.delete(path).body.trim_end().to_owned();
    assert_eq!(delete("/v1/kv/a"), "true");
    assert_eq!(consul.get("/v1/kv/a").status, 404);
    assert_eq!(delete("/v1/kv/a"), "true");
    for (method, path, status) in [
        ("GET", "/v1/kv/", 400),
        ("PUT", "/v1/kv/", 400),
        ("DELETE", "/v1/kv/", 400),
        ("POST", "/v1/kv/a", 405),
        ("GET", "/v1/kv", 301),
        ("GET", "/v1/kv//a", 301),
    ] {
        assert_eq!(
            consul.request(method, path, &[], "").status,
            status,
            "{method} {path}"
        );
    }
    let large = "x".repeat(512 * 1024);
    assert_eq!(consul.put("/v1/kv/large", &large).status, 200);
}

fn keys_are_listed_by_their_beginning(consul: &Consul) {
    assert_eq!(consul.get("/v1/kv/?keys").json(), json!([]));
    assert_eq!(consul.get("/v1/kv/x?keys").status, 404);
    assert_eq!(consul.get("/v1/kv/x?recurse").status, 404);
    for key in ["a", "a/b", "a/c/d", "a/c/e", "ab", "b"] {
        done(consul, &format!("/v1/kv/{key}"), "1");
    }
    for (query, expected) in [
        ("?keys", json!(["a", "a/b", "a/c/d", "a/c/e", "ab", "b"])),
        ("a?keys", json!(["a", "a/b", "a/c/d", "a/c/e", "ab"])),
        ("a/?keys", json!(["a/b", "a/c/d", "a/c/e"])),
        ("?keys&separator=/", json!(["a", "a/", "ab", "b"])),
        ("a/?keys&separator=/", json!(["a/b", "a/c/"])),
    ] {
        assert_eq!(
            consul.get(&format!("/v1/kv/{query}")).json(),
            expected,
            "{query}"
        );
    }
    let found = consul.get("/v1/kv/a/c?recurse").json();
    let keys: Vec<_> = found
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| &it["Key"])
        .collect();
    assert_eq!(keys, ["a/c/d", "a/c/e"]);
    assert_eq!(consul.delete("/v1/kv/a/?recurse").status, 200);
    assert_eq!(consul.get("/v1/kv/?keys").json(), json!(["a", "ab", "b"]));
    assert_eq!(consul.delete("/v1/kv/?recurse").status, 200);
    assert_eq!(consul.get("/v1/kv/?keys").json(), json!([]));
}

fn a_write_can_depend_on_the_index(consul: &Consul) {
    let put = |query: &str, value: &str| done(consul, &format!("/v1/kv/a?{query}"), value);
    let value = || consul.get("/v1/kv/a?raw").body;
    assert_eq!(put("cas=1", "no"), "false");
    assert_eq!(put("cas=0", "one"), "true");
    assert_eq!(put("cas=0", "no"), "false");
    let index = modified(consul, "a");
    assert_eq!(put(&format!("cas={}", index + 1), "no"), "false");
    assert_eq!(value(), "one");
    assert_eq!(put(&format!("cas={index}"), "two"), "true");
    assert_eq!(put(&format!("cas={index}"), "no"), "false");
    assert_eq!(value(), "two");
    let delete = |query: &str| {
        consul
            .delete(&format!("/v1/kv/a?{query}"))
            .body
            .trim_end()
            .to_owned()
    };
    assert_eq!(delete(&format!("cas={index}")), "false");
    assert_eq!(value(), "two");
    assert_eq!(delete(&format!("cas={}", modified(consul, "a"))), "true");
    assert_eq!(consul.get("/v1/kv/a").status, 404);
    for (query, status) in [
        ("cas=x", 500),
        ("flags=x", 500),
        ("cas=0&acquire=x", 400),
        ("acquire=x&release=x", 400),
        ("acquire=", 500),
        ("release=", 500),
        ("ns=x", 400),
        ("dc=x", 500),
    ] {
        let answer = consul.put(&format!("/v1/kv/b?{query}"), "1");
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
    assert_eq!(consul.delete("/v1/kv/b?recurse&cas=1").status, 400);
    assert_eq!(consul.get("/v1/kv/b").status, 404);
}

fn keys_can_be_waited_for(consul: &Consul) {
    done(consul, "/v1/kv/dir/a", "1");
    done(consul, "/v1/kv/other/a", "1");
    for path in ["/v1/kv/dir/a", "/v1/kv/dir/?recurse", "/v1/kv/dir/?keys"] {
        let before = consul.get(path).index();
        let asked = consul.ask(&after(path, before));
        done(consul, "/v1/kv/other/a", path);
        assert_eq!(asked.answer_within(SHORT), None, "{path}");
        done(consul, "/v1/kv/dir/a", path);
        let answer = asked.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.index() > before, "{path}: {answer:?}");
    }
    // Also for its end and its birth.
    let before = consul.get("/v1/kv/dir/a").index();
    let asked = consul.ask(&after("/v1/kv/dir/a", before));
    assert_eq!(consul.delete("/v1/kv/dir/a").status, 200);
    let gone = asked.answer();
    assert_eq!(gone.status, 404);
    assert!(gone.index() > before, "{gone:?}");
    let path = "/v1/kv/dir/b";
    let asked = consul.ask(&after(path, consul.get(path).index()));
    done(consul, path, "1");
    follow(consul, path, asked.answer(), |it| it.status == 200);
}
