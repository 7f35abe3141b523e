//! What can be found wrong with settings before anything is served: files, directories, certificates and addresses are
//! tried, and nothing is changed. `check` reports it, and `serve` refuses to start on it.

use std::fs;
use std::io;
use std::path::Path;

use crate::acme::Store;
use crate::assemble::{Identities, Sites};
use crate::config::listeners::Socket;
use crate::config::operation::Admin;
use crate::config::{Problem, Settings};
use crate::overrides::Given;
use crate::{listen, state, tls};

/// Settings that can be served.
///
/// # Errors
///
/// All that is wrong, in the order of the file.
pub(crate) async fn settings(given: &Given) -> Result<Settings, Vec<Problem>> {
    let (settings, mut problems) = given.read();
    let read = problems.is_empty();
    problems.extend(find(&settings).await);
    // Where sites could not be read, that there is none is no mistake of its own.
    if !read && settings.sites.is_empty() {
        problems.retain(|problem| !problem.is_of_program());
    }
    problems.sort_by_key(Problem::position);
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// Finds the settings that do not fit the machine.
async fn find(settings: &Settings) -> Vec<Problem> {
    let mut problems = Sites::open(settings, None).err().unwrap_or_default();
    problems.extend(Identities::named(settings).err().unwrap_or_default());
    for listen in &settings.listen {
        // Sockets of systemd are passed to the server alone, so that only `serve` can know of them.
        let Socket::Address(address) = &listen.socket.value else { continue };
        let tried = listen::try_bind(address).await;
        if let Err(error) = tried {
            problems.push(Problem::at(&listen.socket, format!("{error:#}")));
        }
    }
    problems.extend(admin(&settings.admin).await);
    problems.extend(access_log(settings));
    problems.extend(kept(settings));
    problems.extend(acme(settings));
    problems.extend(crate::fleet::open(settings).err().into_iter().flatten());
    problems
}

async fn admin(admin: &Admin) -> Option<Problem> {
    let listen = admin.listen.as_ref()?;
    let wrong = |why: String| Some(Problem::at(listen, why));
    match listen::try_bind(&listen.value).await {
        Err(error) => wrong(format!("{error:#}")),
        Ok(addresses) if admin.token.is_none() && !listen::all_loopback(&addresses) => wrong(format!(
            "the admin listener would be open to everyone on {}: give it a `token` (the flag --admin-token), or a \
             loopback address",
            listen.value
        )),
        Ok(_) => None,
    }
}

fn access_log(settings: &Settings) -> Option<Problem> {
    let at = settings.log.access.as_ref().filter(|at| at.value.0 != "-")?;
    let path = Path::new(&at.value.0);
    let wrong = |error: io::Error| Problem::at(at, format!("cannot write the access log {}: {error}", path.display()));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::File::options().append(true).open(path).err().map(wrong),
        Ok(metadata) if metadata.is_dir() => Some(wrong(io::Error::other("it is a directory"))),
        // A pipe or a device: to open it may wait for its other end.
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => state::writable(parent(path)).err().map(wrong),
        Err(error) => Some(wrong(error)),
    }
}

/// The directory of certificates that are ordered, and the name of the authority.
fn acme(settings: &Settings) -> Option<Problem> {
    let acme = settings.tls.acme.as_ref()?;
    if let Some(ca) = &acme.ca
        && let Err(error) = tls::read_chain(&ca.value)
    {
        return Some(Problem::at(ca, format!("{error:#}")));
    }
    let named = settings.state.directory.as_ref();
    let path = match state::directory_path(named.map(|at| at.value.clone())) {
        Ok(path) => Store::path(&path, &acme.authority),
        Err(error) => return Some(Problem::of_program(format!("{error:#}"))),
    };
    let error = can_be_used(&path).err()?;
    let why = format!("cannot keep certificates in {}: {error}", path.display());
    Some(named.map_or_else(|| Problem::of_program(&*why), |named| Problem::at(named, &*why)))
}

/// The snapshot and its directory.
fn kept(settings: &Settings) -> Option<Problem> {
    let state = &settings.state;
    if !state.save {
        return None;
    }
    let (path, place) = match (&state.file, &state.directory) {
        (Some(file), _) => (file.value.clone(), Some(file)),
        (None, named) => match state::directory_path(named.as_ref().map(|at| at.value.clone())) {
            Ok(directory) => (directory.join("snapshot"), named.as_ref()),
            Err(error) => return Some(Problem::of_program(format!("{error:#}"))),
        },
    };
    let wrong = |why: String| match place {
        Some(at) => Some(Problem::at(at, why)),
        None => Some(Problem::of_program(why)),
    };
    let directory = parent(&path);
    let made = state.file.is_none();
    // A directory that was named is made; one that a file was named in is not.
    let usable = if made { can_be_used(directory) } else { state::writable(directory) };
    match usable {
        Err(error) if made => wrong(format!("cannot make the state directory {}: {error}", directory.display())),
        Err(error) => wrong(format!("cannot write the snapshot {}: {error}", path.display())),
        Ok(()) => match state::SnapshotFile::new(path).is_readable() {
            Ok(()) => None,
            Err(error) => wrong(format!("{error:#}")),
        },
    }
}

/// Whether files can be made in a directory, which is made if it is not there.
fn can_be_used(directory: &Path) -> io::Result<()> {
    let there = nearest_that_is_there(directory);
    if there == directory { state::writable(directory) } else { state::can_hold_directories(there) }
}

fn nearest_that_is_there(directory: &Path) -> &Path {
    directory
        .ancestors()
        .find(|path| path.as_os_str().is_empty() || fs::symlink_metadata(path).is_ok())
        .map_or(Path::new("."), |path| if path.as_os_str().is_empty() { Path::new(".") } else { path })
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
