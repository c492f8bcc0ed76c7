//! The configuration files of Postfix and Dovecot.

use std::path::Path;

use super::{CENTRE_DOMAIN, PASSWORD, Ports};
use crate::authority::Issued;

/// Postfix's `main.cf`. Mail for any address is kept here, none leaves. Nobody is asked for AUTH who comes from loopback,
/// except at the ports of `master.cf` that say otherwise.
pub(super) fn main_cf(folder: &Path, issued: &Issued) -> String {
    let (folder, certificate, key) = (folder.display(), issued.certificate.display(), issued.key.display());
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {folder}/queue\n\
         data_directory = {folder}/data\n\
         daemon_directory = /usr/lib/postfix/sbin\n\
         maillog_file = /dev/stdout\n\
         myhostname = relay.example\n\
         mydestination =\n\
         mynetworks = 127.0.0.0/8\n\
         inet_interfaces = loopback-only\n\
         inet_protocols = ipv4\n\
         alias_maps =\n\
         default_transport = error:5.4.4 nothing leaves this server\n\
         virtual_mailbox_domains = regexp:{folder}/domains\n\
         virtual_mailbox_maps = regexp:{folder}/mailboxes\n\
         virtual_mailbox_base = {folder}/mail\n\
         virtual_minimum_uid = 1\n\
         virtual_uid_maps = static:8\n\
         virtual_gid_maps = static:8\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n\
         smtpd_reject_unlisted_recipient = no\n\
         smtpd_peername_lookup = no\n\
         smtpd_tls_cert_file = {certificate}\n\
         smtpd_tls_key_file = {key}\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_auth_only = yes\n\
         smtpd_tls_loglevel = 1\n\
         smtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = private/auth\n"
    )
}

/// Postfix's `master.cf`: four ports, and the services that they need.
pub(super) fn master_cf(ports: &Ports) -> String {
    let auth = "-o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject";
    let Ports {
        smtp,
        submission,
        smtps,
        clear,
        ..
    } = ports;
    format!(
        "127.0.0.1:{smtp} inet n - n - - smtpd\n\
         127.0.0.1:{submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {auth}\n\
         127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {auth}\n\
         127.0.0.1:{clear} inet n - n - - smtpd -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no {auth}\n\
         cleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\n\
         rewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\n\
         trace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\n\
         flush unix n - n 1000? 0 flush\n\
         proxymap unix - - n - - proxymap\n\
         error unix - - n - - error\n\
         retry unix - - n - - error\n\
         virtual unix - n n - - virtual\n\
         anvil unix - - n - 1 anvil\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}

/// Which domains are kept here: all.
pub(super) const DOMAINS: &str = "/./ kept\n";

/// Which mailbox an address has. The user `gone` of any domain has none.
pub(super) fn mailboxes() -> String {
    let domain = CENTRE_DOMAIN.replace('.', "\\.");
    format!("if !/^gone@/\n/@{domain}$/ centre/\n/./ party/\nendif\n")
}

/// Dovecot's configuration: IMAP in the clear with STARTTLS, IMAP behind TLS, and the socket at which Postfix asks about
/// passwords.
pub(super) fn dovecot_conf(folder: &Path, ports: &Ports, issued: &Issued) -> String {
    let (folder, certificate, key) = (folder.display(), issued.certificate.display(), issued.key.display());
    let Ports { imap, imaps, .. } = ports;
    format!(
        "protocols = imap\n\
         base_dir = {folder}/run\n\
         log_path = /dev/stderr\n\
         listen = 127.0.0.1\n\
         ssl = yes\n\
         ssl_cert = <{certificate}\n\
         ssl_key = <{key}\n\
         disable_plaintext_auth = no\n\
         auth_mechanisms = plain login\n\
         auth_failure_delay = 0\n\
         mail_location = maildir:{folder}/mail/%n\n\
         first_valid_uid = 1\n\
         first_valid_gid = 1\n\
         mail_privileged_group = mail\n\
         passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = uid=mail gid=mail home={folder}/mail\n}}\n\
         service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
         service auth {{\n  unix_listener {folder}/queue/private/auth {{\n    mode = 0660\n    user = postfix\n  }}\n}}\n"
    )
}
