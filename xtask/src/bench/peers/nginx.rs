//! Runs nginx with two workers: files by sendfile from a folder, and form bodies spooled to files as they come,
//! without being parsed, checked or synced. It is the measure for downloads; for uploads it shows what receiving
//! alone costs.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether it is there.
pub(super) fn is_installed() -> bool {
    Command::new("nginx")
        .arg("-v")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The command that runs it in the foreground on this address.
pub(super) fn command(address: &str, folder: &Path) -> anyhow::Result<Command> {
    for name in ["root/bench", "root/forms", "spool"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    let configuration = folder.join("nginx.conf");
    std::fs::write(&configuration, text(address, folder))?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(configuration).arg("-e").arg(folder.join("errors"));
    Ok(command)
}

fn text(address: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "worker_processes 2;
pid {folder}/pid;
error_log {folder}/errors warn;
daemon off;
user root;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/root/temporary;
  client_body_buffer_size 128k;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  upstream answers {{ server unix:{folder}/answers; keepalive 64; }}
  server {{
    listen {address} reuseport;
    root {folder}/root;
    location /bench/ {{ dav_methods PUT; create_full_put_path on; }}
    location = /forms/ {{
      client_body_in_file_only on;
      client_body_temp_path {folder}/spool;
      proxy_pass_request_body off;
      proxy_set_header Content-Length 0;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_pass http://answers;
    }}
  }}
  server {{
    listen unix:{folder}/answers;
    location / {{ return 200 \"ok\"; }}
  }}
}}
"
    )
}
