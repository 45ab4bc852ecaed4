//! Where the catalog is: the URL of a database without its password, and how it is connected to.
//!
//! A URL is shown and logged, so one that holds a password is refused; the password is a secret of its own. TLS is
//! verified, host name included, unless the URL says `sslmode=disable`; that is what a URL without `sslmode` means
//! for another host. On this machine, by loopback or a socket, it means no TLS.

use crate::tls::{Connector, Roots, TlsError};
use countersign_store::catalog::EngineError;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation, TargetSessionAttrs};
use zeroize::Zeroizing;

/// How long the making of a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the database shows of a connection.
const APPLICATION_NAME: &str = "countersign";

/// A database's URL, without a password: it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    url: String,
    config: Config,
    tls: Option<Roots>,
}

/// A password for the database.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// This one.
    pub fn new(password: String) -> Password {
        Password(Zeroizing::new(password))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is wrong with a URL. The URL itself is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Not a URL of a database that speaks PostgreSQL's protocol.
    #[error("a catalog's address begins with postgres://")]
    Scheme,
    /// It holds a password.
    #[error(
        "a catalog's address holds no password, since it is shown and logged; give it in a file \
         (--catalog-password-file) or in the environment (COUNTERSIGN_CATALOG_PASSWORD, PGPASSWORD)"
    )]
    HoldsPassword,
    /// It names no database.
    #[error("a catalog's address names its database: postgres://USER@HOST/DATABASE")]
    NoDatabase,
    /// It names no user.
    #[error("a catalog's address names its user: postgres://USER@HOST/DATABASE")]
    NoUser,
    /// The mode of TLS is none that is known.
    #[error("sslmode is verify-full or disable: the modes in between encrypt without knowing for whom")]
    SslMode,
    /// The driver refuses it.
    #[error("the catalog's address cannot be read: {0}")]
    Unreadable(String),
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(url: &str) -> Result<Location, LocationError> {
        let known = ["postgres://", "postgresql://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(LocationError::Scheme);
        }
        let (rest, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut sslmode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => sslmode = Some(mode),
                Some(("sslrootcert", path)) => roots = Some(path),
                Some(("password", _)) => return Err(LocationError::HoldsPassword),
                _ => others.push(parameter),
            }
        }
        let config = Config::from_str(&format!("{rest}?{}", others.join("&")))
            .map_err(|error| LocationError::Unreadable(EngineError::new(error).to_string()))?;
        if config.get_password().is_some() {
            return Err(LocationError::HoldsPassword);
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(LocationError::NoDatabase);
        }
        if config.get_user().is_none_or(str::is_empty) {
            return Err(LocationError::NoUser);
        }
        let tls = match sslmode {
            Some("verify-full") => true,
            Some("disable") => false,
            None => !config.get_hosts().iter().all(is_here),
            Some(_) => return Err(LocationError::SslMode),
        };
        let roots = match roots {
            Some(path) => Roots::File(PathBuf::from(path)),
            None => Roots::Public,
        };
        Ok(Location { url: url.to_owned(), config, tls: tls.then_some(roots) })
    }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

impl Location {
    /// What connects to it, with this password.
    pub(crate) fn connector(&self, password: Option<&Password>) -> Result<(Config, Connector), TlsError> {
        let mut config = self.config.clone();
        if let Some(password) = password {
            config.password(password.0.as_bytes());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config
            .application_name(APPLICATION_NAME)
            .ssl_negotiation(SslNegotiation::Postgres)
            .ssl_mode(if self.tls.is_some() { SslMode::Require } else { SslMode::Disable })
            // Of several hosts, the one that takes writes.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .keepalives_idle(Duration::from_secs(30));
        Ok((config, Connector::new(self.tls.as_ref())?))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> LocationError {
        url.parse::<Location>().unwrap_err()
    }

    #[test]
    fn refuses_an_address_with_a_password_and_does_not_repeat_it() {
        for url in ["postgres://u:hunter2@h/d", "postgres://u@h/d?password=hunter2", "postgres://u:@h/d"] {
            let error = refused(url);
            assert_eq!(error, LocationError::HoldsPassword, "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert_eq!(refused("mysql://u:hunter2@h/d"), LocationError::Scheme);
        let unreadable = refused("postgres://u@h:port/d?hunter2=hunter2").to_string();
        assert!(unreadable.contains("cannot be read"), "{unreadable}");
    }

    #[test]
    fn refuses_an_address_without_user_or_database_and_a_mode_that_does_not_verify() {
        assert_eq!(refused("postgres://u@h"), LocationError::NoDatabase);
        assert_eq!(refused("postgres://h/d"), LocationError::NoUser);
        for mode in ["require", "prefer", "allow", "verify-ca", ""] {
            assert_eq!(refused(&format!("postgres://u@h/d?sslmode={mode}")), LocationError::SslMode);
        }
    }

    #[test]
    fn tls_is_verified_for_another_host_unless_it_is_switched_off() {
        let tls = |url: &str| url.parse::<Location>().unwrap().tls;
        assert_eq!(tls("postgres://u@db.example/d"), Some(Roots::Public));
        assert_eq!(tls("postgres://u@db.example/d?sslmode=disable"), None);
        let here = [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1:5433/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Frun%2Fpostgresql/d",
        ];
        for url in here {
            assert_eq!(tls(url), None, "{url}");
        }
        assert_eq!(
            tls("postgres://u@127.0.0.1,db.example/d"),
            Some(Roots::Public),
            "one of two is elsewhere"
        );
        let own = tls("postgres://u@localhost/d?sslmode=verify-full&sslrootcert=/etc/ca.pem");
        assert_eq!(own, Some(Roots::File(PathBuf::from("/etc/ca.pem"))));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(format!("{:?}", Password::new("hunter2".to_owned())), "Password(…)");
        let location: Location = "postgres://u@localhost/d".parse().unwrap();
        let (config, _) = location.connector(Some(&Password::new("hunter2".to_owned()))).unwrap();
        assert!(!format!("{config:?} {location:?} {location}").contains("hunter2"));
    }
}
