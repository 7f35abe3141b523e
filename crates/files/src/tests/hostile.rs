//! Paths and files that must not be served.

use std::fs;

use http::{Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::Site;

/// Spellings of what must not be reached. Whatever the answer, it is a refusal and holds nothing from outside.
#[tokio::test]
async fn hostile_paths() {
    let site = Site::new();
    fs::write(site.root().join("../canary"), "canary").unwrap();
    let up = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2E.",
        "..%2f..",
        "..%5c..",
        "..\\..",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "..%00",
        "....",
        ".. ",
        "..;",
        "..%20",
        "%uff0e%uff0e",
    ];
    let targets = ["etc/passwd", "canary", "proc/self/environ", ".env", ".git/config", "dev/zero", ""];
    let mut asked = 0;
    for up in up {
        for depth in 1..4 {
            for prefix in ["/", "/notes/", "/notes/sub/", "//", "/./"] {
                for target in targets {
                    let path = format!("{prefix}{}/{target}", vec![up; depth].join("/"));
                    let Ok(uri) = path.parse::<http::Uri>() else { continue };
                    let request = Request::builder().version(Version::HTTP_2).uri(uri).body(()).unwrap();
                    let response = site.service.clone().call(request).await.unwrap();
                    assert!(response.status().is_client_error(), "{path}: {}", response.status());
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    assert!(body == "nothing here" || body == "400 Bad Request\n", "{path}: {body:?}");
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 1000, "{asked}");
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_special_files() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let site = Site::settled();
    symlink("digits.txt", site.root().join("inside.txt")).unwrap();
    symlink("/etc/passwd", site.root().join("outside.txt")).unwrap();
    symlink("/", site.root().join("top")).unwrap();
    symlink("/dev/zero", site.root().join("zero")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.root().join("socket")).unwrap();
    assert_eq!(site.get("/inside.txt").await.body, "0123456789");
    for path in ["/outside.txt", "/top/etc/passwd", "/top/", "/zero", "/socket"] {
        assert_eq!(site.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A file in memory is not a way round the check: the link now leads elsewhere.
    fs::remove_file(site.root().join("inside.txt")).unwrap();
    symlink("/etc/passwd", site.root().join("inside.txt")).unwrap();
    assert_eq!(site.get("/inside.txt").await.status, StatusCode::NOT_FOUND);
    // Root may read everything.
    let closed = site.root().join("closed.txt");
    fs::write(&closed, "x").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&closed).is_err() {
        assert_eq!(site.get("/closed.txt").await.status, StatusCode::FORBIDDEN);
    }
}
