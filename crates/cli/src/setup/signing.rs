//! Makes the signer's options from flags: the same for `serve` and `app`.

use anyhow::{Context as _, bail};
use countersign_app::AppOptions;
use countersign_app::forward::Forward;
use countersign_app::forward::proof::ForwardSecrets;
use countersign_app::signature_hook::SignatureHook;
use countersign_app::signer_options::{DEFAULT_CALLBACK_BODY, DEFAULT_CALLBACK_BODY_TYPE};
use countersign_app::upload_path::UploadPath;
use countersign_app::{CallbackOptions, Pins, SignatureVersion, SignerOptions};
use countersign_server::listen::Peer;

use crate::command_line::flag_groups::SigningFlags;
use crate::setup::store_server;

fn pins(flags: &SigningFlags) -> Pins {
    match (flags.pin, flags.no_pin) {
        (true, _) => Pins::All,
        (false, false) => Pins::Usual,
        (false, true) => {
            tracing::warn!(
                "--no-pin: uploaders may choose the access control list, the storage class and the callback of what \
                 they store"
            );
            Pins::Tutorial
        }
    }
}

/// Puts what the flags say over the options' defaults; `callback_url` is where callbacks go, if anywhere.
pub(crate) fn apply(
    options: &mut SignerOptions,
    flags: &SigningFlags,
    callback_url: Option<String>,
) -> anyhow::Result<()> {
    if let Some(root) = &flags.root {
        options.root = UploadPath::normalise(root).with_context(|| format!("the root folder {root:?}"))?;
        options.directory = None;
    }
    if let Some(dir) = &flags.dir {
        options.directory = Some(UploadPath::normalise(dir).with_context(|| format!("the folder {dir:?}"))?);
    }
    if let Some(max) = flags.max_size {
        options.size_bytes = 0..=max;
    }
    if let Some(odd) = flags.types.iter().find(|text| !names_a_type(text)) {
        bail!("--type {odd}: write a content type, as in image/jpeg, or a family of them, as in image/*");
    }
    options.content_types.clone_from(&flags.types);
    if let Some(lifetime) = flags.lifetime {
        options.lifetime = lifetime;
    }
    options.version = match flags.signature_version {
        None | Some(1) => SignatureVersion::V1,
        Some(4) => SignatureVersion::V4,
        Some(other) => bail!("there is no signature version {other}; 1 and 4 exist"),
    };
    options.pins = pins(flags);
    options.storage_class.clone_from(&flags.storage_class);
    // As the store reads it: an empty address means none.
    options.callback = callback_url.filter(|url| !url.is_empty()).map(|url| CallbackOptions {
        url,
        host: flags.callback_host.clone(),
        body: flags.callback_body.clone().unwrap_or_else(|| DEFAULT_CALLBACK_BODY.to_owned()),
        body_type: flags.callback_body_type.clone().unwrap_or_else(|| DEFAULT_CALLBACK_BODY_TYPE.to_owned()),
    });
    Ok(())
}

/// Whether a file can have this type; `image` alone, say, is the type of none.
fn names_a_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(family, kind)| !family.is_empty() && !kind.is_empty())
}

/// The application behind: what it is asked before something is signed, and what it is told of each upload.
pub(crate) fn with_application(app: AppOptions, flags: &SigningFlags) -> anyhow::Result<AppOptions> {
    let app = AppOptions { forward: forward(flags)?, ..app };
    let Some(hook) = signature_hook(flags)? else { return Ok(app) };
    app.signer.check_grants().context("--signature-hook")?;
    Ok(app.signature_hook(hook))
}

fn forward(flags: &SigningFlags) -> anyhow::Result<Option<Forward>> {
    let Some(url) = &flags.forward else { return Ok(None) };
    let roots = store_server::certificates(&flags.forward_ca).context("--forward-ca")?;
    let forward = url.parse::<Forward>().and_then(|forward| forward.trusting(&roots)).context("--forward")?;
    let Some(file) = &flags.forward_secret_file else { return Ok(Some(forward)) };
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let secrets = ForwardSecrets::parse(&text).with_context(|| file.display().to_string())?;
    Ok(Some(forward.proving(secrets)))
}

fn signature_hook(flags: &SigningFlags) -> anyhow::Result<Option<SignatureHook>> {
    let Some(url) = &flags.signature_hook else { return Ok(None) };
    let roots = store_server::certificates(&flags.signature_hook_ca).context("--signature-hook-ca")?;
    let hook = SignatureHook::new(url).and_then(|hook| hook.trusting(&roots)).context("--signature-hook")?;
    let further = flags.signature_hook_header.iter().map(String::as_str);
    let hook = hook.passing_on(further).context("--signature-hook-header")?;
    // As the listener knows it, behind which proxies soever.
    Ok(Some(hook.with_client_of(|request| request.extensions.get::<Peer>().map(|peer| peer.client))))
}
