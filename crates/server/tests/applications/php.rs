//! What applications in PHP run on: MariaDB, php-fpm and nginx, each with what is its own in the directory of the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::Program;

use super::application::run;
use super::bed::Started;

/// How long one of them may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs in the order in which they are started: the last one listens at the port.
///
/// `site` is what nginx says of the application: where its files are and which of them are scripts.
pub(crate) fn start(directory: &Path, port: u16, site: &str) -> Result<Vec<Program>, String> {
    let mut started = Started(vec![database(directory)?]);
    started.0.push(scripts(directory)?);
    started.0.push(server(directory, port, site)?);
    Ok(std::mem::take(&mut started.0))
}

/// Makes an empty database server below `directory`, and runs `fill` while it runs.
pub(crate) fn with_database(directory: &Path, fill: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    let mut install = Command::new("mariadb-install-db");
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root"]);
    run(install.arg(format!("--datadir={}", directory.join("db").display())))?;
    let server = database(directory)?;
    let filled = fill(&socket(directory));
    server.stop();
    filled
}

/// Runs SQL as the one user that there is.
pub(crate) fn sql(directory: &Path, statements: &str) -> Result<(), String> {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--user=root"]).arg(format!("--socket={}", socket(directory).display()));
    run(client.args(["--execute", statements]))
}

pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join("db.sock")
}

fn database(directory: &Path) -> Result<Program, String> {
    let socket = socket(directory);
    let mut command = Command::new("mariadbd");
    command.args(["--no-defaults", "--skip-networking", "--user=root", "--innodb-flush-log-at-trx-commit=0"]);
    command.arg(format!("--datadir={}", directory.join("db").display()));
    command.arg(format!("--socket={}", socket.display()));
    command.arg(format!("--pid-file={}", directory.join("db.pid").display()));
    started(&mut command, &socket)
}

fn scripts(directory: &Path) -> Result<Program, String> {
    let socket = directory.join("php.sock");
    let text = format!(
        "[global]\nerror_log = {directory}/php.log\ndaemonize = no\n[www]\nuser = root\ngroup = root\n\
         listen = {socket}\npm = static\npm.max_children = 4\nclear_env = no\ncatch_workers_output = yes\n",
        directory = directory.display(),
        socket = socket.display(),
    );
    let file = directory.join("php-fpm.conf");
    fs::write(&file, text).map_err(|error| error.to_string())?;
    let mut command = Command::new(fpm().ok_or("there is no php-fpm")?);
    command.args(["--nodaemonize", "--allow-to-run-as-root", "--fpm-config"]).arg(&file);
    command.env("APPLICATION_DIRECTORY", directory).env("MW_CONFIG_FILE", directory.join("LocalSettings.php"));
    command.args(["-d", "upload_max_filesize=8M", "-d", "post_max_size=9M", "-d", "date.timezone=UTC"]);
    started(&mut command, &socket)
}

/// The program has the version in its name.
pub(crate) fn fpm() -> Option<PathBuf> {
    let programs = fs::read_dir("/usr/sbin").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    programs.into_iter().find(|path| path.to_string_lossy().contains("/php-fpm"))
}

fn server(directory: &Path, port: u16, site: &str) -> Result<Program, String> {
    let text = format!(
        "daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/nginx.log;
         events {{}}
         http {{
             include /etc/nginx/mime.types;
             access_log off; client_max_body_size 9m;
             client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
             uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
             server {{
                 listen 127.0.0.1:{port};
                 location ~ ^(?<script>.+\\.php)(?<info>/.*)?$ {{
                     include /etc/nginx/fastcgi_params;
                     fastcgi_param SCRIPT_FILENAME $document_root$script;
                     fastcgi_param HTTP_HOST $http_host;
                     fastcgi_param PATH_INFO $info;
                     fastcgi_pass unix:{directory}/php.sock;
                 }}
                 {site}
             }}
         }}",
        directory = directory.display(),
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, text).map_err(|error| error.to_string())?;
    Program::try_start(Command::new("nginx").arg("-c").arg(&file)).map_err(|error| format!("nginx: {error}"))
}

/// Starts a program and waits for its socket.
fn started(command: &mut Command, socket: &Path) -> Result<Program, String> {
    let mut program = Program::try_start(command).map_err(|error| format!("{command:?}: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    while std::os::unix::net::UnixStream::connect(socket).is_err() {
        if !program.is_alive() || Instant::now() > deadline {
            return Err(format!("{command:?} does not listen:\n{}", program.printed()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(program)
}
