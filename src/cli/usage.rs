//! Help, and errors of the command line.

/// What `-help` prints, and what follows an error of the command line.
pub const USAGE: &str = "\
Usage:
  pilothouse [-config FILE] [-socket PATH]      supervise what FILE says
  pilothouse run [flags] -- COMMAND [ARG...]    supervise one command, without a file
  pilothouse check [--strict] FILE              say what is wrong with FILE; touches nothing
  pilothouse render [--expanded] FILE           print FILE rendered, or with every hook as the job that it is
  pilothouse migrate FILE [-- APP [ARG...]]     print FILE, which is of version 2 or 1, in the form of version 3
  pilothouse reload [flags]                     have the configuration read again, or say what that would do
  pilothouse healthy [flags] [JOB]              exit 0 if JOB, or everything, is healthy
  pilothouse status [--json] [--watch]          what runs, as a table
  pilothouse start|stop|restart JOB             one job; what was stopped stays so until it is started
  pilothouse signal SIGNAL JOB                  send a signal to a job's processes
  pilothouse why [--json] JOB                   what a job waits for, and what was decided about it
  pilothouse logs [-f] JOB                      the last lines of a job; -f: and those that come
  pilothouse events [-f] [--json]               the last events; -f: and those that come
  pilothouse checks enable|disable JOB          switch a job's health checks on or off
  pilothouse maintenance enable|disable [JOB]   of everything, or of one job
  pilothouse publish EVENT                      start the jobs that wait for the source `event.EVENT`
  pilothouse env|metric NAME=VALUE...           as -putenv and -putmetric
  pilothouse ping                               exit 0 if the control socket answers
  pilothouse catalog [flags]                    serve a Consul in memory, for development and tests
  pilothouse version
  pilothouse help

Flags, with one dash or two:
  -config FILE       the configuration; else $CONTAINERPILOT, else /etc/containerpilot.json5
  -socket PATH       the control socket; else the one that the configuration names
  -template          render the configuration's template and stop
  -out FILE          where -template writes; default or `-`: stdout
  -version           print the version and stop
  -help              print this and stop

Requests to a running supervisor:
  -ping                  exit 0 if the control socket answers
  -reload                read the configuration again
  -maintenance MODE      `enable`: enter maintenance; anything else: leave it
  -putenv NAME=VALUE     set an environment variable for later runs; may be repeated
  -putmetric NAME=VALUE  record a metric; may be repeated

Flags of run:
  --name NAME            the job's name; default: the command's file name
  --restarts N           restarts after the first run: a number, `unlimited` or `never` (default)
  --stop-timeout TIME    from TERM to KILL, for example `10s`; a bare number is in seconds
  --socket PATH          the control socket

Flags of reload:
  --plan                 only say what would be restarted, adjusted, started and stopped, and why
  --json                 say it as JSON
  --config FILE, --socket PATH   as above

Flags of healthy, status, ping and the others about what runs:
  --config FILE, --socket PATH   as above

Flags of catalog:
  --bind ADDRESS:PORT    default 127.0.0.1:8500; port 0 takes a free one
  --datacenter NAME      default dc1
  --node NAME            default: the host's name

Under the name `containerpilot` there are no subcommands.
Exit status: 0 done, 1 failed, 2 wrong usage, 70 internal fault; else that of a job.
";

/// A command line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    message: String,
}

impl UsageError {
    pub(super) fn new(message: String) -> UsageError {
        UsageError { message }
    }
}
