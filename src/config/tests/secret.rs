//! L12: no message shows a secret.

use super::*;

#[track_caller]
fn hidden(text: &str, variables: &[(&str, &str)]) -> String {
    let said = match with_variables(text, variables) {
        Ok(loaded) => loaded.warnings.to_string(),
        Err(report) => report.to_string(),
    };
    assert!(!said.is_empty(), "{text}");
    assert!(!said.contains("s3cr3t"), "{said}");
    said
}

#[test]
fn l12_the_token_is_not_shown() {
    let texts = [
        "{ consul: { token: 's3cr3t-token', nonsense: 1 } }",
        "{ consul: { token: ['s3cr3t'] } }",
        "{ consul: { TOKEN: 's3cr3t' } }",
        "{ consul: { token: 's3cr3t', tokenFile: [], maxConnections: 0 } }",
        "{ consul: { embedded: true, token: 's3cr3t' } }",
        "{ consul: { tokne: 's3cr3t' } }",
        "{ consul: { auth: { password: 's3cr3t' } } }",
        "{ consul: { token: 's3cr3t', token: 'other' } }",
        "{ consul: {\n token:\n 's3cr3t'\n}, jobs: [ { name: 's3cr3t', exec: 's3cr3t  x', ttl: 1 } ] }",
        "{ telemetry: { token: 's3cr3t' },\n jobs: [ { name: 'a', exec: 's3cr3t  x' } ] }",
        "{ consul: { token:\n // a comment\n 's3cr3t' oops } }",
        "{ consul: { token: 's3cr3t' }, nonsense: 's3cr3t' }",
        "{ consul: { token: 's3cr3t' }, s3cr3t: 1 }",
        "{ consul: { token: 's3cr3t' oops } }",
        "{ consul: { token:\n\n 's3cr3t' oops } }",
        "{ consul: { token: 's3cr3t\n} }",
    ];
    for text in texts {
        hidden(text, &[]);
    }
}

#[test]
fn other_lines_are_shown() {
    let said = hidden("{ consul: { token: 's3cr3t' },\n nonsense: 1 }", &[]);
    assert!(said.contains("2 |  nonsense: 1 }"), "{said}");
}

#[test]
fn l12_secrets_of_the_environment_are_not_shown() {
    let said = hidden(
        "{ jobs: [ { name: 'app', exec: 'app  --password={{ .DB_PASSWORD }}' } ] }",
        &[("DB_PASSWORD", "s3cr3t")],
    );
    assert!(said.contains("a double space"), "{said}");
    hidden(
        "{ jobs: [ { name: 'app', port: '{{ .API_KEY }}' } ] }",
        &[("API_KEY", "s3cr3t")],
    );
    hidden(
        "{ consul: '{{ .CONSUL_HTTP_TOKEN }}' oops }",
        &[("CONSUL_HTTP_TOKEN", "s3cr3t")],
    );
}
