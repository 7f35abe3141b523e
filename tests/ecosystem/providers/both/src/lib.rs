//! Two providers: rustls cannot choose, the application can.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests {
    /// One test, for the choice is one of the process.
    #[tokio::test]
    async fn the_application_chooses() {
        let made = std::panic::catch_unwind(|| drop(rustls::ServerConfig::builder()));
        let said = *made.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains("CryptoProvider"), "{said}");

        rustls::crypto::ring::default_provider().install_default().unwrap();
        serving::over_tls().await.unwrap();
    }
}
