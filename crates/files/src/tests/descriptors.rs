//! Files that are streamed: their descriptors, and what becomes of a file under way.

use super::*;

#[tokio::test]
async fn a_file_that_is_written_to_under_way_ends_in_an_error_where_its_tag_is_strong() {
    let site = Site::settled();
    let request = Request::builder().version(Version::HTTP_2).uri("/large.bin").body(()).unwrap();
    let response = site.service.clone().call(request).await.unwrap();
    assert!(response.headers()["etag"].to_str().unwrap().starts_with('"'));
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    fs::write(site.root().join("large.bin"), vec![b'x'; LARGE]).unwrap();
    let mut parts = Vec::new();
    while let Some(frame) = body.frame().await {
        parts.push(frame.is_err());
    }
    assert_eq!(parts, [true]);
}

/// The descriptors of this process that lead to the file.
#[cfg(target_os = "linux")]
fn descriptors(of: &std::path::Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    open.filter(|path| path == of).count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_descriptor_serves_all_who_are_sent_a_file() {
    let site = Site::settled();
    let path = site.root().join("large.bin").canonicalize().unwrap();
    let mut bodies = Vec::new();
    for _ in 0..50 {
        let request = Request::builder().version(Version::HTTP_2).uri("/large.bin").body(()).unwrap();
        bodies.push(site.service.clone().call(request).await.unwrap().into_body());
    }
    assert_eq!(descriptors(&path), 1);
    for body in bodies {
        assert_eq!(body.collect().await.unwrap().to_bytes(), large());
    }
    assert_eq!(descriptors(&path), 0);
}

#[tokio::test]
async fn a_client_has_a_share_of_the_descriptors() {
    let site = Site::with(Config { descriptors: headstart_policy::Shares::new(8, 0), ..Site::config_later() });
    for number in 0..20 {
        fs::write(site.root().join(format!("{number}.bin")), large()).unwrap();
    }
    let mut held = Vec::new();
    let mut ask = async |number: usize, from: [u8; 4]| {
        let request = Request::builder().version(Version::HTTP_2).uri(format!("/{number}.bin"));
        let peer = headstart_policy::Peer((from, 1).into());
        let response = site.service.clone().call(request.extension(peer).body(()).unwrap()).await.unwrap();
        let (status, again) = (response.status(), response.headers().contains_key("retry-after"));
        held.push(response.into_body());
        (status, again)
    };
    let mut refused = 0;
    for number in 0..10 {
        refused += usize::from(ask(number, [192, 0, 2, 1]).await == (StatusCode::SERVICE_UNAVAILABLE, true));
    }
    assert_eq!(refused, 4, "a quarter is left");
    assert_eq!(ask(15, [192, 0, 2, 2]).await, (StatusCode::OK, false), "to others");
    assert_eq!(ask(1, [192, 0, 2, 1]).await, (StatusCode::OK, false), "what is open is shared");
    assert_eq!(site.get("/").await.status, StatusCode::OK, "pages need none");
}
