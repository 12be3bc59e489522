//! An image with another C library, whose names and users come from modules: a static program that asked it would have to
//! load them, and would die of it.

use super::{Engine, images};
use crate::support::compiled_library;

/// Ends whoever loads it, whatever for, with a status of its own.
const MODULE: &str = r"
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { _exit(86); }
";

const NSSWITCH: &str =
    "hosts: myhostname resolve files dns\npasswd: systemd files\ngroup: systemd files\n";

const CONFIG: &str = r#"{ consul: "consul:8500", jobs: [
    { name: "app", exec: ["sh", "-c", "id; exec sleep 1000"], user: "app", port: 80,
      health: { http: "http://consul:8500/v1/status/leader", interval: "500ms", ttl: 10 } },
    { name: "nobody", exec: "echo not to be seen", user: "unheard-of" },
    { name: "nowhere", exec: "sleep 1000", health: { http: "http://nowhere.invalid/", interval: "500ms" } },
] }"#;

#[test]
fn no_module_of_the_image_is_asked_for_a_name_or_a_user() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let Some(getent) = images::program("getent", "the image with another C library") else {
        return;
    };
    images::of_programs(&engine, "glibc", &[("getent", &getent)], "");
    let context = engine.dir().join("foreign");
    std::fs::create_dir(&context).expect("a directory of ours takes others");
    let module = compiled_library(&context, "module", MODULE);
    // Where the image's own C library looks for them: beside itself.
    let place = images::place_of_c_library(&getent);
    let copies = ["myhostname", "resolve", "systemd"]
        .map(|name| format!("COPY module {}/libnss_{name}.so.2\n", place.display()));
    std::fs::write(context.join("nsswitch.conf"), NSSWITCH)
        .expect("a directory of ours takes files");
    std::fs::write(
        context.join("passwd"),
        "root:x:0:0::/:/bin/sh\napp:x:77:78::/:/bin/sh\n",
    )
    .expect("the same");
    let dockerfile = format!(
        "FROM glibc\nCOPY nsswitch.conf passwd /etc/\n{}",
        copies.concat()
    );
    images::build(&engine, "foreign", &context, &dockerfile);
    assert!(module.exists());

    engine.docker(&["network", "create", "foreign"]);
    let on = |name: &'static str| ["--network=foreign", "--name", name, "--hostname", name];
    let _consul = engine.run(
        "empty",
        &on("consul"),
        &["catalog", "--bind", "0.0.0.0:8500"],
    );
    let app = engine.run_config("foreign", &on("app"), CONFIG);
    // The modules are there: who asks the C library of the image dies of them.
    for words in [
        &["getent", "hosts", "consul"][..],
        &["getent", "passwd", "unheard-of"],
    ] {
        assert_eq!(app.try_exec(words).status.code(), Some(86), "{words:?}");
    }
    app.wait_for("uid=77", 1);
    app.wait_for("gid=78", 1);
    app.wait_for("Service registered: app", 1);
    app.wait_for("unable to start nobody: cannot start `echo`: ", 1);
    app.wait_until("the check of a host that nobody knows", || {
        let health = app.try_exec(&["pilothouse", "healthy", "nowhere"]);
        if health.status.code() == Some(1) {
            Ok(())
        } else {
            Err(format!("{health:?}"))
        }
    });
    assert_eq!(app.stop(10), 0, "{}", app.logs());
    assert!(!app.logs().contains("not to be seen"), "{}", app.logs());
}
