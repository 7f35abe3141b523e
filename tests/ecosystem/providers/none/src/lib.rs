//! No provider: rustls says so in its own words when a configuration is made, and what needs none works.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests {
    #[test]
    fn rustls_asks_for_a_provider_where_there_is_none() {
        let made = std::panic::catch_unwind(|| drop(rustls::ServerConfig::builder()));
        let said = *made.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains("CryptoProvider"), "{said}");
    }

    #[tokio::test]
    async fn cleartext_needs_none() {
        serving::in_cleartext().await.unwrap();
    }
}
