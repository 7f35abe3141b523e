//! WordPress on MariaDB and php-fpm: pages, a comment, the login, the block editor, an upload, its REST interface.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step, run};
use super::php;

const CODE: &str = "/usr/share/wordpress";

const CONFIGURATION: &str = "<?php
$is_secure = ($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https';
if ($is_secure) { $_SERVER['HTTPS'] = 'on'; }
define('WP_HOME', ($is_secure ? 'https' : 'http') . '://' . ($_SERVER['HTTP_HOST'] ?? 'localhost'));
define('WP_SITEURL', WP_HOME);
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:' . getenv('APPLICATION_DIRECTORY') . '/db.sock');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT',
    'LOGGED_IN_SALT', 'NONCE_SALT'] as $name) { define($name, 'the same in each run'); }
// One name whether there is TLS or not.
define('COOKIEHASH', 'x'); define('AUTH_COOKIE', 'wp_auth'); define('SECURE_AUTH_COOKIE', 'wp_auth');
// Nothing that happens by the way.
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
";

const INSTALL: &str = "
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = 'localhost';
require 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('A blog', 'admin', 'admin@a.example', true, '', 'secret');
switch_theme('twentytwentyone');
// Pictures of people come from elsewhere.
update_option('show_avatars', 0);
";

const STEPS: &[Step] = &[
    Step {
        name: "front page",
        open: Some("/"),
        act: "return [document.title, document.querySelector('main').innerText];",
        until: "document.querySelector('.entry-title') !== null",
        compares_text: true,
    },
    Step {
        name: "post",
        open: Some("/?p=1"),
        act: "return document.querySelector('.entry-content').innerText;",
        until: "document.querySelector('#commentform') !== null",
        compares_text: true,
    },
    Step {
        name: "comment",
        open: None,
        act: "document.querySelector('#comment').value = 'A comment'; document.querySelector('#author').value = 'A';
              document.querySelector('#email').value = 'a@a.example';
              setTimeout(() => document.querySelector('#commentform [type=submit]').click(), 0); return null;",
        until: "location.search.includes('unapproved=')",
        compares_text: false,
    },
    Step {
        name: "login page",
        open: Some("/wp-login.php"),
        act: "return document.title;",
        until: "document.querySelector('#loginform') !== null",
        compares_text: true,
    },
    Step {
        name: "login",
        open: None,
        act: "user_login.value = 'admin'; user_pass.value = 'secret';
              setTimeout(() => document.querySelector('#wp-submit').click(), 0); return null;",
        until: "location.pathname === '/wp-admin/' && document.querySelector('#wpadminbar') !== null",
        compares_text: false,
    },
    Step {
        name: "block editor",
        open: Some("/wp-admin/post-new.php"),
        act: "return document.title;",
        // It asks last who is writing.
        until: "document.querySelector('.block-editor') !== null
              && performance.getEntriesByType('resource').some((entry) => entry.name.includes('users%2Fme'))",
        compares_text: false,
    },
    Step {
        name: "REST",
        open: None,
        act: "const headers = {'X-WP-Nonce': wpApiSettings.nonce, 'content-type': 'application/json'};
              const body = JSON.stringify({title: 'Written', content: 'text', status: 'publish'});
              const made = await fetch('/index.php?rest_route=/wp/v2/posts', {method: 'POST', headers, body});
              const post = await made.json();
              const got = await fetch('/?p=' + post.id);
              const gone = await fetch('/index.php?rest_route=/wp/v2/posts/' + post.id, {method: 'DELETE', headers});
              const refused = await fetch('/index.php?rest_route=/wp/v2/posts', {method: 'POST', body});
              // What is not read to its end is not listed among what was fetched.
              const texts = await Promise.all([got, gone, refused].map((response) => response.text()));
              return [made.status, got.status, texts[0].includes('Written'), gone.status, refused.status];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "form with an upload",
        open: Some("/wp-admin/media-new.php?browser-uploader"),
        act: "return document.querySelector('#async-upload').name;",
        until: "document.querySelector('#async-upload') !== null",
        compares_text: false,
    },
    Step {
        name: "upload",
        open: None,
        act: "const chosen = new DataTransfer();
              chosen.items.add(new File(['line\\n'.repeat(50000)], 'lines.txt', {type: 'text/plain'}));
              document.querySelector('#async-upload').files = chosen.files;
              setTimeout(() => document.querySelector('#html-upload').click(), 0); return null;",
        // The library asks for what it has, and shows the file with the icon of its type.
        until: "location.pathname === '/wp-admin/upload.php' && document.querySelector('.attachment img') !== null
              && performance.getEntriesByType('resource').some((entry) => entry.name.includes('media/text.png'))",
        compares_text: false,
    },
    Step {
        name: "what was uploaded",
        open: None,
        act: "const listed = await (await fetch('/index.php?rest_route=/wp/v2/media')).json();
              const response = await fetch(listed[0].source_url);
              const text = await response.text();
              return [listed.length, response.status, response.headers.get('content-type'), text.length];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "not found",
        open: Some("/?p=9999"),
        act: "return [performance.getEntriesByType('navigation')[0].responseStatus, document.title];",
        until: "document.readyState === 'complete'",
        compares_text: false,
    },
];

pub(crate) fn application() -> Application {
    Application {
        name: "WordPress",
        needs: &[
            "/usr/share/wordpress/wp-login.php",
            "/usr/share/wordpress/wp-content/themes/twentytwentyone/style.css",
            "/usr/sbin/mariadbd",
            "/usr/sbin/nginx",
        ],
        version: &["/usr/bin/dpkg-query", "--show", "--showformat=${Version}", "wordpress"],
        prepare,
        start,
        steps: STEPS,
    }
}

fn prepare(directory: &Path) -> Result<(), String> {
    let root = directory.join("wordpress");
    // Its own copy, for it takes its configuration and keeps what is uploaded beside its code.
    run(Command::new("cp").args(["--recursive", "--dereference", CODE]).arg(&root))?;
    fs::write(root.join("wp-config.php"), CONFIGURATION).map_err(|error| error.to_string())?;
    php::with_database(directory, |_| {
        php::sql(directory, "CREATE DATABASE wordpress CHARACTER SET utf8mb4")?;
        let mut install = Command::new("php");
        run(install.args(["-r", INSTALL]).current_dir(&root).env("APPLICATION_DIRECTORY", directory))
    })
}

fn start(directory: &Path, port: u16) -> Result<Vec<Program>, String> {
    let root = directory.join("wordpress");
    let site =
        format!("root {}; index index.php; location / {{ try_files $uri $uri/ /index.php?$args; }}", root.display());
    php::start(directory, port, &site)
}
