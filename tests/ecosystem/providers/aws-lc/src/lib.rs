//! One provider: `ServerConfig::builder()` finds it, which it does not if some library turns on another.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn the_one_provider_is_found() {
        assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nobody has installed one");
        serving::over_tls().await.unwrap();
    }
}
