//! One certificate: the conversation with an authority, from the account to the chain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, ExternalAccountKey, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::sign::CertifiedKey;

use super::client::Client;
use super::store::Store;
use crate::challenges::{Challenges, Proof};
use crate::config::operation::Acme;
use crate::tls;

/// How long the authority may take to look at a proof, and to issue.
const PATIENCE: Duration = Duration::from_secs(120);

/// A nonce that was refused is no fault of anybody: the crate tries three times, and this many orders are begun after that.
const MAX_ORDERS: u32 = 8;

/// How an authority is shown that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In a handshake on the port of HTTPS.
    TlsAlpn,
    /// By a request on the port of HTTP.
    Http,
}

impl Way {
    fn challenge(self) -> ChallengeType {
        match self {
            Way::TlsAlpn => ChallengeType::TlsAlpn01,
            Way::Http => ChallengeType::Http01,
        }
    }

    /// For messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Way::TlsAlpn => "TLS-ALPN-01, a handshake on port 443",
            Way::Http => "HTTP-01, a request on port 80",
        }
    }
}

/// The account that is kept, or a new one.
///
/// # Errors
///
/// If the authority makes none, or it cannot be kept.
pub(super) async fn account(acme: &Acme, client: &Client, store: &Store) -> anyhow::Result<Account> {
    let builder = || Account::builder_with_http(Box::new(client.clone()));
    if let Some(credentials) = store.account()? {
        return builder().from_credentials(credentials).await.map_err(told);
    }
    let contact: Vec<String> = acme.contact.iter().map(|contact| format!("mailto:{}", contact.value)).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let binding = acme.binding()?.map(|(id, key)| ExternalAccountKey::new(id, &key));
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    for _ in 0..MAX_ORDERS {
        match builder().create(&new, acme.authority.clone(), binding.as_ref()).await {
            Ok((account, credentials)) => {
                store.keep_account(&credentials)?;
                return Ok(account);
            }
            Err(error) if is_bad_nonce(&error) => {}
            Err(error) => return Err(told(error)).context("no account"),
        }
    }
    bail!("no account: the authority refuses each nonce that it gives")
}

/// Key and chain, in PEM form.
///
/// # Errors
///
/// Orders a certificate. The error says what kept the authority from issuing it.
pub(super) async fn certificate(
    account: &Account,
    name: &str,
    challenges: &Challenges,
    way: Way,
) -> anyhow::Result<String> {
    for _ in 0..MAX_ORDERS {
        match once(account, name, challenges, way).await {
            Err(error) if error.downcast_ref::<Error>().is_some_and(is_bad_nonce) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            done => return done.map_err(|error| error.downcast::<Error>().map_or_else(|error| error, told)),
        }
    }
    bail!("the authority refuses each nonce that it gives")
}

async fn once(account: &Account, name: &str, challenges: &Challenges, way: Way) -> anyhow::Result<String> {
    let names = [Identifier::Dns(name.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let proofs = prove(&mut order, name, challenges, way).await?;
    let policy = RetryPolicy::new().timeout(PATIENCE);
    let status = order.poll_ready(&policy).await?;
    drop(proofs);
    if status != OrderStatus::Ready {
        bail!("{}", refusal(&mut order, status).await);
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&policy).await?;
    Ok(format!("{key}{chain}"))
}

/// Shows what is asked for, and says that it can be looked at.
async fn prove<'a>(
    order: &mut Order,
    name: &str,
    challenges: &'a Challenges,
    way: Way,
) -> anyhow::Result<Vec<Proof<'a>>> {
    let mut proofs = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Valid => continue,
            status => bail!("the authorization for {name} is {status:?}"),
        }
        let Some(mut challenge) = authorization.challenge(way.challenge()) else {
            bail!("the authority does not offer {}", way.describe());
        };
        let key = challenge.key_authorization();
        proofs.push(match way {
            Way::TlsAlpn => challenges.over_tls(name, certified(name, key.digest().as_ref())?),
            Way::Http => challenges.over_http(&challenge.token, key.as_str()),
        });
        challenge.set_ready().await?;
    }
    Ok(proofs)
}

/// The certificate that proves a name in a handshake (RFC 8737, section 3).
fn certified(name: &str, digest: &[u8]) -> anyhow::Result<Arc<CertifiedKey>> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    tls::certified(tls::parse(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())?)
}

/// Why an order did not become ready, in the authority's words.
async fn refusal(order: &mut Order, status: OrderStatus) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return one_line(&problem.to_string());
        }
    }
    format!("the order is {status:?}")
}

fn is_bad_nonce(error: &Error) -> bool {
    let Error::Api(problem) = error else { return false };
    problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(":badNonce"))
}

/// An error of the crate with all its causes; what it says may be the authority's words.
fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Other(other) => anyhow!("{}", one_line(&format!("{:#}", anyhow!(other)))),
        other => anyhow!("{}", one_line(&other.to_string())),
    }
}

/// The words of others stay on one line of ours, and are not endless.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    line.trim().to_owned()
}
