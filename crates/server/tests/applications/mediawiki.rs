//! MediaWiki on MariaDB and php-fpm: pages, its loader of scripts and styles, the login, an edit, an upload.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step, run};
use super::php;

const CODE: &str = "/usr/share/mediawiki";

/// Comes after what the installer has written.
const CONFIGURATION: &str = "
$is_secure = ($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https';
$wgServer = ($is_secure ? 'https' : 'http') . '://' . ($_SERVER['HTTP_HOST'] ?? 'localhost');
$wgDBserver = 'localhost:' . getenv('APPLICATION_DIRECTORY') . '/db.sock';
$wgEnableUploads = true;
$wgFileExtensions[] = 'txt';
$wgUploadDirectory = getenv('APPLICATION_DIRECTORY') . '/images';
$wgUploadPath = '/images';
$wgMainCacheType = CACHE_DB;
$wgCacheDirectory = false;
$wgJobRunRate = 0;
";

const STEPS: &[Step] = &[
    Step {
        name: "main page",
        open: Some("/index.php?title=Main_Page"),
        act: "return [document.title, document.querySelector('#mw-content-text').innerText];",
        until: "document.querySelector('#firstHeading') !== null && window.mw?.loader?.getState('site') === 'ready'",
        compares_text: false,
    },
    Step {
        name: "login page",
        open: Some("/index.php?title=Special:UserLogin"),
        act: "return document.title;",
        until: "document.querySelector('#wpLoginAttempt') !== null",
        compares_text: false,
    },
    Step {
        name: "login",
        open: None,
        act: "wpName1.value = 'Admin'; wpPassword1.value = 'a long secret';
              setTimeout(() => wpLoginAttempt.click(), 0); return null;",
        until: "document.querySelector('#pt-logout') !== null",
        compares_text: false,
    },
    Step {
        name: "editor",
        open: Some("/index.php?title=Sandbox&action=edit"),
        act: "return [document.title, performance.getEntriesByType('navigation')[0].responseStatus];",
        until: "document.querySelector('#wpTextbox1') !== null",
        compares_text: false,
    },
    Step {
        name: "edit",
        open: None,
        act: "wpTextbox1.value = \"''Text'' of [[Main Page]]\"; setTimeout(() => wpSave.click(), 0); return null;",
        until: "document.querySelector('#wpTextbox1') === null && document.querySelector('#firstHeading') !== null",
        compares_text: false,
    },
    Step {
        name: "what was written",
        open: Some("/index.php?title=Sandbox"),
        act: "return document.querySelector('#mw-content-text').innerHTML.replace(/<!--[^]*/, '');",
        until: "document.querySelector('#mw-content-text i') !== null",
        compares_text: false,
    },
    Step {
        name: "form with an upload",
        open: Some("/index.php?title=Special:Upload"),
        act: "return wpUploadFile.name;",
        until: "document.querySelector('#wpUploadFile') !== null",
        compares_text: false,
    },
    Step {
        name: "upload",
        open: None,
        act: "const chosen = new DataTransfer();
              chosen.items.add(new File(['line\\n'.repeat(50000)], 'lines.txt', {type: 'text/plain'}));
              wpUploadFile.files = chosen.files; wpDestFile.value = 'Lines.txt';
              setTimeout(() => document.querySelector('[name=wpUpload]').click(), 0); return null;",
        until: "document.querySelector('#file a, .fullMedia a') !== null",
        compares_text: false,
    },
    Step {
        name: "what was uploaded",
        open: None,
        act: "const response = await fetch(document.querySelector('.fullMedia a').href);
              const text = await response.text();
              return [response.status, response.headers.get('content-type'), text.length];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "interface for programs",
        open: None,
        act: "const response = await fetch('/api.php?action=query&titles=Sandbox&prop=revisions&rvprop=content&format=json');
              const body = await response.json();
              return [response.status, response.headers.get('content-type'), JSON.stringify(body.query.pages).includes('Text')];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "not found",
        open: Some("/index.php?title=Nowhere"),
        act: "return [performance.getEntriesByType('navigation')[0].responseStatus, document.title];",
        until: "document.querySelector('#firstHeading') !== null",
        compares_text: false,
    },
];

pub(crate) fn application() -> Application {
    Application {
        name: "MediaWiki",
        needs: &["/usr/share/mediawiki/index.php", "/usr/sbin/mariadbd", "/usr/sbin/nginx"],
        version: &["/usr/bin/dpkg-query", "--show", "--showformat=${Version}", "mediawiki"],
        prepare,
        start,
        steps: STEPS,
    }
}

fn prepare(directory: &Path) -> Result<(), String> {
    let settings = directory.join("LocalSettings.php");
    fs::create_dir(directory.join("images")).map_err(|error| error.to_string())?;
    php::with_database(directory, |socket| {
        let mut install = Command::new("php");
        install.arg(format!("{CODE}/maintenance/install.php")).args([
            "--scriptpath",
            "",
            "--server",
            "http://localhost",
        ]);
        install.arg("--dbserver").arg(format!("localhost:{}", socket.display()));
        install.args(["--dbname", "wiki", "--dbuser", "root", "--dbpass", "", "--skins", "Vector"]);
        install.arg("--confpath").arg(directory).args(["--pass", "a long secret", "Wiki", "Admin"]);
        // Without it there is nothing installed yet.
        run(install.env("MW_CONFIG_FILE", directory.join("none.php")))
    })?;
    let text = fs::read_to_string(&settings).map_err(|error| format!("{}: {error}", settings.display()))?;
    fs::write(&settings, text + CONFIGURATION).map_err(|error| error.to_string())
}

fn start(directory: &Path, port: u16) -> Result<Vec<Program>, String> {
    let images = directory.join("images");
    let site = format!(
        "root {CODE}; index index.php; location /images/ {{ alias {}/; }} location ~ ^/(includes|maintenance|vendor)/ {{ deny all; }}",
        images.display()
    );
    php::start(directory, port, &site)
}
