//! The connection to an engine, made anew when it broke.

use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError, Value,
};
use tokio::sync::Mutex;

use crate::exchange::{ErrorKind, ExchangeError};
use crate::fleet::FleetError;
use crate::url::{EngineUrl, Topology};

/// How long a connection may take. The caller's own bound is shorter, as a rule.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take. The caller's own bound is shorter, as a rule.
const ANSWER: Duration = Duration::from_secs(30);

/// An engine, connected or not.
#[derive(Debug)]
pub(super) struct Engine {
    url: EngineUrl,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    /// A command was sent and its answer not seen: the connection may be dead without saying so.
    waiting: bool,
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    #[cfg(feature = "redis-cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("connected", &self.connection.is_some()).finish_non_exhaustive()
    }
}

impl Engine {
    /// # Errors
    ///
    /// If this program cannot speak to such an engine.
    pub(super) fn new(url: EngineUrl) -> Result<Self, FleetError> {
        if url.tls && rustls::crypto::CryptoProvider::get_default().is_none() {
            // Crate redis would panic with the first connection.
            return Err(FleetError::new(
                "TLS needs a crypto provider: the program has to install one (rustls::crypto::CryptoProvider::install_default)",
            ));
        }
        match url.topology {
            #[cfg(not(feature = "redis-cluster"))]
            Topology::Cluster => {
                Err(FleetError::new("several hosts are a cluster, which needs the feature `redis-cluster`"))
            }
            #[cfg(not(feature = "redis-sentinel"))]
            Topology::Sentinel => Err(FleetError::new("sentinels need the feature `redis-sentinel`")),
            _ => Ok(Engine { url, slot: Mutex::default() }),
        }
    }

    pub(super) fn place(&self) -> String {
        self.url.place()
    }

    /// Sends a command and waits for its answer. One at a time.
    pub(super) async fn run(&self, cmd: &Cmd) -> Result<Value, ExchangeError> {
        let mut slot = self.slot.lock().await;
        if std::mem::take(&mut slot.waiting) {
            slot.connection = None;
        }
        let mut connection = match slot.connection.clone() {
            Some(connection) => connection,
            None => self.connect().await.map_err(|error| error_of(&error))?,
        };
        slot.connection = Some(connection.clone());
        slot.waiting = true;
        let answer = match &mut connection {
            Connection::One(connection) => connection.req_packed_command(cmd).await,
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => connection.req_packed_command(cmd).await,
        };
        let answer = answer.and_then(Value::extract_error);
        slot.waiting = false;
        answer.map_err(|error| {
            let code = error.code().unwrap_or_default();
            // Of a master that has become a replica, another is to be looked for.
            if error.is_io_error()
                || error.is_unrecoverable_error()
                || ["READONLY", "LOADING", "MASTERDOWN"].contains(&code)
            {
                slot.connection = None;
            }
            error_of(&error)
        })
    }

    async fn connect(&self) -> Result<Connection, RedisError> {
        match self.url.topology {
            Topology::Single => {
                let mut info = RedisConnectionInfo::default();
                if let Some(username) = &self.url.username {
                    info = info.set_username(username);
                }
                if let Some(password) = &self.url.password {
                    info = info.set_password(password);
                }
                info = info.set_db(self.url.path.parse().unwrap_or(0));
                let (host, port) = self.url.hosts.first().cloned().unwrap_or_default();
                let info = self.address(host, port).into_connection_info()?.set_redis_settings(info);
                let connection = Client::open(info)?.get_multiplexed_async_connection_with_config(&limits()).await?;
                Ok(Connection::One(connection))
            }
            Topology::Cluster => self.connect_cluster().await,
            Topology::Sentinel => self.connect_master().await,
        }
    }

    fn address(&self, host: String, port: u16) -> ConnectionAddr {
        if self.url.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    }

    #[cfg(feature = "redis-cluster")]
    async fn connect_cluster(&self) -> Result<Connection, RedisError> {
        let addresses = self.url.hosts.iter().map(|(host, port)| self.address(host.clone(), *port));
        let mut builder = redis::cluster::ClusterClient::builder(addresses)
            .connection_timeout(CONNECT)
            .response_timeout(ANSWER)
            .retries(2);
        if let Some(username) = &self.url.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.url.password {
            builder = builder.password(password);
        }
        Ok(Connection::Cluster(builder.build()?.get_async_connection().await?))
    }

    #[cfg(not(feature = "redis-cluster"))]
    async fn connect_cluster(&self) -> Result<Connection, RedisError> {
        Err((redis::ErrorKind::InvalidClientConfig, "built without clusters").into())
    }

    #[cfg(feature = "redis-sentinel")]
    async fn connect_master(&self) -> Result<Connection, RedisError> {
        use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
        let sentinels = self.url.hosts.iter().map(|(host, port)| self.address(host.clone(), *port));
        let mut builder = SentinelClientBuilder::new(sentinels, &self.url.path, SentinelServerType::Master)?;
        if self.url.tls {
            builder = builder.set_client_to_redis_tls_mode(redis::TlsMode::Secure);
        }
        if let Some(username) = &self.url.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.url.password {
            builder = builder.set_client_to_redis_password(password);
        }
        let connection = builder.build()?.get_async_connection_with_config(&limits()).await?;
        Ok(Connection::One(connection))
    }

    #[cfg(not(feature = "redis-sentinel"))]
    async fn connect_master(&self) -> Result<Connection, RedisError> {
        Err((redis::ErrorKind::InvalidClientConfig, "built without sentinels").into())
    }
}

fn limits() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER))
}

fn error_of(error: &RedisError) -> ExchangeError {
    let code = error.code().unwrap_or_default();
    let denied = ["NOAUTH", "WRONGPASS", "NOPERM"].contains(&code);
    let kind = match error.kind() {
        redis::ErrorKind::AuthenticationFailed => ErrorKind::Denied,
        _ if denied => ErrorKind::Denied,
        _ if ["OOM", "MISCONF"].contains(&code) => ErrorKind::Full,
        _ if error.is_timeout() => ErrorKind::TimedOut,
        _ if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() => {
            ErrorKind::Unreachable
        }
        _ => ErrorKind::Other,
    };
    ExchangeError::new(kind, error.to_string())
}
