//! `docker/examples/hello-world` as its page has one run it, with the machine's nginx in the place of nginx's image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Container, Engine};
use crate::support::skip;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/examples/hello-world");

/// nginx, the libraries that it asks for, and the user of its workers, in the places where they are here.
fn nginx_image(engine: &Engine, nginx: &Path) {
    let context = engine.dir().join("nginx");
    let place = |path: &Path| {
        let place = context.join(path.strip_prefix("/").expect("an absolute path"));
        fs::create_dir_all(place.parent().expect("below the root")).expect("a directory of ours");
        place
    };
    let libraries = Command::new("ldd")
        .arg(nginx)
        .output()
        .expect("libc-bin has ldd");
    let libraries = String::from_utf8_lossy(&libraries.stdout).into_owned();
    let words = libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in words.map(Path::new).chain([nginx]) {
        fs::copy(file, place(file)).expect("a library of nginx");
    }
    let user = "nobody:x:65534:65534:nobody:/:/bin/false\n";
    for (path, text) in [("/etc/passwd", user), ("/etc/group", "nogroup:x:65534:\n")] {
        fs::write(place(Path::new(path)), text).expect("a directory of ours takes files");
    }
    for dir in ["var/lib/nginx", "var/log/nginx", "etc/nginx"] {
        fs::create_dir_all(context.join(dir)).expect("a directory of ours takes others");
    }
    fs::write(
        context.join("Dockerfile"),
        "FROM small\nCOPY . /\nSTOPSIGNAL SIGQUIT\n",
    )
    .expect("a directory of ours takes files");
    engine.docker(&[
        "build",
        "--quiet",
        "--tag=nginx",
        &context.display().to_string(),
    ]);
}

fn example_image(engine: &Engine, target: &str) {
    let (tag, target) = (
        format!("--tag=hello-{target}"),
        format!("--target={target}"),
    );
    let words = [
        "build",
        "--quiet",
        "--build-arg=NGINX=nginx",
        "--build-arg=PILOTHOUSE=empty",
    ];
    engine.docker(&[&words[..], &[&tag, &target, EXAMPLE]].concat());
}

/// What the front answers; empty for an error.
fn answer(front: &Container) -> String {
    let output = front.try_exec(&["timeout", "5", "wget", "-q", "-O", "-", "http://localhost/"]);
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

fn wait_for_answer(front: &Container, wanted: &str) {
    front.wait_until(&format!("the answer `{wanted}`"), || {
        let seen = answer(front);
        if seen == wanted { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn hello_world_follows_its_backends() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let nginx = PathBuf::from("/usr/sbin/nginx");
    if !nginx.is_file() {
        skip("the example hello-world", "there is no nginx");
        return;
    }
    nginx_image(&engine, &nginx);
    example_image(&engine, "backend");
    example_image(&engine, "front");
    engine.docker(&["network", "create", "hello"]);
    let on = |name: &'static str| ["--network=hello", "--name", name, "--hostname", name];
    let _catalogue = engine.run(
        "empty",
        &on("catalogue"),
        &["catalog", "--bind", "0.0.0.0:8500"],
    );
    let front = engine.run("hello-front", &on("front"), &[]);
    // Nobody is there yet, which is no reason for the front not to run.
    front.wait_for("Service registered: front", 1);
    assert_eq!(answer(&front), "");

    let one = engine.run("hello-backend", &on("one"), &[]);
    let two = engine.run("hello-backend", &on("two"), &[]);
    wait_for_answer(&front, "hello from one");
    wait_for_answer(&front, "hello from two");
    front.wait_until("the image's own health check", || {
        match front.inspect("{{.State.Health.Status}}").as_str() {
            "healthy" => Ok(()),
            other => Err(other.to_owned()),
        }
    });

    // A backend that stops is missed by nobody: requests come all the time, and each is answered.
    let asking =
        "while :; do wget -q -O - http://localhost/ >> /tmp/answers || echo >> /tmp/refused; done";
    engine.docker(&["exec", "--detach", front.id(), "sh", "-c", asking]);
    front.exec(&[
        "sh",
        "-c",
        "until grep -q two /tmp/answers; do sleep 0.1; done",
    ]);
    assert_eq!(two.stop(10), 0, "{}", two.logs());
    assert!(
        two.logs().contains("Service deregistered: backend"),
        "{}",
        two.logs()
    );
    front.exec(&["test", "!", "-e", "/tmp/refused"]);
    wait_for_answer(&front, "hello from one");

    // One that dies says nothing; its check expires.
    one.signal("KILL");
    wait_for_answer(&front, "");
    front.wait_for("front.onChange.backend", 1);
    engine.docker(&["start", one.id()]);
    wait_for_answer(&front, "hello from one");

    assert_eq!(one.stop(10), 0, "{}", one.logs());
    assert_eq!(front.stop(10), 0, "{}", front.logs());
    for container in [&one, &front] {
        assert!(
            !container.logs().contains("killing it"),
            "{}",
            container.logs()
        );
    }
}
